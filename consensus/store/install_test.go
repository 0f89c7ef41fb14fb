package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/raft"
)

// A reader that is slow reads its snapshot to the end although newer ones have
// taken its place: a leader sends while it goes on working.
func TestSnapshotSlowReader(t *testing.T) {
	s := mustOpen(t, opts(t.TempDir(), EngineWAL))
	mustStore(t, s, batch(1, 9, 10)...)
	data := noise(3 * snapChunk)
	id := mustSnap(t, s, 1, data)
	_, r, err := s.Snapshots().Open(id)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got := make([]byte, snapChunk/2)
	if _, err := io.ReadFull(r, got); err != nil {
		t.Fatal(err)
	}
	for i := uint64(2); i <= 5; i++ {
		mustSnap(t, s, i, []byte("newer"))
	}
	if _, err := os.Stat(s.snaps.path(id)); err == nil {
		t.Fatal("the old snapshot was not removed")
	}
	rest, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(append(got, rest...), data) {
		t.Fatalf("%d bytes came, %v", len(got)+len(rest), err)
	}
	// Who comes too late is told so, and tries again with a newer one.
	if _, _, err := s.Snapshots().Open(id); !errors.Is(err, os.ErrNotExist) || s.Err() != nil {
		t.Fatalf("%v, store %v", err, s.Err())
	}
}

// A snapshot counts when its content and its name are durable: raft cuts the log
// that it replaces.
func TestSnapshotIsDurableBeforeItCounts(t *testing.T) {
	o := opts(t.TempDir(), EngineWAL)
	var unsynced []string // names, and files with content
	o.Disk = &faulty{around: func(op Op, do func() error) error {
		forget := func(path string) {
			unsynced = slices.DeleteFunc(unsynced, func(s string) bool { return s == path })
		}
		if !strings.Contains(op.Path, snapDir) {
			return do()
		}
		switch op.Kind {
		case OpWrite:
			unsynced = append(unsynced, op.Path)
		case OpSync:
			forget(op.Path)
		case OpRename:
			unsynced = append(unsynced, filepath.Dir(op.To))
		case OpSyncDir:
			forget(op.Path)
		}
		return do()
	}}
	s := mustOpen(t, o)
	mustStore(t, s, batch(1, 9, 10)...)
	mustSnap(t, s, 5, noise(2*snapChunk))
	if len(unsynced) > 0 {
		t.Errorf("the snapshot is there, they say, and unsynced: %q", unsynced)
	}
}

// Snapshots that come again and again, some cut off on the way, leave no file
// and no descriptor behind.
func TestSnapshotInstallsLeaveNothing(t *testing.T) {
	o := opts(t.TempDir(), EngineWAL)
	s := mustOpen(t, o)
	descriptors := func() int {
		all, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("needs /proc: ", err)
		}
		n := 0
		for _, fd := range all {
			if to, _ := os.Readlink("/proc/self/fd/" + fd.Name()); strings.HasPrefix(to, o.Dir) {
				n++
			}
		}
		return n
	}
	install(t, s, 100, snapChunk)
	before := descriptors()
	for i := uint64(2); i <= 20; i++ {
		k, err := s.Snapshots().Create(1, i*100, 3, conf, 2, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := k.Write(noise(2 * snapChunk)); err != nil {
			t.Fatal(err)
		}
		if err := k.Cancel(); err != nil { // the leader has gone
			t.Fatal(err)
		}
		install(t, s, i*100, snapChunk)
	}
	wantNoTemp(t, o.Dir)
	if files, _ := filepath.Glob(filepath.Join(o.Dir, snapDir, "*.snap")); len(files) != o.RetainSnapshots {
		t.Fatalf("files %v", files)
	}
	if n := descriptors(); n > before {
		t.Fatalf("%d files are open, %d were", n, before)
	}
	wantLog(t, s, 2001, 2003, 150)
}

// install does what raft does with a leader's snapshot, and then appends.
func install(t *testing.T, s *Store, index uint64, size int) {
	t.Helper()
	id := mustSnap(t, s, index, noise(size))
	if _, err := readSnap(s, id); err != nil {
		t.Fatal(err)
	}
	first, _ := s.Log().FirstIndex()
	last, err := s.Log().LastIndex()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Log().DeleteRange(first, last); err != nil {
		t.Fatal(err)
	}
	mustStore(t, s, batch(index+1, 3, 150)...)
}

