package ensemble

import (
	"fmt"
	"os/exec"
	"testing"
	"time"

	"zkd/test/zkdserver"
)

// The disk of a member is full: it ends and says so, and the others go on. When there is space again it comes back equal,
// and nothing half-written is left on its disk.
func TestDiskFull(t *testing.T) {
	OnlyZkd(t) // ZooKeeper may go on without a log
	for _, role := range []Role{Leader, Follower} {
		t.Run(string(role), func(t *testing.T) {
			t.Parallel()
			e := Start(t, Options{Disk: 64 << 20, Config: []string{"snapCount=1000"}})
			l := e.StartLoad(LoadOptions{Clients: 20, Pause: 5 * time.Millisecond})
			l.Await(500)
			full := e.AwaitRole(role)
			rest := e.Except(full)
			lost := connections(l, rest)
			e.must(full.FillDisk())
			if code, err := full.Exit(Patience); err != nil || code != 1 {
				t.Errorf("exit code %d, %v", code, err)
			}
			e.says(full, "disk full")
			l.AwaitAll(nil)
			if n := connections(l, rest) - lost; n > 0 {
				t.Errorf("%d connections to %s were lost", n, names(rest))
			}
			e.must(full.FreeDisk())
			e.Restart(full)
			l.Settle()
			l.Stop()
			size := func(s *Server) int {
				all, err := files(s.DataDir())
				e.must(err)
				return len(all)
			}
			if a, b := size(full), size(rest[0]); a > b+2 {
				t.Errorf("%d files on the disk that was full, %d on another", a, b)
			}
		})
	}
}

// An old copy of a member's own disk is put back while the others live. It has forgotten what it gave its word for: it
// is not trusted, and the member comes back as one with an empty disk does.
func TestOldDirectory(t *testing.T) {
	t.Parallel()
	OnlyZkd(t)
	e := Start(t, Options{})
	l := e.StartLoad(LoadOptions{Clients: 12})
	l.Await(200)
	old := e.AwaitRole(Follower)
	e.must(old.Terminate())
	copied := old.SaveData(t)
	e.Restart(old)
	l.Await(200)
	old.Kill()
	old.PutData(t, copied)
	e.Restart(old)
	e.says(old, "old copy")
	l.Settle()
	l.Stop()
}

// All servers are lost, and one is made anew from an old copy of its disk. What was written after the copy is gone; no
// zxid that anybody has seen comes again.
func TestBackup(t *testing.T) {
	t.Parallel()
	OnlyZkd(t)
	e := Start(t, Options{})
	c := Open(t, 20*time.Second, e.Servers...)
	for i := range 50 {
		c.Create(fmt.Sprintf("/before%d", i), nil)
	}
	first := e.AwaitRole(Follower)
	c.Sync()
	e.must(first.Terminate())
	copied := first.SaveData(t)
	e.Restart(first)
	for i := range 200 {
		c.Create(fmt.Sprintf("/after%d", i), nil)
	}
	seen := c.Zxid()
	c.Abandon()
	for _, s := range e.Servers {
		s.Kill()
		e.must(s.Blank())
	}
	first.PutData(t, copied)
	bin, err := zkdserver.Build()
	e.must(err)
	if out, err := exec.Command(bin, "recover", "--config", first.configFile(), "--yes").CombinedOutput(); err != nil {
		t.Fatalf("recover: %v\n%s", err, out)
	}
	e.Restart(first)
	e.Restart(e.Except(first)...)
	after := Open(t, 20*time.Second, e.Except(first)...)
	after.Sync()
	after.Create("/again", nil)
	if now := after.Exists("/again").Czxid; now <= seen {
		t.Errorf("zxid %#x after %#x", now, seen)
	}
	for i := range 50 {
		if after.Exists(fmt.Sprintf("/before%d", i)) == nil {
			t.Errorf("/before%d is not there", i)
		}
	}
	e.CompareReplicas()
}
