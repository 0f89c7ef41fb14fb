package store

import (
	"fmt"
	"sync"

	"github.com/hashicorp/raft"
)

const (
	// CacheBytes is the Options.CacheBytes for a server with peers. Followers
	// that keep up are a few entries behind, and an entry is a batch of some
	// hundred KiB at most under load: 32 MiB is far more than is in flight, and
	// little beside a tree of any size.
	CacheBytes = 32 * mib

	// cacheEntries bounds the cache where entries are small: raft sends up to
	// 64 in one message, so this is some 60 messages to fall behind by. The
	// slots for them take 400 KiB.
	cacheEntries = 4096

	// cacheSlack is how much more memory than data a cached entry may pin
	// before its data is copied: senders grow their buffers ahead.
	cacheSlack = 4 * kib
)

// logCache keeps the newest entries of the log in memory. The leader reads each
// entry once per follower, and a follower reads it back when it is committed:
// both soon after it was stored.
//
// Entry i is in slot i % len(slots) or nowhere. What is cached lies in
// [low, next), with holes where an entry was too large.
type logCache struct {
	limit int64

	mu        sync.RWMutex
	slots     []raft.Log // Index 0: empty
	bytes     int64
	low, next uint64
}

// newLogCache returns nil, which caches nothing, for a limit of 0.
func newLogCache(limit int64) *logCache {
	if limit == 0 {
		return nil
	}
	return &logCache{limit: limit, slots: make([]raft.Log, cacheEntries)}
}

// cost is the memory that an entry holds on to.
func cost(l *raft.Log) int64 { return int64(cap(l.Data) + cap(l.Extensions)) }

// put adds entries that are durable. They continue the log. Their Data and
// Extensions are shared, not copied: raft, its transport and the FSM only read
// them once StoreLogs was called.
func (c *logCache) put(logs []*raft.Log) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range logs {
		c.putLocked(*l)
	}
}

func (c *logCache) putLocked(l raft.Log) {
	if l.Index != c.next { // the log was empty, and may start anywhere
		c.dropLocked(c.low, c.next)
		c.low = l.Index
	}
	c.next = l.Index + 1
	if c.next-c.low > uint64(len(c.slots)) {
		c.evictLocked()
	}
	if cap(l.Data)-len(l.Data) > cacheSlack {
		l.Data = append(make([]byte, 0, len(l.Data)), l.Data...)
	}
	l.AppendedAt = l.AppendedAt.Round(0) // as read from disk: without the monotonic clock
	size := cost(&l)
	if size > c.limit/2 {
		// It would drive out what several followers may yet need, for the sake
		// of one read each that takes its time anyway.
		return
	}
	for c.bytes+size > c.limit {
		c.evictLocked()
	}
	c.bytes += size
	c.slots[l.Index%uint64(len(c.slots))] = l
}

// evictLocked drops the oldest entry.
func (c *logCache) evictLocked() {
	c.dropLocked(c.low, c.low+1)
	c.low++
}

// drop forgets lo to hi, which are at one end of the log.
func (c *logCache) drop(lo, hi uint64) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	lo, end := max(lo, c.low), min(hi+1, c.next)
	if lo >= end {
		return
	}
	c.dropLocked(lo, end)
	if lo == c.low {
		c.low = end
	} else {
		c.next = lo
	}
}

// dropLocked empties the slots of lo up to, but not including, end.
func (c *logCache) dropLocked(lo, end uint64) {
	for i := lo; i < end; i++ {
		slot := &c.slots[i%uint64(len(c.slots))]
		if slot.Index == i {
			c.bytes -= cost(slot)
			*slot = raft.Log{}
		}
	}
}

// get fills out and returns true if the entry is cached. It is verified like
// one from disk: what it holds is shared memory, and a leader must not ship
// what its followers would have to refuse.
func (c *logCache) get(index uint64, out *raft.Log) (bool, error) {
	if c == nil {
		return false, nil
	}
	c.mu.RLock()
	l := c.slots[index%uint64(len(c.slots))]
	c.mu.RUnlock()
	if index == 0 || l.Index != index {
		return false, nil
	}
	if err := VerifyEntry(&l); err != nil {
		return false, fmt.Errorf("store: entry %d has changed in memory since it was stored: %w", index, err)
	}
	*out = l
	return true, nil
}
