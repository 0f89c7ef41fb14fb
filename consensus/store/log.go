package store

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"time"

	"github.com/hashicorp/raft"

	"zkd/internal/mutant"
)

// engine is a log under our envelope. Its StoreLogs receives records in
// Log.Data, its GetLog returns decoded entries.
type engine interface {
	raft.LogStore
	io.Closer
	file(index uint64) string  // the file that holds index, for messages
	bytesOnDisk() int64        // size of the log's files
	locate(index uint64) error // after a failed read: where the damage is, nil if not found
	deleteStep() uint64        // entries one DeleteRange call may remove
}

// logStore is the raft.LogStore handed to raft.
type logStore struct {
	eng            engine
	salt           uint32
	fail           *failure
	bound          *bound
	count          *counters
	dog            *watchdog
	opt            *Options
	behind         behind
	cache          *logCache     // nil: none
	newestSnapshot func() uint64 // its index, 0 for none

	// sem is the writer's lock. It is a channel so that callers queued behind
	// an append that hangs in the kernel get away when the watchdog fires.
	sem chan struct{}

	// Guarded by sem.
	lastIndex uint64 // 0 while the log is empty
	space     space
	buf       []byte // records of the batch in progress, kept for the next
	shadow    []raft.Log
	ptrs      []*raft.Log
	slowAt    time.Time // last slow-append warning

	unboundEntries int // appended since the bound was raised
	unboundBytes   int64
}

// keepBuf is the largest encode buffer kept between batches.
const keepBuf = 8 * mib

func openLog(s *Store, f format, segment int64, created bool) (*logStore, error) {
	l := &logStore{
		salt: f.salt(), fail: s.fail, bound: s.bound, count: &s.counters, opt: &s.opt,
		cache: newLogCache(s.opt.CacheBytes),
		sem:   make(chan struct{}, 1),
		space: space{files: s.files, dir: s.opt.LogDir, min: s.opt.MinFreeBytes},
	}
	stalled := func(err error) { s.fail.fail(err) }
	l.dog = newWatchdog(&s.opt, s.log, stalled)
	l.behind.fail, l.behind.done = s.fail, l.synced
	l.behind.dog = newWatchdog(&s.opt, s.log, stalled)
	var err error
	if s.opt.Engine == EngineWAL {
		l.eng, err = openWAL(s, f.salt(), segment, created)
	} else {
		l.eng, err = openBolt(s, f.salt(), created)
	}
	if err != nil {
		return nil, err
	}
	if l.lastIndex, err = l.eng.LastIndex(); err != nil {
		l.eng.Close()
		return nil, fmt.Errorf("store: read last index of %s: %w", s.opt.LogDir, err)
	}
	return l, nil
}

// first and last are for Open and Close, when nobody appends.
func (l *logStore) first() uint64 { v, _ := l.eng.FirstIndex(); return v }
func (l *logStore) last() uint64  { return l.lastIndex }

func (l *logStore) acquire() error {
	if err := l.fail.check(); err != nil {
		return err
	}
	select {
	case l.sem <- struct{}{}:
	case <-l.fail.ch:
		return l.fail.err
	}
	if err := l.fail.check(); err != nil {
		<-l.sem
		return err
	}
	return nil
}

func (l *logStore) release() { <-l.sem }

// IsMonotonic tells raft that both engines refuse gaps. raft then empties the
// log when a snapshot is installed, which also does away with a conflicting
// local tail (raft#697).
func (l *logStore) IsMonotonic() bool { return true }

// FirstIndex returns 0 for an empty log.
func (l *logStore) FirstIndex() (uint64, error) { return l.edge("first", l.eng.FirstIndex) }

// LastIndex returns 0 for an empty log.
func (l *logStore) LastIndex() (uint64, error) { return l.edge("last", l.eng.LastIndex) }

func (l *logStore) edge(which string, read func() (uint64, error)) (v uint64, err error) {
	if err := l.fail.check(); err != nil {
		return 0, err
	}
	err = guard(func() error { v, err = read(); return err })
	if err != nil {
		return 0, l.fail.fail(fmt.Errorf("store: read %s index of the log in %s: %w", which, l.opt.LogDir, err))
	}
	return v, nil
}

