// Package c runs the C client against a server: its command line cli_mt in cli_test.go; and programs of ours that
// are linked against libzookeeper_mt, whose sources are beside this file.
package c

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"zkd/test/clients/suite"
)

func TestMain(m *testing.M) { suite.Main(m) }

// TestAPI runs the tests in calls.c, watches.c and sessions.c.
func TestAPI(t *testing.T) {
	suite.Need(t, "c")
	t.Parallel()
	bin := build(t)
	server := suite.Start(t)
	proxy := suite.StartProxy(t, server.Addr())
	suite.Run(t, suite.Program{
		Args:  []string{bin},
		Dir:   t.TempDir(),
		Env:   append(os.Environ(), "ZK_ADDR="+server.Addr(), "ZK_PROXY="+proxy.Addr(), "ZK_CONTROL="+proxy.Control()),
		Limit: 2 * time.Minute,
	})
}

// build compiles the tests; test/.go knows nothing of C, so these are not cgo.
func build(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "api")
	args := []string{"-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-o", bin}
	args = append(args, "check.c", "calls.c", "watches.c", "sessions.c", "-lzookeeper_mt", "-lpthread")
	if out, err := exec.Command("cc", args...).CombinedOutput(); err != nil {
		t.Fatalf("cc: %v\n%s", err, out)
	}
	return bin
}
