package session

import (
	"sync"
	"sync/atomic"
	"time"

	"zkd/internal/mutant"
)

// Tracker is the expiry clock of one server (SessionTrackerImpl, ExpiryQueue):
// sessions wait in buckets of one tick, so one ends between its timeout and a
// tick more after it was last heard of. A bucket is looked at when it is due,
// and only then are the sessions in it that were heard of since moved on;
// touching a session is one atomic store. It may be used by many goroutines.
//
// Times are durations on a monotonic clock of the caller.
type Tracker struct {
	tick time.Duration

	mu      sync.Mutex
	entries map[ID]*Entry
	buckets map[int64]map[ID]*Entry // by due time in ticks
	next    int64                   // the next bucket to look at, in ticks
}

// Entry is the tracker's view of a session, for its connection to touch.
type Entry struct {
	id      ID
	from    uint64       // guarded by Tracker.mu: the server that heard it last, 0 if not known
	timeout atomic.Int64 // ns
	touched atomic.Int64 // ns on the caller's clock
	bucket  int64        // guarded by Tracker.mu
	closing bool         // guarded by Tracker.mu
}

// Touch notes that the session was heard of.
func (e *Entry) Touch(now time.Duration) { e.touched.Store(int64(now)) }

// Heard notes that the session was heard of at some time in the past.
func (e *Entry) Heard(at time.Duration) {
	if heard := e.touched.Load(); heard < int64(at) {
		// Whoever touches it right now knows better.
		e.touched.CompareAndSwap(heard, int64(at))
	}
}

// Touched returns when the session was last heard of.
func (e *Entry) Touched() time.Duration { return time.Duration(e.touched.Load()) }

// Timeout returns how long the session may be silent.
func (e *Entry) Timeout() time.Duration { return time.Duration(e.timeout.Load()) }

// NewTracker returns a tracker whose clock stands at now.
func NewTracker(tick, now time.Duration) *Tracker {
	return &Tracker{
		tick: tick, next: int64(now/tick) + 1,
		entries: map[ID]*Entry{}, buckets: map[int64]map[ID]*Entry{},
	}
}

// Track starts or restarts a session's timer.
func (t *Tracker) Track(id ID, timeout, now time.Duration) *Entry {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.entries[id]
	if e == nil {
		e = &Entry{id: id}
		t.entries[id] = e
	} else {
		t.leave(e)
	}
	e.closing, e.from = false, 0
	e.timeout.Store(int64(timeout))
	e.Touch(now)
	t.enter(e)
	return e
}

// Heard notes that a session was heard of at some time in the past, by the server
// from, where its timeout is this. A session that is not tracked stays so.
func (t *Tracker) Heard(id ID, from uint64, timeout, at time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.entries[id]
	if e == nil {
		return
	}
	if e.Touched() <= at {
		e.from = from
	}
	e.Heard(at)
	if e.timeout.Load() != int64(timeout) {
		e.timeout.Store(int64(timeout))
		t.leave(e)
		t.enter(e)
	}
}

// Last returns when a session was last heard of, and by which other server; 0 if
// that was none, or is not known.
func (t *Tracker) Last(id ID) (at time.Duration, from uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.entries[id]; e != nil {
		return e.Touched(), e.from
	}
	return 0, 0
}

// Restart begins anew at now, as NewTracker does, with a full timeout for each
// session that is tracked.
func (t *Tracker) Restart(now time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.next = int64(now/t.tick) + 1
	clear(t.buckets)
	for _, e := range t.entries {
		e.closing = false
		e.Touch(now)
		t.enter(e)
	}
}

// Retain forgets all sessions but those that keep names.
func (t *Tracker) Retain(keep func(ID) bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for id, e := range t.entries {
		if !keep(id) {
			t.leave(e)
			delete(t.entries, id)
		}
	}
}

// Forget stops a session's timer.
func (t *Tracker) Forget(id ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.entries[id]; e != nil {
		t.leave(e)
		delete(t.entries, id)
	}
}

// Len returns the number of sessions tracked.
func (t *Tracker) Len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.entries)
}

// Deadlines returns when each session expires unless it is heard of.
func (t *Tracker) Deadlines() map[ID]time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make(map[ID]time.Duration, len(t.entries))
	for id, e := range t.entries {
		all[id] = time.Duration(t.due(e)) * t.tick
	}
	return all
}

// due returns the bucket in which e expires if it is not heard of again.
func (t *Tracker) due(e *Entry) int64 {
	deadline := time.Duration(e.touched.Load() + e.timeout.Load())
	if mutant.Is(mutant.Timeout) {
		return int64(deadline / t.tick)
	}
	return int64(deadline/t.tick) + 1
}

func (t *Tracker) enter(e *Entry) {
	e.bucket = max(t.due(e), t.next)
	t.put(e)
}

func (t *Tracker) leave(e *Entry) {
	b := t.buckets[e.bucket]
	delete(b, e.id)
	if len(b) == 0 {
		delete(t.buckets, e.bucket)
	}
}

// Expired returns the sessions whose time is up. Each is returned once; it
// stays known, and closing, until it is tracked anew or forgotten. Call it
// every tick: when it is called late, because this server was stalled, every
// session gets the missing time back before it is judged, since its
// heartbeats may be waiting unread.
func (t *Tracker) Expired(now time.Duration) (ids []ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	last := int64(now / t.tick)
	if late := now - time.Duration(t.next)*t.tick; late > t.tick {
		t.giveBack(late, now)
	}
	for ; t.next <= last; t.next++ {
		b := t.buckets[t.next]
		delete(t.buckets, t.next)
		for id, e := range b {
			switch due := t.due(e); {
			case due > t.next:
				e.bucket = due
				t.put(e)
			case !e.closing:
				e.closing = true
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// giveBack moves on what was last heard of every session by the time in which
// nobody could have been heard.
func (t *Tracker) giveBack(late, now time.Duration) {
	if mutant.Is(mutant.Stall) {
		return
	}
	for _, e := range t.entries {
		heard := e.touched.Load()
		// A session that is being touched right now needs nothing.
		e.touched.CompareAndSwap(heard, min(heard+int64(late), int64(now)))
	}
}

func (t *Tracker) put(e *Entry) {
	b := t.buckets[e.bucket]
	if b == nil {
		b = map[ID]*Entry{}
		t.buckets[e.bucket] = b
	}
	b[e.id] = e
}
