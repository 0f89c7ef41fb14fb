package ensemble

import (
	"flag"
	"os"
	"testing"
	"time"

	"zkd/test/quick"
	"zkd/test/zkdserver"
)

var long = flag.Bool("long", false, "run the long variants")

func TestMain(m *testing.M) {
	quick.LeaveOut()
	code := m.Run()
	zkdserver.CleanUp()
	os.Exit(code)
}

// pick one of two for the short and the long variant.
func shortOrLong[T any](short, longer T) T {
	if *long {
		return longer
	}
	return short
}

func onlyLong(t *testing.T) {
	t.Helper()
	if !*long {
		t.Skip("only with -long")
	}
}

// unbearable is a pause that no fault explains; a pause below it is reported and judged by people.
const unbearable = 15 * time.Second
