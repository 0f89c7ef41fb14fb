package store

import (
	"sync/atomic"
	"time"
)

// Stats are counters since Open, except where a field says otherwise.
type Stats struct {
	Appends      uint64        // StoreLogs batches that succeeded
	Entries      uint64        // entries in them
	Syncs        uint64        // fdatasync/fsync calls on the log; for bolt, transactions
	AppendTime   time.Duration // sum over Appends of the time for append and sync (fsynctime)
	AppendMax    time.Duration // longest of them
	BytesWritten uint64        // entry bytes handed to the log engine, envelopes included
	Reads        uint64        // entries that raft read back and the cache did not have
	LogBytes     int64         // size of the log files now (preallocated segments count in full)

	Snapshots         uint64    // snapshots completed
	SnapshotsDamaged  uint64    // snapshots set aside because a checksum failed on reading
	LastSnapshotIndex uint64    // newest snapshot, also one found at Open
	LastSnapshotTime  time.Time // when it was completed; zero if there is none
}

type counters struct {
	appends, entries, syncs, appendNs, appendMaxNs, bytes, reads atomic.Uint64

	snapshots, snapshotsDamaged, lastSnapIndex atomic.Uint64
	lastSnapMs                                 atomic.Int64
}

func (c *counters) appended(entries, bytes int, took time.Duration) {
	c.appends.Add(1)
	c.entries.Add(uint64(entries))
	c.bytes.Add(uint64(bytes))
	c.appendNs.Add(uint64(took))
	// Appends are serialised, so a plain compare and store is enough.
	if uint64(took) > c.appendMaxNs.Load() {
		c.appendMaxNs.Store(uint64(took))
	}
}

func (c *counters) snapshot(index uint64, ms int64) {
	c.lastSnapIndex.Store(index)
	c.lastSnapMs.Store(ms)
}

// Stats may be called at any time, also after a failure or Close.
func (s *Store) Stats() Stats {
	c := &s.counters
	st := Stats{
		Appends: c.appends.Load(), Entries: c.entries.Load(), Syncs: c.syncs.Load(),
		AppendTime: time.Duration(c.appendNs.Load()), AppendMax: time.Duration(c.appendMaxNs.Load()),
		BytesWritten: c.bytes.Load(), Reads: c.reads.Load(), LogBytes: s.logs.eng.bytesOnDisk(),
		Snapshots: c.snapshots.Load(), SnapshotsDamaged: c.snapshotsDamaged.Load(),
		LastSnapshotIndex: c.lastSnapIndex.Load(),
	}
	if ms := c.lastSnapMs.Load(); ms != 0 {
		st.LastSnapshotTime = time.UnixMilli(ms)
	}
	return st
}
