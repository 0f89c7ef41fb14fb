package kazoo

import (
	"path/filepath"
	"testing"
	"time"

	"zkd/test/clients/suite"
)

// areas are the modules of kazoo.tests that talk to a server, but for test_sasl. Its other modules test handlers,
// paths, host lists and the like without one.
var areas = []string{
	"barrier", "cache", "client", "connection", "counter", "election", "lease", "lock", "partitioner", "party", "queue",
	"watchers",
}

// TestOwn runs kazoo's own tests. own_skips.txt names those that are not run, with the reason.
func TestOwn(t *testing.T) {
	suite.Need(t, "kazoo")
	t.Parallel()
	skips, err := filepath.Abs("own_skips.txt")
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"-p", "zkd_cluster", "--skips", skips, "--pyargs"}
	for _, a := range areas {
		args = append(args, "kazoo.tests.test_"+a)
	}
	pytest(t, 4*time.Minute, []string{
		"ZK_LAUNCHER=" + suite.Launcher(t, t.TempDir(), "launch"),
		"ZOOKEEPER_VERSION=3.9.4", // what their tests take the server for
		"ZOOKEEPER_CLUSTER_SIZE=1",
	}, args...)
}
