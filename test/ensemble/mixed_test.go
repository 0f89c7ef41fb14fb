package ensemble

import (
	"flag"
	"os/exec"
	"path/filepath"
	"testing"
)

// understood is the first commit whose servers and those of today understand each other.
const understood = "5cc3a9e"

var old = flag.String("old", "", "an older zkd for TestOldAndNewBinary; without it the long variant builds the oldest that today's understands")

// Servers of an older build and of today's are members of one ensemble, while they are replaced one after the other
// under load, and each leads the other kind.
func TestOldAndNewBinary(t *testing.T) {
	OnlyZkd(t)
	if *old == "" {
		onlyLong(t)
		*old = buildOld(t)
	}
	e := New(t, Options{})
	today, former := e.made, zkdAt(*old)
	for _, s := range e.Servers {
		s.made = former
	}
	e.Restart(e.Servers...)
	l := e.StartLoad(LoadOptions{Clients: 20})
	replace := func(s *Server, by product) {
		l.AwaitAll(nil)
		e.must(s.Terminate())
		s.made = by
		e.Restart(s)
		l.Settle()
	}
	for _, s := range e.Servers[:2] {
		replace(s, today)
	}
	for range 4 {
		leader := e.AwaitLeader()
		leader.Kill()
		l.AwaitAll(nil)
		e.Restart(leader)
		l.Settle()
	}
	replace(e.Servers[2], today)
	l.Stop()
}

// buildOld builds the zkd that is understood from the repository's history.
func buildOld(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("sh", "-c", `git -C "$(git rev-parse --show-toplevel)" archive "$0" | tar -x -C "$1"`, understood, dir).CombinedOutput(); err != nil {
		t.Skipf("no history here with %s: %v\n%s", understood, err, out)
	}
	bin := filepath.Join(t.TempDir(), "zkd")
	build := exec.Command("go", "build", "-o", bin, "./cmd/zkd")
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", understood, err, out)
	}
	return bin
}
