package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
	"go.etcd.io/bbolt"
)

// What this file has reads files that may be damaged, and changes none of them.

// soundEntries calls fn for the entries of a log in their order, up to the first
// damage. It returns that, or the error of fn.
func (d files) soundEntries(o Options, fn func(*raft.Log) error) error {
	f, there, err := d.readFormat(o.Dir)
	if err == nil && !there {
		err = fmt.Errorf("store: %s is missing: %w", filepath.Join(o.Dir, formatName), ErrCorrupt)
	}
	if err != nil {
		return err // without it no checksum can be told right
	}
	if f.engine == EngineBolt {
		return d.soundBolt(filepath.Join(o.LogDir, boltLogName), f.salt(), fn)
	}
	return d.soundSegments(o.LogDir, f.salt(), fn)
}

// piece is one segment of a log.
type piece struct {
	path     string
	base, id uint64
	last     uint64 // no entry behind this counts: the next segment begins there
}

// soundSegments goes by the names of the segments. Their list may be damaged,
// and says less than that only of entries that were replaced by others.
func (d files) soundSegments(dir string, salt uint32, fn func(*raft.Log) error) error {
	paths, err := filepath.Glob(filepath.Join(dir, "*.wal"))
	if err != nil {
		return err
	}
	var all []piece
	for _, path := range paths { // in the order of their entries
		p := piece{path: path, last: math.MaxUint64}
		if _, err := fmt.Sscanf(filepath.Base(path), "%020d-%016x.wal", &p.base, &p.id); err != nil {
			return fmt.Errorf("store: %w: %s is not a segment's name", ErrCorrupt, path)
		}
		for len(all) > 0 && all[len(all)-1].base == p.base {
			all = all[:len(all)-1] // it was begun anew
		}
		if len(all) > 0 {
			all[len(all)-1].last = p.base - 1
		}
		all = append(all, p)
	}
	if len(all) == 0 {
		return fmt.Errorf("store: %w: there is no log in %s", ErrCorrupt, dir)
	}
	for i, p := range all {
		if err := d.soundSegment(p, salt, i == len(all)-1, fn); err != nil {
			return err
		}
	}
	return nil
}

func (d files) soundSegment(p piece, salt uint32, open bool, fn func(*raft.Log) error) error {
	f, err := os.Open(p.path)
	if err != nil {
		return err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return err
	}
	s, err := scanSegment(d.reader(f), fi.Size(), p.base, salt)
	if err != nil {
		return fmt.Errorf("store: read segment %s: %w: %w", p.path, ErrCorrupt, err)
	}
	block := make([]byte, s.good)
	if _, err := d.reader(f).ReadAt(block, 0); err != nil {
		return fmt.Errorf("store: read segment %s: %w: %w", p.path, ErrCorrupt, err)
	}
	if err := eachEntry(block, salt, p.last, fn); err != nil {
		return err
	}
	if open && s.detail == nil {
		rest, err := readRest(d.reader(f), s.good, fi.Size())
		if err == nil && len(rest) > 0 {
			err = judgeTail(rest, s, p.base+s.entries, salt)
		}
		return err // none where an append was torn
	}
	if s.why != stopZero || s.indexStart == 0 {
		return fmt.Errorf("store: segment %s: %w: %s", p.path, ErrCorrupt, s)
	}
	return nil
}

// eachEntry calls fn for the entries in the sound batches of a segment.
func eachEntry(block []byte, salt uint32, last uint64, fn func(*raft.Log) error) error {
	for at := segHeader; at+frameHeader <= len(block); {
		kind, n := binary.LittleEndian.Uint32(block[at:]), int(binary.LittleEndian.Uint32(block[at+4:]))
		at += frameHeader
		if kind == frameCommit {
			continue
		}
		if kind == frameEntry {
			var l raft.Log
			if err := decodeRecord(block[at:at+n], salt, &l); err != nil {
				return err
			}
			if l.Index > last {
				return nil
			}
			if err := fn(&l); err != nil {
				return err
			}
		}
		at += (n + 7) &^ 7
	}
	return nil
}

func (d files) soundBolt(path string, salt uint32, fn func(*raft.Log) error) error {
	if err := d.checkBoltFile(path); err != nil {
		return err
	}
	var b *raftboltdb.BoltStore
	err := guard(func() (err error) {
		b, err = raftboltdb.New(raftboltdb.Options{Path: path, BoltOptions: &bbolt.Options{ReadOnly: true, Timeout: boltOptions(false).Timeout}})
		return err
	})
	if err != nil {
		return fmt.Errorf("store: read log %s: %w: %w", path, ErrCorrupt, err)
	}
	defer b.Close()
	first, err := b.FirstIndex()
	if err != nil {
		return err
	}
	last, err := b.LastIndex()
	if err != nil {
		return err
	}
	for i := first; i <= last && last > 0; i++ {
		var raw, l raft.Log
		err := guard(func() error { return b.GetLog(i, &raw) })
		if err == nil {
			err = decodeRecord(raw.Data, salt, &l)
		}
		if err != nil {
			return fmt.Errorf("store: log %s: entry %d: %w: %w", path, i, ErrCorrupt, err)
		}
		if err := fn(&l); err != nil {
			return err
		}
	}
	return nil
}

// readVoteOf reads the vote without opening the file for more than that.
func readVoteOf(path string) (v vote, err error) {
	err = guard(func() error {
		db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true, Timeout: boltOptions(false).Timeout})
		if err != nil {
			return err
		}
		err = db.View(func(tx *bbolt.Tx) (err error) {
			b := tx.Bucket(stableBucket)
			if b == nil {
				return fmt.Errorf("%w: a bucket is missing", ErrCorrupt)
			}
			v, err = decodeVote(slices.Clone(b.Get(voteKey)))
			return err
		})
		return errors.Join(err, db.Close())
	})
	return v, err
}
