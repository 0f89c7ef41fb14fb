package suite

import (
	"os"
	"testing"
)

// Main is to be called from a suite's TestMain; it removes what the servers of a run shared.
func Main(m *testing.M) {
	code := m.Run()
	if builtIn != "" {
		os.RemoveAll(builtIn)
	}
	os.Exit(code)
}
