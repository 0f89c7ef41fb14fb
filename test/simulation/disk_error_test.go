package simulation

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/raft"
	"golang.org/x/sys/unix"

	"zkd/consensus/store"
	"zkd/test/memdir"
	"zkd/test/quick"
)

// One operation fails, and every later one would succeed: the store is at an end, nothing is acknowledged after it, and
// when the power is gone as well all that was acknowledged before is there; or, if the process was just started again,
// what was acknowledged since, although the kernel took for clean what it had failed to sync. (A snapshot that cannot be begun is not among
// them: nothing was changed, and raft tries again.)
func TestErrorOnce(t *testing.T) {
	quick.Skip(t)
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

// What is there takes no room: a server whose disk is full comes as far when it is started again as it would on a machine.
func TestFullDiskOpensWhatIsThere(t *testing.T) {
	quick.Skip(t)
	base := memdir.New(t)
	defer os.RemoveAll(base)
	d, err := newDisk(base, rand.New(rand.NewPCG(1, 9)))
	if err != nil {
		t.Fatal(err)
	}
	d.setSlow(0, 0)
	v := d.now()
	sub := filepath.Join(v.root, "sub")
	mkdir := func(path string) error {
		return v.Do(store.Op{Kind: store.OpMkdir, Path: path}, func() error { return os.MkdirAll(path, 0o700) })
	}
	if err := mkdir(sub); err != nil {
		t.Fatal(err)
	}
	d.setFull(true)
	if err := mkdir(sub); err != nil {
		t.Error(err)
	}
	if err := mkdir(filepath.Join(sub, "another")); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("another directory on a full disk: %v", err)
	}
}

func errorOnce(t *testing.T, kind store.OpKind, part string, seed uint64) bool {
	base := memdir.New(t)
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

// survivor is a store whose process dies and is started again on its disk.
type survivor struct {
	*store.Store
	t    *testing.T
	disk *disk
}

func newSurvivor(t *testing.T, seed uint64) *survivor {
	base := memdir.New(t)
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	d, err := newDisk(base, rand.New(rand.NewPCG(seed, 9)))
	if err != nil {
		t.Fatal(err)
	}
	d.setSlow(0, 0)
	s := &survivor{t: t, disk: d}
	s.mustOpen()
	return s
}

// longSegments are long enough for entries of some MiB.
type longSegments struct{ store.Disk }

func (longSegments) SegmentSize() int64 { return 8 << 20 }

func (s *survivor) open() (err error) {
	s.Store, err = store.Open(store.Options{
		Dir: filepath.Join(s.disk.dir(), "data", "raft"), Engine: store.EngineWAL, RetainSnapshots: 2, Disk: longSegments{s.disk.now()},
	})
	return err
}

func (s *survivor) mustOpen() {
	s.t.Helper()
	if err := s.open(); err != nil {
		s.t.Fatal(err)
	}
}

// die leaves the disk as it is after that, sound.
func (s *survivor) die(how death) {
	s.t.Helper()
	if err := s.disk.die(how); err != nil {
		s.t.Fatal(err)
	}
	if s.Store != nil {
		_ = s.Close() // with whatever error: it is dead
	}
	s.disk.heal()
}

// entry is one of n bytes, none of which is zero.
func entry(index uint64, n int) *raft.Log {
	return &raft.Log{Index: index, Term: 1, Data: bytes.Repeat([]byte{byte(index) + 1}, n)}
}

func (s *survivor) append(index uint64) {
	s.t.Helper()
	if err := s.Log().StoreLog(entry(index, 100)); err != nil {
		s.t.Fatal(err)
	}
}

// The durable index was lowered, its sync failed, and the process was started again. What it lowers no more, since it is
// low enough, has to be on disk: else a power failure would bring back the index of entries that were then cut off.
func TestLoweredIndexIsDurableAfterAnError(t *testing.T) {
	quick.Skip(t)
	for seed := range uint64(6) {
		s := newSurvivor(t, seed)
		for i := range uint64(20) {
			s.append(i + 1)
		}
		if err := s.Close(); err != nil { // which raises it
			t.Fatal(err)
		}
		s.mustOpen()
		s.disk.fail(store.OpSync, "bound", 0, 1)
		if err := s.Log().DeleteRange(15, 20); !errors.Is(err, unix.EIO) {
			t.Fatal(err)
		}
		s.die(killed)
		s.mustOpen()
		if err := s.Log().DeleteRange(16, 20); err != nil {
			t.Fatal(err)
		}
		s.die(powerOff)
		s.mustOpen()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A torn batch was cut off at a start, with zeros whose sync failed, and the process was started again. The zeros have to be
// on disk before anything is appended: else a power failure would bring back what they cover, behind sound entries.
func TestCutIsDurableAfterAnError(t *testing.T) {
	quick.Skip(t)
	cut := 0
	for seed := range uint64(20) {
		s := newSurvivor(t, seed)
		s.append(1)
		s.disk.fail(store.OpSync, "log", 0, 1)
		long := []*raft.Log{entry(2, 3<<19), entry(3, 3<<19), entry(4, 3<<19)} // longer than what is written at once
		if err := s.Log().StoreLogs(long); !errors.Is(err, unix.EIO) {
			t.Fatal(err)
		}
		s.die(powerOff)
		s.disk.fail(store.OpSync, "log", 1, 1) // the first makes durable what is there
		if err := s.open(); err == nil {
			_ = s.Close() // all of it came to the disk, or nothing
			continue
		}
		cut++
		s.die(killed)
		s.mustOpen()
		s.append(2)
		s.die(powerOff)
		if err := s.open(); err != nil {
			t.Errorf("seed %d: %v", seed, err)
			continue
		}
		if last, err := s.Log().LastIndex(); err != nil || last != 2 {
			t.Errorf("seed %d: the log ends at %d, %v", seed, last, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if cut == 0 {
		t.Error("nothing was cut off")
	}
}
