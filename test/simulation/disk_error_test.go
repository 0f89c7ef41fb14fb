package simulation

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/raft"
	"golang.org/x/sys/unix"

	"zkd/consensus/store"
)

// One operation fails, and every later one would succeed: the store is at an end, nothing is acknowledged after it, and
// when the power is gone as well all that was acknowledged before is there; or, if the process was just started again,
// what was acknowledged since, although the kernel took for clean what it had failed to sync. (A snapshot that cannot be begun is not among
// them: nothing was changed, and raft tries again.)
func TestErrorOnce(t *testing.T) {
	for _, tt := range []struct {
		kind store.OpKind
		part string
	}{
		{store.OpWrite, "log"}, {store.OpSync, "log"}, {store.OpCreate, "log"},
		{store.OpCreate, "list"}, {store.OpWrite, "list"}, {store.OpSync, "list"}, {store.OpRename, "list"},
		{store.OpSyncDir, "dir"}, {store.OpCommit, "vote"},
		{store.OpWrite, "snapshot"}, {store.OpSync, "snapshot"}, {store.OpRename, "snapshot"}, {store.OpSyncDir, "snapshot"},
	} {
		t.Run(fmt.Sprint(tt.kind, " ", tt.part), func(t *testing.T) {
			failed := 0
			for seed := range uint64(6) {
				if errorOnce(t, tt.kind, tt.part, seed) {
					failed++
				}
			}
			if failed == 0 {
				t.Error("nothing has failed")
			}
		})
	}
}

func errorOnce(t *testing.T, kind store.OpKind, part string, seed uint64) bool {
	base := folderInMemory(t)
	defer os.RemoveAll(base)
	d, err := newDisk(base, rand.New(rand.NewPCG(seed, 9)))
	if err != nil {
		t.Fatal(err)
	}
	d.setSlow(0, 0)
	l := &storeLedger{t: t, rand: rand.New(rand.NewPCG(seed, 10)), data: map[uint64][]byte{}, first: 1, about: fmt.Sprint("seed ", seed)}
	var alive bool
	l.open(d, store.EngineWAL, &alive)
	d.fail(kind, part, l.rand.IntN(3), 1)
	over := false // what fails from now on is not this test's business
	for range 150 {
		switch x := l.rand.IntN(20); {
		case x < 13:
			l.append(&over)
		case x < 15:
			l.vote(&over)
		case x < 18:
			l.snapshot(&over)
		case x < 19:
			l.truncate(&over)
		default:
			l.compact(&over)
		}
		if over = l.s.Err() != nil; over {
			break
		}
	}
	if over {
		if err := l.s.Log().StoreLog(entryBehind(l)); !errors.Is(err, unix.EIO) {
			t.Errorf("seed %d: an append after it: %v", seed, err)
		}
		if err := l.s.Stable().SetUint64([]byte("CurrentTerm"), l.term+9); !errors.Is(err, unix.EIO) {
			t.Errorf("seed %d: a vote after it: %v", seed, err)
		}
	}
	again := func(how death) {
		if err := d.die(how); err != nil {
			t.Fatal(err)
		}
		_ = l.s.Close()
		d.heal()
		l.open(d, store.EngineWAL, &alive)
	}
	if seed%2 == 0 {
		again(killed)
		for range 20 {
			l.append(&alive)
			l.vote(&alive)
		}
	}
	again(powerOff)
	if err := l.s.Close(); err != nil {
		t.Error(err)
	}
	return over
}

// The durable index was lowered, its sync failed, and the process was started again. What it lowers no more, since it is
// low enough, has to be on disk: else a power failure would bring back the index of entries that were then cut off.
func TestLoweredIndexIsDurableAfterAnError(t *testing.T) {
	for seed := range uint64(6) {
		base := folderInMemory(t)
		defer os.RemoveAll(base)
		d, err := newDisk(base, rand.New(rand.NewPCG(seed, 9)))
		if err != nil {
			t.Fatal(err)
		}
		d.setSlow(0, 0)
		open := func() *store.Store {
			s, err := store.Open(store.Options{
				Dir: filepath.Join(d.dir(), "data", "raft"), Engine: store.EngineWAL, RetainSnapshots: 2, Disk: d.now(),
			})
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			return s
		}
		after := func(how death, s *store.Store) *store.Store {
			if err := d.die(how); err != nil {
				t.Fatal(err)
			}
			_ = s.Close()
			d.heal()
			return open()
		}
		s := open()
		for i := range uint64(20) {
			if err := s.Log().StoreLog(&raft.Log{Index: i + 1, Term: 1, Data: []byte("data")}); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(); err != nil { // which raises it
			t.Fatal(err)
		}
		s = open()
		d.fail(store.OpSync, "bound", 0, 1)
		if err := s.Log().DeleteRange(15, 20); !errors.Is(err, unix.EIO) {
			t.Fatal(err)
		}
		s = after(killed, s)
		if err := s.Log().DeleteRange(16, 20); err != nil {
			t.Fatal(err)
		}
		s = after(powerOff, s)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
