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

func TestPure(t *testing.T) { run(t, "node", "pure") }

func TestNative(t *testing.T) { run(t, "node-native", "native") }

// run runs the tests in a folder, with the packages that install.sh put in the cache.
func run(t *testing.T, client, folder string) {
	suite.Need(t, client)
	t.Parallel()
	script, err := filepath.Abs(filepath.Join(folder, "test.js"))
	if err != nil {
		t.Fatal(err)
	}
	server := suite.Start(t)
	proxy := suite.StartProxy(t, server.Addr())
	suite.Run(t, suite.Program{
		Args: []string{"node", script},
		Dir:  t.TempDir(),
		Env: append(os.Environ(), "NODE_PATH="+suite.Cache(client, "node_modules"),
			"ZK_ADDR="+server.Addr(), "ZK_PROXY="+proxy.Addr(), "ZK_CONTROL="+proxy.Control()),
		Limit: time.Minute,
	})
}
