package consensus

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"zkd/consensus/store"
)

// hungDisk is one that hangs before it syncs or creates some files while it has a channel.
type hungDisk struct {
	store.Disk
	ext  string // the end of their names
	hang chan struct{}
}

func (d *hungDisk) Do(op store.Op, do func() error) error {
	if (op.Kind == store.OpSync || op.Kind == store.OpCreate) && strings.HasSuffix(op.Path, d.ext) && d.hang != nil {
		<-d.hang
	}
	return do()
}

func (*hungDisk) Room(string) (free, total int64, err error) { return 1 << 40, 1 << 40, nil }
func (*hungDisk) SegmentSize() int64                         { return 0 }

// A server whose disk hangs ends, although raft does not: only then can it be
// started elsewhere, or noticed.
func TestCloseWithHungDisk(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		cfg := config(t, dir)
		disk := &hungDisk{ext: ".wal"}
		fatal := make(chan error, 1)
		cfg.Store.Disk, cfg.Store.NoSync = disk, false
		cfg.OnFatal = func(err error) { fatal <- err }
		n, err := Open(cfg, newMachine(0))
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // nothing is written
		disk.hang = make(chan struct{})
		defer close(disk.hang)
		n.Submit(nil, nil, []byte("never answered"))
		if err := <-fatal; !errors.Is(err, store.ErrStalled) {
			t.Errorf("fatal: %v", err)
		}
		if err := n.Close(); !errors.Is(err, store.ErrStalled) {
			t.Errorf("close: %v", err)
		}
	})
}

// A server that is to forget its state, and cannot put that on disk, ends all the same.
func TestIdentityOnAHungDisk(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		cfg := config(t, dir)
		disk := &hungDisk{ext: ".id.tmp"}
		cfg.Store.Disk = disk
		n := start(t, cfg, newMachine(0))
		synctest.Wait() // nothing is written
		disk.hang = make(chan struct{})
		defer close(disk.hang)
		for range 2 {
			if err := n.become(func(id *identity) { id.Rejoin = "damaged" }); !errors.Is(err, store.ErrStalled) {
				t.Errorf("%v", err)
			}
		}
	})
}

// The same under a snapshot, which somebody waits for.
func TestCloseWithHungSnapshot(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		cfg := config(t, dir)
		disk := &hungDisk{ext: ".snap"}
		fatal := make(chan error, 1)
		cfg.Store.Disk = disk
		cfg.OnFatal = func(err error) { fatal <- err }
		n, err := Open(cfg, newMachine(0))
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		disk.hang = make(chan struct{})
		defer close(disk.hang)
		n.askSnapshot()
		if err := <-fatal; !errors.Is(err, store.ErrStalled) {
			t.Errorf("fatal: %v", err)
		}
		if err := n.Close(); !errors.Is(err, store.ErrStalled) {
			t.Errorf("close: %v", err)
		}
	})
}
