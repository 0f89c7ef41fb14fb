package suite

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"
)

// Server is a running server of one suite.
type Server interface {
	Addr() string                      // host:port for clients
	PID() int                          // 0 when nothing runs
	Restart(ctx context.Context) error // kills and starts again on the same address and data
	Stop() error                       // ends it and removes its folder
	Log() string                       // the end of what it wrote
}

// Super is the superuser's digest credential of every server that Start runs.
const Super = "super:secret"

// tick makes sessions of one second possible.
const tick = 500 * time.Millisecond

// config is what every suite's server is given, in lines that ZooKeeper and zkd both read. Quotas are enforced so that
// a client sees QuotaExceeded.
var config = []string{
	"tickTime=500",
	"maxSessionTimeout=40000",
	"maxClientCnxns=0",
	"4lw.commands.whitelist=*",
	"extendedTypesEnabled=true",
	"enforceQuota=true",
	"DigestAuthenticationProvider.superDigest=super:lK75jTNcA+U9vtVEw5vB51mj/w4=",
}

// props are -D properties for what ZooKeeper reads from nowhere else.
var props = map[string]string{"znode.container.checkIntervalMs": "100"}

// Against names the server under test: zkd, or zookeeper-X.Y.
func Against() string {
	switch a := os.Getenv("CLIENTS_AGAINST"); a {
	case "":
		return "zkd"
	case "zookeeper":
		return "zookeeper-3.9"
	default:
		return a
	}
}

// Start runs a fresh server for the test, and stops it when the test is over. A failed test shows the server's log.
// The further zoo.cfg lines win over the common ones.
func Start(t testing.TB, lines ...string) Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	start := startZkd
	if minor, ok := strings.CutPrefix(Against(), "zookeeper-"); ok {
		start = func(ctx context.Context, lines []string) (Server, error) { return startZooKeeper(ctx, minor, lines) }
	}
	s, err := start(ctx, append(config[:len(config):len(config)], lines...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the server's log ends with:\n%s", s.Log())
		}
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}
