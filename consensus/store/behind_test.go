package store

import (
	"errors"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/raft"
)

// lateDisk is a disk whose syncs wait to be let go.
type lateDisk struct {
	syncs atomic.Int64
	gate  chan error // what each sync comes to; nil: they need not wait
}

func (d *lateDisk) disk() Disk {
	return &faulty{around: func(op Op, do func() error) error {
		if op.Kind != OpSync || !strings.HasSuffix(op.Path, ".wal") {
			return do()
		}
		if d.gate != nil {
			if err := <-d.gate; err != nil {
				return err
			}
		}
		defer d.syncs.Add(1)
		return do()
	}}
}

// openBehind opens a store that has synced once, and lets syncs come later.
func openBehind(t *testing.T, d *lateDisk, fatal func(error)) *Store {
	t.Helper()
	o := opts(t.TempDir(), EngineWAL)
	o.Disk, o.OnFatal = d.disk(), fatal
	s := mustOpen(t, o)
	s.SyncBehind(func() Sync { return AsLeader })
	mustStore(t, s, entry(1, 10))
	d.gate = make(chan error)
	return s
}

func TestSyncComesBehind(t *testing.T) {
	d := &lateDisk{}
	s := openBehind(t, d, nil)
	if got := s.Durable(); got != math.MaxUint64 {
		t.Fatalf("durable up to %d at first", got)
	}
	mustStore(t, s, batch(2, 3, 10)...)
	wantLog(t, s, 1, 4, 10) // for all who read it
	if got := s.Durable(); got != 1 {
		t.Errorf("durable up to %d before the sync", got)
	}
	if err := s.AwaitCounted(1); err != nil {
		t.Error(err)
	}
	before := s.Stats()
	settled := make(chan error, 1)
	go func() { settled <- s.AwaitCounted(4) }()
	stored := make(chan error)
	go func() { stored <- s.Log().StoreLogs(batch(5, 1, 10)) }()
	select {
	case d.gate <- nil:
	case <-settled:
		t.Fatal("it is durable, they say, and no sync has come")
	}
	if err := s.AwaitCounted(4); err != nil {
		t.Error(err)
	}
	if err := <-stored; err != nil {
		t.Error(err)
	}
	if got := s.Durable(); got != 4 {
		t.Errorf("durable up to %d, want 4: the next append waits for the sync before", got)
	}
	if after := s.Stats(); after.Appends != before.Appends+1 || after.Entries != before.Entries+3 {
		t.Errorf("counted %+v, before %+v", after, before)
	}
	d.gate <- nil
	if err := s.Settle(nil); err != nil {
		t.Error(err)
	}
}

// Nothing is written before what was written before it is durable: the audit at
// the start counts on one unsynced batch at most.
func TestOneBatchIsUnsynced(t *testing.T) {
	var unsynced, early atomic.Int64
	o := opts(t.TempDir(), EngineWAL)
	o.Disk = &faulty{around: func(op Op, do func() error) error {
		switch {
		case !strings.HasSuffix(op.Path, ".wal"):
		case op.Kind == OpWrite:
			if unsynced.Add(1) > 1 {
				early.Add(1)
			}
		case op.Kind == OpSync:
			defer unsynced.Store(0)
		}
		return do()
	}}
	s := mustOpen(t, o)
	s.SyncBehind(func() Sync { return AsLeader })
	for i := range uint64(100) {
		mustStore(t, s, entry(i+1, 10))
	}
	if n := early.Load(); n > 0 {
		t.Errorf("%d writes came before the sync of the one before", n)
	}
}

// Whatever is not a request is durable when it is stored.
func TestOnlyRequestsAreSyncedBehind(t *testing.T) {
	for _, kind := range []raft.LogType{raft.LogNoop, raft.LogBarrier, raft.LogConfiguration} {
		d := &lateDisk{}
		s := openBehind(t, d, nil)
		before := d.syncs.Load()
		close(d.gate)
		logs := batch(2, 2, 10)
		logs[1].Type = kind
		mustStore(t, s, logs...)
		if s.logs.behind.tail.Load() != nil || d.syncs.Load() != before+1 {
			t.Errorf("a batch with a %v is not durable", kind)
		}
	}
}

// The append that fills a segment is durable before the list of segments says so.
func TestSealingIsNotLeftBehind(t *testing.T) {
	d := &lateDisk{}
	s := openBehind(t, d, nil)
	close(d.gate)
	left := []bool{1: false}
	for i := uint64(2); s.logs.eng.file(i-1) == s.logs.eng.file(1); i++ {
		mustStore(t, s, entry(i, 20*kib))
		left = append(left, s.logs.eng.(*walLog).fs.left != nil)
		if err := s.Settle(nil); err != nil || i > 10 {
			t.Fatalf("entry %d: %v", i, err)
		}
	}
	n := len(left) // the last entry opened a segment, the one before filled the first
	if left[n-1] || left[n-2] || !left[2] {
		t.Errorf("left behind: %v", left[1:])
	}
}

// What the alarm file says is never more than what is durable.
func TestBoundWaitsForTheSync(t *testing.T) {
	d := &lateDisk{}
	s := openBehind(t, d, nil)
	mustStore(t, s, batch(2, boundEvery, 10)...)
	if got := s.bound.get(); got > 1 {
		t.Errorf("the bound is %d before the sync of what is behind 1", got)
	}
	d.gate <- nil
}

// The end of the log can be cut off while it is on its way to the disk. (That
// the cut waits for it no test can tell from its own sync of the segment.)
func TestDeletionDuringASync(t *testing.T) {
	d := &lateDisk{}
	s := openBehind(t, d, nil)
	mustStore(t, s, batch(2, 3, 10)...)
	deleted := make(chan error)
	go func() { deleted <- s.Log().DeleteRange(4, 4) }()
	d.gate <- nil
	close(d.gate)
	if err := <-deleted; err != nil {
		t.Fatal(err)
	}
	wantLog(t, s, 1, 3, 10)
}

// A sync that fails ends the store, and nobody takes it for durable.
func TestFailedSyncBehindIsFatal(t *testing.T) {
	d := &lateDisk{}
	told := make(chan error, 1)
	s := openBehind(t, d, func(err error) { told <- err })
	mustStore(t, s, batch(2, 1, 10)...)
	broken := errors.New("the disk is broken")
	d.gate <- broken
	wantErr(t, <-told, broken)
	wantErr(t, s.AwaitCounted(2), broken)
	wantErr(t, s.Settle(nil), broken)
	wantErr(t, s.Log().StoreLogs(batch(3, 1, 10)), broken)
	if got := s.Durable(); got != 1 {
		t.Errorf("durable up to %d", got)
	}
}

// A sync that hangs ends it too, and Close does not wait for it.
func TestHungSyncBehindIsFatal(t *testing.T) {
	o := opts(t.TempDir(), EngineWAL)
	o.hooks.stallWarn, o.hooks.stallFatal = 10*time.Millisecond, 300*time.Millisecond
	d := &lateDisk{}
	told := make(chan error, 1)
	o.Disk, o.OnFatal = d.disk(), func(err error) { told <- err }
	s := mustOpen(t, o)
	s.SyncBehind(func() Sync { return AsLeader })
	mustStore(t, s, entry(1, 10))
	d.gate = make(chan error)
	mustStore(t, s, entry(2, 10))
	wantErr(t, <-told, ErrStalled)
	wantErr(t, s.AwaitCounted(2), ErrStalled)
	wantErr(t, s.Close(), ErrStalled)
	close(d.gate)
}
