// Package quick leaves what takes long out of `go test -short`, which is the quick look: within a minute or so it tells
// whether something is badly wrong.
package quick

import (
	"flag"
	"testing"
)

// LeaveOut is for the TestMain of a suite that runs servers as processes, or foreign programs. With -short none of its
// tests is run, and go test says so: "no tests to run".
func LeaveOut() {
	flag.Parse()
	if testing.Short() {
		_ = flag.Set("test.run", "^$") // it is a flag of every test binary
	}
}

// Skip skips a test that takes more than a second or two.
func Skip(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("it takes long, and this is -short")
	}
}