// GetLog reads and verifies one entry. raft.ErrLogNotFound is returned bare,
// because raft compares with ==. The memory of a recent entry is shared with
// all who read it, and with the caller of StoreLogs: nobody may change it.
func (l *logStore) GetLog(index uint64, out *raft.Log) error {
	if err := l.fail.check(); err != nil {
		return err
	}
	if hit, err := l.cache.get(index, out); hit {
		return nil
	} else if err != nil {
		return l.fail.fail(err)
	}
	l.count.reads.Add(1)
	var got raft.Log
	err := l.read(index, &got)
	if err != nil && l.deletedMeanwhile(index) {
		return raft.ErrLogNotFound
	}
	if errors.Is(err, os.ErrClosed) { // it was deleted, and there is another again
		err = l.read(index, &got)
	}
	if errors.Is(err, raft.ErrLogNotFound) {
		return raft.ErrLogNotFound
	}
	if err == nil && got.Index != index {
		err = fmt.Errorf("%w: the record there is entry %d", ErrCorrupt, got.Index)
	}
	if err != nil {
		return l.readFailed(index, err)
	}
	*out = got
	return nil
}

func (l *logStore) read(index uint64, out *raft.Log) error {
	return guard(func() error { return l.eng.GetLog(index, out) })
}

// deletedMeanwhile tells whether a read may have failed because the entry was
// being deleted: raft-wal can close a segment's file between finding it for a
// reader and reading from it.
func (l *logStore) deletedMeanwhile(index uint64) (gone bool) {
	return guard(func() error {
		first, err := l.eng.FirstIndex()
		if err != nil {
			return err
		}
		last, err := l.eng.LastIndex()
		gone = index < first || index > last
		return err
	}) == nil && gone
}

func (l *logStore) readFailed(index uint64, err error) error {
	// Reads that race with Close fail for that reason and no other.
	if ferr := l.fail.check(); ferr != nil {
		return ferr
	}
	err = fmt.Errorf("store: read entry %d from %s: %w", index, l.eng.file(index), err)
	if where := l.eng.locate(index); where != nil {
		err = fmt.Errorf("%w (%v)", err, where)
	}
	return l.fail.fail(err)
}

// StoreLog appends one entry.
func (l *logStore) StoreLog(log *raft.Log) error { return l.StoreLogs([]*raft.Log{log}) }

// StoreLogs appends entries durably, with one sync, which may come behind (see
// SyncBehind). They must continue the log without a gap. Any error is fatal to
// the store: raft keeps counting entries it failed to append. What the entries
// point to may be kept and must not change any more.
func (l *logStore) StoreLogs(logs []*raft.Log) error {
	if len(logs) == 0 {
		return nil
	}
	if err := l.acquire(); err != nil {
		return err
	}
	defer l.release()
	if err := l.appendLocked(logs); err != nil {
		if standing := l.fail.check(); standing != nil {
			return standing // the cause; err is what followed from it
		}
		err = fmt.Errorf("store: append entries %d to %d to %s: %w",
			logs[0].Index, logs[len(logs)-1].Index, l.eng.file(logs[0].Index), diskFull(err))
		return l.fail.fail(err)
	}
	return nil
}

func (l *logStore) appendLocked(logs []*raft.Log) error {
	if !mutant.Is(mutant.Order) {
		if err := l.behind.settle(nil); err != nil {
			return err
		}
	}
	if err := l.resumeBehindSnapshot(logs[0].Index); err != nil {
		return err
	}
	size, err := l.admit(logs)
	if err != nil {
		return err
	}
	if err := l.space.take(size, time.Now()); err != nil {
		return err
	}
	if err := l.encode(logs, size); err != nil {
		return err
	}
	u := &unsynced{first: logs[0].Index, last: logs[len(logs)-1].Index, bytes: size}
	store := func() error { return l.eng.StoreLogs(l.ptrs) }
	if wal, ok := l.eng.(*walLog); ok {
		if when := l.behind.allows(logs); when != AtOnce {
			u.counted = when == AsLeader
			store = func() (err error) { u.file, err = wal.storeBehind(l.ptrs); return err }
		}
	}
	l.dog.begin("append to", l.opt.LogDir)
	err = guard(store)
	u.written = l.dog.end()
	l.drop()
	if err != nil {
		return err
	}
	// The watchdog may have given this append up meanwhile, or the rotation it
	// set off may have failed: then it must not be acknowledged.
	if err := l.fail.check(); err != nil {
		return err
	}
	l.lastIndex = u.last
	l.cache.put(logs)
	if u.file != nil {
		l.raiseBound(u, u.first-1)
		u.durable = make(chan struct{})
		l.behind.put(u)
		return nil
	}
	l.synced(u)
	l.raiseBound(u, u.last)
	return nil
}

