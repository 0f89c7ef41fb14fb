package suite

import (
	"os"
	"testing"

	"zkd/test/quick"
	"zkd/test/zkdserver"
)

// Main is to be called from a suite's TestMain; it removes what the servers of a run shared.
func Main(m *testing.M) {
	quick.LeaveOut()
	code := m.Run()
	zkdserver.CleanUp()
	os.Exit(code)
}
