// Package node runs two ZooKeeper clients of Node.js against a server: node-zookeeper-client, which is JavaScript
// alone, by the tests in pure/; and zookeeper, which wraps the C client, by those in native/.
package node

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"zkd/test/clients/suite"
)

func TestMain(m *testing.M) { suite.Main(m) }

func TestPure(t *testing.T) { alone(t, "node", "pure") }

func TestNative(t *testing.T) { alone(t, "node-native", "native") }

func TestPureEnsemble(t *testing.T) { ensemble(t, "node", "pure") }

func TestNativeEnsemble(t *testing.T) { ensemble(t, "node-native", "native") }

func alone(t *testing.T, client, folder string) {
	suite.Need(t, client)
	t.Parallel()
	server := suite.Start(t)
	run(t, client, folder, server.Addr(), suite.StartProxy(t, server.Addr()))
}

// ensemble runs the tests of a folder with a follower, and one through all three servers while leaders are killed.
func ensemble(t *testing.T, client, folder string) {
	suite.Need(t, client)
	t.Parallel()
	e := suite.StartEnsemble(t)
	follower := e.Follower(t)
	run(t, client, folder, follower, e.StartProxy(t, follower), "ZK_ALL="+e.Addr())
}

// run runs the tests in a folder, with the packages that install.sh put in the cache.
func run(t *testing.T, client, folder, addr string, proxy *suite.Proxy, env ...string) {
	t.Helper()
	script, err := filepath.Abs(filepath.Join(folder, "test.js"))
	if err != nil {
		t.Fatal(err)
	}
	suite.Run(t, suite.Program{
		Args: []string{"node", script},
		Dir:  t.TempDir(),
		Env: append(append(os.Environ(), "NODE_PATH="+suite.Cache(client, "node_modules"),
			"ZK_ADDR="+addr, "ZK_PROXY="+proxy.Addr(), "ZK_CONTROL="+proxy.Control()), env...),
		Limit: time.Minute,
	})
}