// A snapshot that was long under way must not undo a newer one.
func TestSnapshotOlderIsRefused(t *testing.T) {
	o := opts(t.TempDir(), EngineWAL)
	s := mustOpen(t, o)
	mustStore(t, s, batch(1, 20, 10)...)
	slow, err := s.Snapshots().Create(1, 8, 3, conf, 2, nil)
	if err != nil {
		t.Fatal(err)
	}
	install(t, s, 30, 100)
	if err := slow.Close(); err == nil {
		t.Fatal("a snapshot of entry 8 was taken for one newer than that of entry 30")
	}
	if _, err := s.Snapshots().Create(1, 29, 3, conf, 2, nil); err == nil {
		t.Fatal("an older snapshot was begun")
	}
	mustSnap(t, s, 30, []byte("the same index again"))
	wantNoTemp(t, o.Dir)
	if st := s.Stats(); st.LastSnapshotIndex != 30 || s.Err() != nil {
		t.Fatalf("%+v, %v", st, s.Err())
	}
	if got := snapIndexes(t, s); got != "[30 30]" {
		t.Fatalf("List offers %s", got)
	}
}

// A snapshot that ends when the store is closed does not appear in the directory,
// which may be another store's by then.
func TestSnapshotAfterClose(t *testing.T) {
	o := opts(t.TempDir(), EngineWAL)
	s := mustOpen(t, o)
	k, err := s.Snapshots().Create(1, 8, 3, conf, 2, nil)
	if err != nil {
		t.Fatal(err)
	}
	mustClose(t, s)
	wantErr(t, k.Close(), ErrClosed)
	wantNoTemp(t, o.Dir)
	if got := snapIndexes(t, mustOpen(t, o)); got != "[]" {
		t.Fatalf("List offers %s", got)
	}
}

// A crash after a snapshot was installed and before the log was emptied: raft
// goes on behind the snapshot, which must not look like a gap.
func TestInstallCrashBeforeLogIsEmptied(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine string) {
		for _, tt := range []struct {
			name       string
			from, last uint64
			next       uint64 // first entry the leader sends
			refused    bool
		}{
			{name: "log ends before", from: 1, last: 20, next: 31},
			{name: "compacted log ends before", from: 7, last: 20, next: 31},
			{name: "log ends at the snapshot", from: 1, last: 30, next: 31},
			{name: "log goes on behind", from: 1, last: 40, next: 41},
			{name: "a real gap", from: 1, last: 20, next: 32, refused: true},
			{name: "a gap to an older snapshot", from: 1, last: 4, next: 7, refused: true},
		} {
			t.Run(tt.name, func(t *testing.T) {
				o := opts(t.TempDir(), engine)
				o.CacheBytes = CacheBytes
				s := mustOpen(t, o)
				mustSnap(t, s, 6, []byte("old"))
				mustStore(t, s, batch(tt.from, int(tt.last-tt.from+1), 150)...)
				mustSnap(t, s, 30, []byte("installed"))
				s = crash(t, s, &o)
				if got := snapIndexes(t, s); !strings.HasPrefix(got, "[30") {
					t.Fatalf("List offers %s", got)
				}
				err := s.Log().StoreLogs(batch(tt.next, 2, 150))
				if tt.refused {
					if err == nil {
						t.Fatal("accepted")
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				first := tt.from
				if tt.next > tt.last+1 {
					first = tt.next
				}
				wantLog(t, s, first, tt.next+1, 150)
				mustClose(t, s)
				s = mustOpen(t, o)
				wantLog(t, s, first, tt.next+1, 150)
			})
		}
	})
}

// crash copies the directory as it is, and opens the copy.
func crash(t *testing.T, s *Store, o *Options) *Store {
	t.Helper()
	o.Dir = clone(t, s.opt.Dir)
	o.LogDir = ""
	mustClose(t, s)
	return mustOpen(t, *o)
}

