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
	proxy := suite.StartProxy(t, server.Addr())
	build(t)
	suite.Run(t, suite.Program{
		Args:  []string{suite.Cache("rust", "debug", "zkd-clients-rust")},
		Dir:   t.TempDir(),
		Env:   append(os.Environ(), "ZK_ADDR="+server.Addr(), "ZK_PROXY="+proxy.Addr(), "ZK_CONTROL="+proxy.Control()),
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
