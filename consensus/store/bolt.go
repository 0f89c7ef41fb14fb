package store

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
	"go.etcd.io/bbolt"
)

const (
	boltLogName = "raft.db"

	// boltDeleteStep bounds one deletion transaction: bbolt holds all pages it
	// touches in memory, and appends wait for it.
	boltDeleteStep = 1024
)

// boltLog is the log in one bbolt file. Unlike raft-wal it makes two syncs per
// append and never shrinks; it has a decade of use behind it.
type boltLog struct {
	*raftboltdb.BoltStore
	files files
	path  string
	salt  uint32
	count *counters
}

// boltOptions: the free list is rebuilt at open instead of written with each
// commit, and kept in a map, or appends slow down as it grows.
func boltOptions(noSync bool) *bbolt.Options {
	return &bbolt.Options{
		NoFreelistSync: true, FreelistType: bbolt.FreelistMapType, NoSync: noSync,
		Timeout: time.Second, // our own lock is held: a wait here means somebody ignores it
	}
}

func openBolt(s *Store, salt uint32, created bool) (*boltLog, error) {
	b := &boltLog{files: s.files, path: filepath.Join(s.opt.LogDir, boltLogName), salt: salt, count: &s.counters}
	open := func(path string) error {
		return guard(func() (err error) {
			b.BoltStore, err = raftboltdb.New(raftboltdb.Options{
				Path: path, NoSync: s.opt.NoSync, BoltOptions: boltOptions(s.opt.NoSync),
			})
			return err
		})
	}
	if err := s.files.settleBoltFile(b.path, created, s.files.syncFile, func(tmp string) error {
		if err := open(tmp); err != nil {
			return err
		}
		return b.BoltStore.Close()
	}); err != nil {
		return nil, err
	}
	if err := open(b.path); err != nil {
		return nil, fmt.Errorf("store: open log %s: %w", b.path, err)
	}
	if err := b.audit(); err != nil {
		b.BoltStore.Close()
		return nil, err
	}
	return b, nil
}

// settleBoltFile checks a bbolt file that must exist, or makes it: under
// another name first, synced, reopened and checked, because a power failure
// during bbolt's very first writes can leave a file that looks initialised
// (etcd#16596).
func (d files) settleBoltFile(path string, created bool, settle func(path string) error, fill func(tmp string) error) error {
	there, err := exists(path)
	if err != nil {
		return err
	}
	if there {
		// A process that was killed, or that could not sync, may have left its
		// last transaction in the page cache only, and it counts from here on.
		if err := settle(path); err != nil {
			return err
		}
		return d.checkBoltFile(path)
	}
	if created {
		return fmt.Errorf("store: %s is missing from a directory that had it: %w", path, ErrCorrupt)
	}
	tmp := path + ".tmp"
	if err := d.removeAll(tmp); err != nil {
		return fmt.Errorf("store: remove %s: %w", tmp, err)
	}
	if err := d.do(OpCommit, tmp, func() error { return fill(tmp) }); err != nil {
		return fmt.Errorf("store: create %s: %w", tmp, diskFull(err))
	}
	if err := d.checkBoltFile(tmp); err != nil {
		return err
	}
	if err := d.rename(tmp, path); err != nil {
		return fmt.Errorf("store: rename %s: %w", tmp, err)
	}
	return d.syncDir(filepath.Dir(path))
}

// audit reads and verifies every entry.
func (b *boltLog) audit() error {
	var first, last uint64
	err := guard(func() (err error) {
		if first, err = b.FirstIndex(); err != nil {
			return err
		}
		last, err = b.LastIndex()
		return err
	})
	if err != nil {
		return fmt.Errorf("store: audit log %s: %w", b.path, err)
	}
	for i := first; i <= last && last > 0; i++ {
		var l raft.Log
		err := guard(func() error { return b.GetLog(i, &l) })
		if err == nil && l.Index != i {
			err = fmt.Errorf("%w: the record there is entry %d", ErrCorrupt, l.Index)
		}
		if err == raft.ErrLogNotFound {
			err = fmt.Errorf("%w: it is missing between %d and %d", ErrCorrupt, first, last)
		}
		if err != nil {
			return fmt.Errorf("store: audit log %s: entry %d: %w", b.path, i, err)
		}
	}
	return nil
}

func (b *boltLog) StoreLogs(logs []*raft.Log) error {
	b.count.syncs.Add(1)
	return b.files.do(OpCommit, b.path, func() error { return b.BoltStore.StoreLogs(logs) })
}

func (b *boltLog) DeleteRange(lo, hi uint64) error {
	return b.files.do(OpCommit, b.path, func() error { return b.BoltStore.DeleteRange(lo, hi) })
}

func (b *boltLog) GetLog(index uint64, l *raft.Log) error {
	var raw raft.Log
	err := b.files.do(OpRead, b.path, func() error { return b.BoltStore.GetLog(index, &raw) })
	if err != nil {
		if err != raft.ErrLogNotFound {
			err = fmt.Errorf("%w: %w", ErrCorrupt, err)
		}
		return err
	}
	return decodeRecord(raw.Data, b.salt, l)
}

func (b *boltLog) file(uint64) string  { return b.path }
func (b *boltLog) locate(uint64) error { return nil }
func (b *boltLog) deleteStep() uint64  { return boltDeleteStep }

func (b *boltLog) bytesOnDisk() int64 {
	fi, err := os.Stat(b.path)
	if err != nil {
		return 0
	}
	return fi.Size()
}