// synced counts an append that is durable. Another has not begun.
func (l *logStore) synced(u *unsynced) {
	entries, took := int(u.last-u.first+1), u.written+u.synced
	l.count.appended(entries, int(u.bytes), took)
	l.warnSlow(took, entries, u.bytes)
}

// raiseBound moves the durable-index file along. It happens here, under the
// writer's lock, so that it cannot undo the lowering before a deletion.
func (l *logStore) raiseBound(u *unsynced, durable uint64) {
	if mutant.Is(mutant.Bound) {
		durable = u.last
	}
	l.unboundEntries += int(u.last - u.first + 1)
	l.unboundBytes += u.bytes
	if l.unboundEntries >= boundEvery || l.unboundBytes >= boundEveryBytes {
		l.dog.begin("write", l.bound.path)
		l.bound.raise(durable)
		l.dog.end()
		l.unboundEntries, l.unboundBytes = 0, 0
	}
}

// resumeBehindSnapshot empties a log that ends before the newest snapshot when
// the entry behind the snapshot comes. raft empties it itself when it has
// installed a snapshot, but not at a start after a crash in between: it then
// goes on behind the snapshot as if the log could have a gap. That it does so
// shows that it has restored the snapshot, so nothing is lost with the log.
func (l *logStore) resumeBehindSnapshot(next uint64) error {
	if l.lastIndex == 0 || next <= l.lastIndex+1 || l.newestSnapshot() != next-1 {
		return nil
	}
	first, err := l.eng.FirstIndex()
	if err != nil {
		return err
	}
	l.opt.Logger.Warn("the log ends before the newest snapshot and begins anew behind it", "first", first, "last", l.lastIndex, "next", next)
	return l.deleteLocked(first, first, l.lastIndex)
}

// admit checks indexes and sizes before anything is written.
func (l *logStore) admit(logs []*raft.Log) (size int64, err error) {
	next := l.lastIndex + 1
	if l.lastIndex == 0 {
		next = logs[0].Index // an empty log may start anywhere
	}
	for _, log := range logs {
		if log.Index != next || next == 0 || next == math.MaxUint64 {
			return 0, fmt.Errorf("entry has index %d where %d is next", log.Index, next)
		}
		if len(log.Data) > maxData {
			return 0, fmt.Errorf("entry %d has %d bytes, the most is %d", log.Index, len(log.Data), maxData)
		}
		next++
		size += int64(recordHeader + len(log.Data))
	}
	return size, nil
}

// encode fills l.ptrs with the records of logs, verifies the seals that came
// with them and makes the missing ones.
func (l *logStore) encode(logs []*raft.Log, size int64) error {
	if int64(cap(l.buf)) < size {
		l.buf = make([]byte, 0, size)
	}
	if cap(l.shadow) < len(logs) {
		l.shadow, l.ptrs = make([]raft.Log, len(logs)), make([]*raft.Log, len(logs))
	}
	l.buf, l.shadow, l.ptrs = l.buf[:0], l.shadow[:len(logs)], l.ptrs[:len(logs)]
	var fresh []byte // seals made here, one allocation for the batch
	for i, log := range logs {
		from := len(l.buf)
		l.buf = appendRecord(l.buf, l.salt, log, uint32(i))
		rec := l.buf[from:]
		if len(log.Extensions) == 0 {
			if fresh == nil {
				fresh = make([]byte, (len(logs)-i)*sealSize)
			}
			putSeal(fresh, uint32(len(log.Data)), recordSeal(rec))
			log.Extensions, fresh = fresh[:sealSize:sealSize], fresh[sealSize:]
		} else if err := checkSeal(log, recordSeal(rec)); err != nil {
			return err
		}
		l.shadow[i] = raft.Log{Index: log.Index, Term: log.Term, Type: log.Type, Data: rec}
		l.ptrs[i] = &l.shadow[i]
	}
	return nil
}

// drop forgets the batch, and the buffer too if one huge batch inflated it.
func (l *logStore) drop() {
	clear(l.shadow)
	if cap(l.buf) > keepBuf {
		l.buf = nil
	}
}

