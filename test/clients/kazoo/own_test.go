package kazoo

import (
	"path/filepath"
	"strconv"
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

// TestOwn runs kazoo's own tests with a server alone. own_skips.txt names those that are not run, with the reason.
func TestOwn(t *testing.T) { own(t, 1, "own_skips.txt", areas...) }

// TestOwnEnsemble runs them with three servers, as kazoo's authors do: the areas with tests that need three, and locks.
// CLIENTS_LONG=1 runs all areas, which takes two minutes more.
func TestOwnEnsemble(t *testing.T) {
	short := []string{"client", "connection", "lock"}
	if suite.Long() {
		short = areas
	}
	own(t, 3, "own_skips_ensemble.txt", short...)
}

func own(t *testing.T, servers int, skips string, areas ...string) {
	suite.Need(t, "kazoo")
	t.Parallel()
	skips, err := filepath.Abs(skips)
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"-p", "zkd_cluster", "--skips", skips, "--pyargs"}
	for _, a := range areas {
		args = append(args, "kazoo.tests.test_"+a)
	}
	pytest(t, 4*time.Minute, []string{
		"ZK_LAUNCHER=" + suite.Launcher(t, t.TempDir(), "launch"),
		"ZOOKEEPER_VERSION=3.9.5", // what their tests take the server for
		"ZOOKEEPER_CLUSTER_SIZE=" + strconv.Itoa(servers),
	}, args...)
}
