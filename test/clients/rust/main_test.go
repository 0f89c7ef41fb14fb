// Package rust runs two ZooKeeper clients of Rust against a server, zookeeper-client and zookeeper: the program in src/
// asserts what they do.
package rust

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"zkd/test/clients/suite"
)

func TestMain(m *testing.M) { suite.Main(m) }

func TestClients(t *testing.T) {
	suite.Need(t, "rust")
	server := suite.Start(t)
	run(t, server.Addr(), suite.StartProxy(t, server.Addr()))
}

// TestClientsEnsemble runs the tests with a follower, and those in leader.rs through all three servers.
func TestClientsEnsemble(t *testing.T) {
	suite.Need(t, "rust")
	e := suite.StartEnsemble(t)
	follower := e.Follower(t)
	run(t, follower, e.StartProxy(t, follower), "ZK_ALL="+e.Addr())
}

func run(t *testing.T, addr string, proxy *suite.Proxy, env ...string) {
	t.Helper()
	build(t)
	suite.Run(t, suite.Program{
		Args:  []string{suite.Cache("rust", "debug", "zkd-clients-rust")},
		Dir:   t.TempDir(),
		Env:   append(append(os.Environ(), "ZK_ADDR="+addr, "ZK_PROXY="+proxy.Addr(), "ZK_CONTROL="+proxy.Control()), env...),
		Limit: 2 * time.Minute,
	})
}

// build compiles what changed since install.sh did; the crates are there.
func build(t *testing.T) {
	t.Helper()
	cargo := exec.Command("cargo", "build", "-q", "--locked", "--offline")
	cargo.Env = append(os.Environ(), "CARGO_TARGET_DIR="+suite.Cache("rust"))
	if out, err := cargo.CombinedOutput(); err != nil {
		t.Fatalf("cargo build: %v\n%s", err, out)
	}
}