func (l *logStore) warnSlow(took time.Duration, entries int, size int64) {
	if l.opt.SlowSync <= 0 || took < l.opt.SlowSync {
		return
	}
	if now := time.Now(); now.Sub(l.slowAt) >= time.Second {
		l.slowAt = now
		l.opt.Logger.Warn("slow append", "took", took, "entries", entries, "bytes", size, "dir", l.opt.LogDir)
	}
}

// DeleteRange removes entries at one end of the log, both bounds inclusive. A
// range that would leave a hole is refused, and changes nothing.
func (l *logStore) DeleteRange(lo, hi uint64) error {
	if err := l.acquire(); err != nil {
		return err
	}
	defer l.release()
	if err := l.behind.settle(nil); err != nil {
		return err
	}
	first, err := l.eng.FirstIndex()
	if err == nil && (l.lastIndex == 0 || lo > hi || hi < first || lo > l.lastIndex) {
		return nil
	}
	if err == nil && lo > first && hi < l.lastIndex {
		return fmt.Errorf("store: delete entries %d to %d in %s: the log is %d to %d and must keep no hole",
			lo, hi, l.opt.LogDir, first, l.lastIndex)
	}
	lo, hi = max(lo, first), min(hi, l.lastIndex)
	if err == nil {
		err = l.deleteLocked(first, lo, hi)
	}
	if err == nil {
		err = l.forgotten(first, lo, hi)
	}
	if err != nil {
		return l.fail.fail(fmt.Errorf("store: delete entries %d to %d in %s: %w", lo, hi, l.opt.LogDir, diskFull(err)))
	}
	return nil
}

// forgotten finds the deletion after which raft cannot go on (raft#697): it has
// installed a snapshot and emptied the log, which went on behind the snapshot
// with entries that never came to count. raft still holds the last of them for
// the end of its log, and refuses all that a leader sends until it starts anew.
func (l *logStore) forgotten(first, lo, hi uint64) error {
	if newest := l.newestSnapshot(); lo == first && l.lastIndex == 0 && first <= newest && newest < hi {
		return fmt.Errorf("a snapshot of entry %d has replaced them, and raft still counts them: %w", newest, ErrRestart)
	}
	return nil
}

// deleteLocked removes lo..hi in steps, always from the outer end, so that a
// crash between two steps leaves a log without a hole.
func (l *logStore) deleteLocked(first, lo, hi uint64) error {
	suffix := hi == l.lastIndex
	if suffix {
		keep := lo - 1
		if lo == first {
			keep = 0
		}
		l.dog.begin("lower", l.bound.path)
		err := l.bound.lower(keep)
		l.dog.end()
		if err != nil {
			return err
		}
	}
	l.cache.drop(lo, hi)
	step := l.eng.deleteStep()
	for a, b := lo, hi; a <= b; {
		from, to := a, b
		if b-a >= step {
			if suffix {
				from = b - step + 1
			} else {
				to = a + step - 1
			}
		}
		l.dog.begin("delete entries in", l.opt.LogDir)
		err := guard(func() error { return l.eng.DeleteRange(from, to) })
		l.dog.end()
		if err != nil {
			return err
		}
		if suffix {
			b = from - 1
		} else {
			a = to + 1
		}
	}
	return l.checkDeleted(first, lo, hi)
}

// checkDeleted compares what is left with what must be left.
func (l *logStore) checkDeleted(first, lo, hi uint64) error {
	var wantFirst, wantLast uint64
	switch {
	case lo == first && hi == l.lastIndex:
	case lo == first:
		wantFirst, wantLast = hi+1, l.lastIndex
	default:
		wantFirst, wantLast = first, lo-1
	}
	gotFirst, err := l.eng.FirstIndex()
	if err != nil {
		return err
	}
	gotLast, err := l.eng.LastIndex()
	if err != nil {
		return err
	}
	if gotFirst != wantFirst || gotLast != wantLast {
		return fmt.Errorf("%w: the log is now %d to %d, not %d to %d", ErrCorrupt, gotFirst, gotLast, wantFirst, wantLast)
	}
	l.lastIndex = gotLast
	return l.fail.check()
}

// close waits for an append in progress.
func (l *logStore) close() error {
	l.sem <- struct{}{}
	defer l.release()
	l.behind.stop()
	if err := guard(l.eng.Close); err != nil {
		return fmt.Errorf("store: close the log in %s: %w", l.opt.LogDir, err)
	}
	return nil
}
