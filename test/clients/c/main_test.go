// Package c runs the C client against a server: its command line in cli_test.go, and a program of ours in api/ that
// is linked against libzookeeper_mt.
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

// TestAPI runs the tests in api/.
func TestAPI(t *testing.T) {
	suite.Need(t, "c")
	t.Parallel()
	server := suite.Start(t)
	api(t, server.Addr(), suite.StartProxy(t, server.Addr()))
}

// TestAPIEnsemble runs them with three servers, through all of them; those in leader.c here only.
func TestAPIEnsemble(t *testing.T) {
	suite.Need(t, "c")
	t.Parallel()
	e := suite.StartEnsemble(t)
	api(t, e.Addr(), e.StartProxy(t))
}

func api(t *testing.T, addr string, proxy *suite.Proxy) {
	t.Helper()
	suite.Run(t, suite.Program{
		Args:  []string{build(t)},
		Dir:   t.TempDir(),
		Env:   append(os.Environ(), "ZK_ADDR="+addr, "ZK_PROXY="+proxy.Addr(), "ZK_CONTROL="+proxy.Control()),
		Limit: 2 * time.Minute,
	})
}

func build(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "api")
	sources, err := filepath.Glob("api/*.c")
	if err != nil || len(sources) == 0 {
		t.Fatalf("no sources: %v", err)
	}
	args := append([]string{"-std=gnu11", "-D_GNU_SOURCE", "-O1", "-g", "-Wall", "-Wextra", "-o", bin}, sources...)
	args = append(args, "-lzookeeper_mt", "-lpthread")
	if out, err := exec.Command("cc", args...).CombinedOutput(); err != nil {
		t.Fatalf("cc: %v\n%s", err, out)
	}
	return bin
}
