package store

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"

	"zkd/internal/mutant"
)

// behind syncs appends after StoreLogs has returned: those of a leader, so that
// the followers write and sync them at the same time, and those of a follower,
// so that it learns of a commit while its own disk is still at it (ADR 6). Until
// then the entries are in the log for all who read it, and whatever must not
// depend on them before they are durable asks Durable, or waits by AwaitCounted
// or Settle.
//
// There is one such append at a time: the next operation on the log waits for
// its sync. So a power failure finds at most one unsynced batch in the file, as
// it does without this, and the audit can tell it from damage.
type behind struct {
	fail *failure
	dog  *watchdog
	done func(*unsynced) // after its sync, before anybody is told

	may   atomic.Pointer[func() Sync] // nil: never
	tail  atomic.Pointer[unsynced]    // nil: all is durable
	work  chan *unsynced
	ended chan struct{} // closed when the goroutine has ended, nil without one
}

// Sync is when an append is synced, and what raft makes of it before that.
type Sync uint8

const (
	// AtOnce is before StoreLogs returns.
	AtOnce Sync = iota
	// AsLeader is behind StoreLogs, when a leader appends: raft counts its copy
	// towards a majority from then on.
	AsLeader
	// AsFollower is behind StoreLogs, when a follower appends: its copy counts when
	// the leader has its answer.
	AsFollower
)

// unsynced is an append on its way to the disk.
type unsynced struct {
	counted     bool // AsLeader
	file        *walFile
	first, last uint64
	bytes       int64
	written     time.Duration // what the write took
	synced      time.Duration // and the sync
	durable     chan struct{} // closed when it is
}

// start has appends synced behind from now on, while may allows it.
func (b *behind) start(may func() Sync) {
	b.work, b.ended = make(chan *unsynced, 1), make(chan struct{})
	go b.run()
	b.may.Store(&may)
}

// allows tells when a batch is synced. Only requests are put off: raft acts on an
// entry of its own as soon as it is stored.
func (b *behind) allows(logs []*raft.Log) Sync {
	may := b.may.Load()
	if may == nil {
		return AtOnce
	}
	for _, l := range logs {
		if l.Type != raft.LogCommand && !mutant.Is(mutant.Kind) {
			return AtOnce
		}
	}
	return (*may)()
}

// put hands over an append. The one before is durable.
func (b *behind) put(u *unsynced) {
	b.tail.Store(u)
	b.work <- u
}

func (b *behind) run() {
	defer close(b.ended)
	for u := range b.work {
		var err error
		b.dog.begin("sync", u.file.path)
		if !mutant.Is(mutant.Sync) {
			err = u.file.syncNow()
		}
		u.synced = b.dog.end()
		if err != nil || b.fail.check() != nil {
			return // nobody waits for u any more: they have heard of the failure
		}
		b.done(u)
		b.tail.Store(nil)
		close(u.durable)
	}
}

// settle returns when everything is durable that was appended before it was
// called. It fails if the store does, or when stop is closed, which may be nil.
func (b *behind) settle(stop <-chan struct{}) error { return b.await(b.tail.Load(), stop) }

// await is settle for one append, nil for none.
func (b *behind) await(u *unsynced, stop <-chan struct{}) error {
	if u == nil {
		return nil
	}
	select {
	case <-u.durable:
		return nil
	case <-b.fail.ch:
		return b.fail.err
	case <-stop:
		return ErrClosed
	}
}

// stop ends the goroutine, and waits for it.
func (b *behind) stop() {
	if b.ended == nil {
		return
	}
	b.may.Store(nil)
	close(b.work)
	<-b.ended
}

// SyncBehind lets StoreLogs return before its batch is durable, whenever may
// says so and the batch has nothing but requests. may is called by StoreLogs.
// It is called once, before raft is started; raft-boltdb has no use for it.
func (s *Store) SyncBehind(may func() Sync) {
	if s.opt.Engine == EngineWAL && !s.opt.NoSync {
		s.logs.behind.start(may)
	}
}

// Durable returns the entry up to which the log is durable, MaxUint64 if all
// of it is. A commit index that was read before it was called may be told to
// others up to there.
func (s *Store) Durable() uint64 {
	if u := s.logs.behind.tail.Load(); u != nil {
		return u.first - 1
	}
	return math.MaxUint64
}

// AwaitCounted returns when the entry, which must have been stored, is where raft
// takes it to be: durable here, if raft has counted this copy of it. A follower
// has counted none. It fails if the store does.
func (s *Store) AwaitCounted(index uint64) error {
	if u := s.logs.behind.tail.Load(); u != nil && u.counted && index >= u.first {
		return s.logs.behind.await(u, nil)
	}
	return nil
}

// Settle returns when everything is durable that was stored before it was
// called. It fails if the store does, or when stop is closed.
func (s *Store) Settle(stop <-chan struct{}) error { return s.logs.behind.settle(stop) }
