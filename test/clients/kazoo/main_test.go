// Package kazoo runs kazoo, the Python client, against a server: its own tests in own_test.go, ours in scripts/.
package kazoo

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"zkd/test/clients/suite"
)

func TestMain(m *testing.M) { suite.Main(m) }

// pytest runs test files with the plugins of the folder plugin, and makes a subtest of each test.
func pytest(t *testing.T, limit time.Duration, env []string, args ...string) {
	t.Helper()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	suite.Run(t, suite.Program{
		// Neither byte code nor a pytest cache is to be left in the tree.
		Args: append([]string{suite.Cache("kazoo", "bin", "python"), "-B", "-m", "pytest", "-p", "no:cacheprovider",
			"-p", "zkd_tap", "--timeout=60"}, args...),
		Dir:   t.TempDir(),
		Env:   append(append(os.Environ(), "PYTHONPATH="+filepath.Join(here, "plugin")), env...),
		Limit: limit,
	})
}
