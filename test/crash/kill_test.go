package crash

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"zkd/test/wire"
)

const workers = 4

func startWorkers(t *testing.T, p *process) (list []*worker) {
	t.Helper()
	for i := range workers {
		list = append(list, newWorker(t, p, i))
	}
	return list
}

// reached waits for acknowledgements, or for the end of the process.
func reached(p *process, acks *atomic.Int64, want int64) {
	for acks.Load() < want {
		select {
		case <-p.exited:
			return
		case <-time.After(100 * time.Microsecond):
		}
	}
}

// Killed at any moment under load, a server has what it acknowledged, once,
// and its sessions go on.
func TestKill(t *testing.T) {
	for _, row := range []struct {
		name string
		args []string
		conf []string
	}{
		{"wal", nil, nil},
		{"wal, snapshots all the time", nil, []string{"snapCount=20"}},
		{"bolt", []string{"-D", "zkd.logStore=bolt"}, nil},
		{"bolt, snapshots all the time", []string{"-D", "zkd.logStore=bolt"}, []string{"snapCount=20"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, row.args...)
			s.conf = row.conf
			p := s.up()
			list := startWorkers(t, p)
			for round := range 25 {
				load(list, func(acks *atomic.Int64) {
					reached(p, acks, rand.Int64N(1500))
					p.kill()
				})
				p = s.up()
				resume(t, p, list)
				if t.Failed() {
					t.Fatalf("in round %d; the server wrote\n%s", round, p.stderr.String())
				}
			}
		})
	}
}

// Killed while a snapshot is being written, a server has everything.
func TestKillInSnapshot(t *testing.T) {
	s := newSite(t)
	s.conf = []string{"snapCount=50"}
	p := s.up()
	list := startWorkers(t, p)
	filler := connect(t, p, time.Minute)
	filler.create("/fill", nil, 0)
	for range 40 { // so that a snapshot takes its time
		filler.create("/fill/f", make([]byte, 512<<10), 2)
	}
	hits := 0
	for range 8 {
		load(list, func(*atomic.Int64) {
			for !unfinished(s) {
				select {
				case <-p.exited:
					return
				default:
				}
			}
			p.kill()
		})
		if unfinished(s) {
			hits++
		}
		p = s.up()
		resume(t, p, list)
		if err := filler.attach(p); err != nil {
			t.Fatal(err)
		}
		if r := filler.ok(wire.OpGetChildren, wire.PathWatch{Path: "/fill"}); len(r.Names) != 40 {
			t.Errorf("%d large znodes instead of 40", len(r.Names))
		}
		if t.Failed() {
			t.Fatal(p.stderr.String())
		}
	}
	if hits == 0 {
		t.Error("no kill met an unfinished snapshot")
	}
}

// unfinished tells whether a snapshot is being written, or was at the end.
func unfinished(s *site) bool {
	files, _ := os.ReadDir(filepath.Join(s.data, "raft", "snapshots", "tmp"))
	return len(files) > 0
}

// A session whose client stays away ends after a crash as it does without one.
func TestSessionsAfterKill(t *testing.T) {
	s := newSite(t)
	p := s.up()
	stays, leaves := connect(t, p, time.Minute), connect(t, p, time.Second)
	stays.create("/stays", nil, 1)
	leaves.create("/leaves", nil, 1)
	p.kill()
	p = s.up()
	if err := stays.attach(p); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool {
		return stays.call(wire.OpExists, wire.PathWatch{Path: "/leaves"}).Err != 0
	}, "the ephemeral of the absent client vanishes")
	if r := stays.ok(wire.OpExists, wire.PathWatch{Path: "/stays"}); r.Stat.EphemeralOwner != stays.session {
		t.Errorf("owner %#x", r.Stat.EphemeralOwner)
	}
	if err := leaves.attach(p); !errors.Is(err, errRefused) {
		t.Errorf("attach to the ended session: %v", err)
	}
	// And it stays gone.
	p.kill()
	p = s.up()
	if err := stays.attach(p); err != nil {
		t.Fatal(err)
	}
	if r := stays.call(wire.OpExists, wire.PathWatch{Path: "/leaves"}); r.Err == 0 {
		t.Error("the ephemeral is back")
	}
}

// Told to stop under load, a server ends within seconds and loses nothing.
func TestTerminateUnderLoad(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(sig.String(), func(t *testing.T) {
			s := newSite(t)
			s.conf = []string{"snapCount=200"}
			p := s.up()
			list := startWorkers(t, p)
			for range 3 {
				load(list, func(acks *atomic.Int64) {
					reached(p, acks, 500)
					began := time.Now()
					p.signal(sig)
					if code := p.exit(); code != 0 {
						t.Errorf("exit code %d\n%s", code, p.stderr.String())
					}
					if took := time.Since(began); took > 5*time.Second {
						t.Errorf("took %v", took)
					}
				})
				if strings.Contains(p.stderr.String(), "panic") {
					t.Error(p.stderr.String())
				}
				p = s.up()
				resume(t, p, list)
			}
		})
	}
}
