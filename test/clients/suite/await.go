package suite

import (
	"testing"
	"time"
)

// Patience bounds every wait for something that has to happen; it is far longer than any of them takes.
const Patience = 20 * time.Second

// Await returns once ok does, and fails the test when that takes longer than Patience.
func Await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(Patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("waited %v in vain: %s", Patience, what)
}
