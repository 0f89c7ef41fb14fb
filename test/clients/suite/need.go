package suite

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// Need skips the test when install.sh finds that a client is not installed, and says what is missing.
// CLIENTS_REQUIRE=1 makes it a failure, so that a CI that lost a client does not stay green.
func Need(t testing.TB, client string) {
	t.Helper()
	out, err := exec.Command("sh", filepath.Join(folder(), "install.sh"), "--check", client).CombinedOutput()
	if err == nil {
		return
	}
	line := strings.TrimSpace(string(out))
	if os.Getenv("CLIENTS_REQUIRE") == "1" {
		t.Fatal(line)
	}
	t.Skip(line)
}

// Long reports whether what takes minutes is to be run in full: CLIENTS_LONG=1.
func Long() bool { return os.Getenv("CLIENTS_LONG") == "1" }

// Cache is a file below test/.cache, where install.sh puts what it fetches.
func Cache(elem ...string) string {
	return filepath.Join(append([]string{folder(), "..", ".cache"}, elem...)...)
}

// folder is test/clients.
func folder() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(filepath.Dir(file))
}
