package suite

import (
	"context"
	"os"

	"zkd/test/zkdserver"
)

func startZkd(ctx context.Context, lines []string) (Server, error) {
	s, err := zkdserver.Start(ctx, lines, props)
	if err != nil {
		return nil, err // not a Server around a nil pointer
	}
	return s, nil
}

// tail is the end of a file, as much as helps in a test's output.
func tail(file string) string {
	b, _ := os.ReadFile(file)
	return string(b[max(0, len(b)-4000):])
}
