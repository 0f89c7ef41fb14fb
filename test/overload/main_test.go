package overload

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"zkd/test/quick"
	"zkd/test/zkdserver"
)

var (
	long       = flag.Bool("long", false, "full sizes")
	reportFile = flag.String("report", "", "write the figures to a file, too")
)

func TestMain(m *testing.M) {
	quick.LeaveOut()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if addrs := os.Getenv(honestEnv); addrs != "" {
		if err := beHonest(strings.Split(addrs, ",")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return 0
	}
	if err := raiseFiles(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer zkdserver.CleanUp()
	code := m.Run()
	if err := report.write(*reportFile); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

func shortOrLong[T any](short, longer T) T {
	if *long {
		return longer
	}
	return short
}
