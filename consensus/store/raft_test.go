package store

import (
	"bufio"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/raft"
)

// listFSM keeps every entry in order, and checks its seal as the server does.
type listFSM struct {
	mu   sync.Mutex
	list []string
}

func (f *listFSM) Apply(l *raft.Log) any {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := VerifyEntry(l); err != nil || len(l.Extensions) != sealSize {
		panic(fmt.Sprint("entry reaches the FSM without a good seal: ", err))
	}
	f.list = append(f.list, string(l.Data))
	return len(f.list)
}

func (f *listFSM) Snapshot() (raft.FSMSnapshot, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return listSnapshot(f.list[:len(f.list):len(f.list)]), nil
}

func (f *listFSM) Restore(r io.ReadCloser) error {
	var list []string
	sc := bufio.NewScanner(r)
	for sc.Scan() {
		list = append(list, sc.Text())
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = list
	return sc.Err()
}

func (f *listFSM) len() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.list)
}

type listSnapshot []string

func (l listSnapshot) Persist(k raft.SnapshotSink) error {
	w := bufio.NewWriter(k)
	for _, s := range l {
		fmt.Fprintln(w, s)
	}
	if err := w.Flush(); err != nil {
		k.Cancel()
		return err
	}
	return k.Close()
}

func (l listSnapshot) Release() {}

func startRaft(t *testing.T, s *Store, fsm raft.FSM) *raft.Raft {
	t.Helper()
	c := raft.DefaultConfig()
	c.LocalID = "1.1"
	c.HeartbeatTimeout, c.ElectionTimeout, c.LeaderLeaseTimeout = 50*time.Millisecond, 50*time.Millisecond, 50*time.Millisecond
	c.SnapshotThreshold, c.SnapshotInterval, c.TrailingLogs = 1<<40, time.Hour, 20
	c.LogOutput = io.Discard
	_, trans := raft.NewInmemTransport("1.1")
	has, err := raft.HasExistingState(s.Log(), s.Stable(), s.Snapshots())
	if err != nil {
		t.Fatal(err)
	}
	if !has {
		one := raft.Configuration{Servers: []raft.Server{{ID: "1.1", Address: "1.1"}}}
		if err := raft.BootstrapCluster(c, s.Log(), s.Stable(), s.Snapshots(), trans, one); err != nil {
			t.Fatal(err)
		}
	}
	r, err := raft.NewRaft(c, fsm, s.Log(), s.Stable(), s.Snapshots(), trans)
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-r.LeaderCh():
	case <-time.After(20 * time.Second):
		t.Fatal("no leader")
	}
	return r
}

// A real raft node lives through rounds of writes, snapshot, restart.
func TestRaftNode(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine string) {
		o := opts(t.TempDir(), engine)
		const rounds, writes = 4, 120
		for round := range rounds {
			s, fsm := mustOpen(t, o), &listFSM{}
			r := startRaft(t, s, fsm)
			if err := r.Barrier(10 * time.Second).Error(); err != nil {
				t.Fatal(err)
			}
			if fsm.len() != round*writes {
				t.Fatalf("round %d starts with %d entries", round, fsm.len())
			}
			var last raft.ApplyFuture
			for i := range writes {
				last = r.Apply(fmt.Appendf(nil, "write %d", round*writes+i), 10*time.Second)
			}
			if err := last.Error(); err != nil {
				t.Fatal(err)
			}
			if round%2 == 1 {
				if err := r.Snapshot().Error(); err != nil {
					t.Fatal(err)
				}
				if first, _ := s.Log().FirstIndex(); first < 20 {
					t.Fatalf("the log was not compacted: first is %d", first)
				}
			}
			for i, text := range fsm.list {
				if text != fmt.Sprint("write ", i) {
					t.Fatalf("entry %d is %q", i, text)
				}
			}
			if err := r.Shutdown().Error(); err != nil {
				t.Fatal(err)
			}
			mustClose(t, s)
		}
	})
}