// raft itself, started on a store whose log ends before its snapshot.
func TestRaftResumesBehindSnapshot(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine string) {
		o := opts(t.TempDir(), engine)
		s := mustOpen(t, o)
		r := startRaft(t, s, &listFSM{})
		if err := r.Apply([]byte("forgotten"), 0).Error(); err != nil {
			t.Fatal(err)
		}
		if err := r.Shutdown().Error(); err != nil {
			t.Fatal(err)
		}
		one := raft.Configuration{Servers: []raft.Server{{ID: "1.1", Address: "1.1"}}}
		k, err := s.Snapshots().Create(1, 500, 2, one, 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(k, "a\nb\n")
		if err := k.Close(); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			s = crash(t, s, &o)
			fsm := &listFSM{}
			r = startRaft(t, s, fsm)
			if err := r.Apply([]byte("c"), 0).Error(); err != nil {
				t.Fatal(err)
			}
			if fsm.list[0] != "a" || fsm.list[1] != "b" || fsm.list[2] != "c" {
				t.Fatalf("state %v", fsm.list)
			}
			if first, _ := s.Log().FirstIndex(); first != 501 {
				t.Fatalf("the log begins with %d", first)
			}
			if err := r.Shutdown().Error(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// raft#697: a snapshot replaces a log that went on behind it, with entries that
// never came to count. raft cannot go on then; started again it can.
func TestInstallOverLongerTail(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine string) {
		o := opts(t.TempDir(), engine)
		members := raft.Configuration{Servers: []raft.Server{{ID: "1.1", Address: "1.1"}, {ID: "2.1", Address: "2.1"}}}
		fatal := make(chan error, 1)
		o.OnFatal = func(err error) { fatal <- err }
		s := mustOpen(t, o)
		own := make([]*raft.Log, 20)
		for i := range own {
			own[i] = &raft.Log{Index: uint64(i + 1), Term: 1, Type: raft.LogCommand, Data: fmt.Appendf(nil, "own %d", i+1)}
		}
		mustStore(t, s, own...)
		if err := s.Stable().SetUint64([]byte(keyTerm), 1); err != nil {
			t.Fatal(err)
		}
		fsm := &listFSM{}
		leader, r := follower(t, s, fsm)
		header := raft.RPCHeader{ProtocolVersion: 3, ID: []byte("2.1"), Addr: []byte("2.1")}
		install := &raft.InstallSnapshotRequest{
			RPCHeader: header, SnapshotVersion: 1, Term: 2, LastLogIndex: 10, LastLogTerm: 2,
			Configuration: raft.EncodeConfiguration(members), ConfigurationIndex: 1, Size: 4,
		}
		_ = leader.InstallSnapshot("1.1", "1.1", install, &raft.InstallSnapshotResponse{}, strings.NewReader("a\nb\n"))
		wantErr(t, <-fatal, ErrRestart)
		if err := r.Shutdown().Error(); err != nil {
			t.Fatal(err)
		}
		s.Close()

		o.OnFatal = nil
		s = mustOpen(t, o)
		wantLog(t, s, 0, 0, 0)
		fsm = &listFSM{}
		leader, r = follower(t, s, fsm)
		next := &raft.Log{Index: 11, Term: 2, Type: raft.LogCommand, Data: []byte("c")}
		var resp raft.AppendEntriesResponse
		err := leader.AppendEntries("1.1", "1.1", &raft.AppendEntriesRequest{
			RPCHeader: header, Term: 2, PrevLogEntry: 10, PrevLogTerm: 2, Entries: []*raft.Log{next}, LeaderCommitIndex: 11,
		}, &resp)
		if err != nil || !resp.Success {
			t.Fatalf("an append behind the snapshot: %+v, %v", resp, err)
		}
		for end := time.Now().Add(20 * time.Second); fsm.len() < 3 && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
		if err := r.Shutdown().Error(); err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(fsm.list) != "[a b c]" {
			t.Fatalf("state %v", fsm.list)
		}
	})
}

// follower starts raft as 1.1, and returns the transport of its peer 2.1.
func follower(t *testing.T, s *Store, fsm raft.FSM) (peer *raft.InmemTransport, r *raft.Raft) {
	t.Helper()
	c := raft.DefaultConfig()
	c.LocalID = "1.1"
	c.HeartbeatTimeout, c.ElectionTimeout, c.LeaderLeaseTimeout = time.Hour, time.Hour, time.Hour // it stays one
	c.SnapshotThreshold, c.SnapshotInterval = 1<<40, time.Hour
	c.LogOutput = io.Discard
	_, trans := raft.NewInmemTransport("1.1")
	_, peer = raft.NewInmemTransport("2.1")
	peer.Connect("1.1", trans)
	r, err := raft.NewRaft(c, fsm, s.Log(), s.Stable(), s.Snapshots(), trans)
	if err != nil {
		t.Fatal(err)
	}
	return peer, r
}
