package store

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/raft-wal/segment"
	"github.com/hashicorp/raft-wal/types"

	"zkd/internal/mutant"
)

// auditWAL reads all segments before raft-wal does. raft-wal assumes that what
// was synced stays as it was, and takes the first unreadable frame of the
// active segment for the end of the log: rot in its middle would silently drop
// acknowledged entries. After the audit the active segment is sound up to its
// last batch and zero behind it, so raft-wal's own recovery has nothing to
// decide.
func (d files) auditWAL(dir string, salt, segmentSize uint32, created bool, log *slog.Logger) error {
	meta := filepath.Join(dir, walMetaName)
	there, err := exists(meta)
	if err != nil {
		return err
	}
	if !there {
		// raft-wal would make a new list and remove all segments.
		if created {
			return fmt.Errorf("store: %s is missing from a directory that had it: %w", meta, ErrCorrupt)
		}
		return nil
	}
	return d.auditSegments(&walMeta{files: d, dir: dir, failed: func(error) {}}, dir, salt, segmentSize, log)
}

func (d files) auditSegments(db *walMeta, dir string, salt, segmentSize uint32, log *slog.Logger) error {
	meta := filepath.Join(dir, walMetaName)
	state, err := db.Load(dir)
	if err != nil {
		return err
	}
	if err := checkNewer(dir, state.NextSegmentID); err != nil {
		return err
	}
	for i, info := range state.Segments {
		if i > 0 && info.BaseIndex != state.Segments[i-1].MaxIndex+1 {
			return fmt.Errorf("store: read segment list %s: %w: segment %d starts at %d, after %d",
				meta, ErrCorrupt, info.ID, info.BaseIndex, state.Segments[i-1].MaxIndex)
		}
		path := filepath.Join(dir, segment.FileName(info))
		if !info.SealTime.IsZero() {
			if err := d.auditSealed(path, info, salt); err != nil {
				return err
			}
			continue
		}
		if i != len(state.Segments)-1 {
			return fmt.Errorf("store: read segment list %s: %w: segment %d is open but not the last", meta, ErrCorrupt, info.ID)
		}
		found, err := d.auditActive(path, info, salt, log)
		if err != nil {
			return err
		}
		if found.indexStart != 0 {
			return finishRotation(db, state, found, segmentSize)
		}
	}
	return nil
}

// checkNewer refuses a segment list that is older than the segments: ids are
// made durable before their files appear. raft-wal would remove the files.
func checkNewer(dir string, next uint64) error {
	paths, err := filepath.Glob(filepath.Join(dir, "*.wal"))
	if err != nil {
		return fmt.Errorf("store: list segments in %s: %w", dir, err)
	}
	for _, path := range paths {
		var base, id uint64
		if _, err := fmt.Sscanf(filepath.Base(path), "%020d-%016x.wal", &base, &id); err != nil {
			return fmt.Errorf("store: list segments: %w: %s is not a segment's name", ErrCorrupt, path)
		}
		if id >= next {
			return fmt.Errorf("store: %w: segment %s is newer than the list in %s", ErrCorrupt, path, walMetaName)
		}
	}
	return nil
}

// openSegment scans a segment file. os.ErrNotExist passes through.
func (d files) openSegment(path string, info types.SegmentInfo, salt uint32) (*os.File, int64, scan, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, 0, scan{}, fmt.Errorf("store: audit segment: %w", err)
	}
	fi, err := f.Stat()
	var s scan
	if err == nil {
		s, err = scanSegment(d.reader(f), fi.Size(), info.BaseIndex, salt)
	}
	if err != nil {
		f.Close()
		return nil, 0, s, fmt.Errorf("store: audit segment %s: %w", path, err)
	}
	return f, fi.Size(), s, nil
}

func (d files) auditSealed(path string, info types.SegmentInfo, salt uint32) error {
	f, _, s, err := d.openSegment(path, info, salt)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if err != nil {
		return err
	}
	f.Close()
	switch {
	case errors.Is(s.detail, ErrEngine):
		return fmt.Errorf("store: audit segment %s: %w", path, s.detail)
	case s.why != stopZero || s.at-s.good >= frameHeader:
		return fmt.Errorf("store: audit segment %s: %w: %s", path, ErrCorrupt, s)
	case s.indexStart != info.IndexStart || info.BaseIndex+s.entries-1 < info.MaxIndex:
		return fmt.Errorf("store: audit segment %s: %w: it ends at offset %d with entry %d, index block at %d; the segment list says entry %d, index block at %d",
			path, ErrCorrupt, s.good, info.BaseIndex+s.entries-1, s.indexStart, info.MaxIndex, info.IndexStart)
	}
	return nil
}

// auditActive checks the segment that was being written and cuts a torn last
// batch off. The file may be missing: raft-wal lists a segment first.
func (d files) auditActive(path string, info types.SegmentInfo, salt uint32, log *slog.Logger) (scan, error) {
	f, size, s, err := d.openSegment(path, info, salt)
	if errors.Is(err, os.ErrNotExist) {
		return scan{}, nil
	}
	if err != nil {
		return s, err
	}
	defer f.Close()
	if errors.Is(s.detail, ErrEngine) { // no damage, to be set aside
		return s, fmt.Errorf("store: audit segment %s: %w", path, s.detail)
	}
	rest, err := readRest(d.reader(f), s.good, size)
	if err != nil {
		return s, fmt.Errorf("store: audit segment %s: %w", path, err)
	}
	if len(rest) == 0 {
		return s, nil
	}
	if err := judgeTail(rest, s, info.BaseIndex+s.entries, salt); err != nil && !mutant.Is(mutant.Rot) {
		return s, fmt.Errorf("store: audit segment %s: %w", path, err)
	}
	log.Debug("cutting off a torn append", "file", path, "offset", s.good, "bytes", len(rest))
	if _, err = d.writeAt(f, make([]byte, len(rest)), s.good); err == nil {
		err = d.sync(f)
	}
	if err != nil {
		return s, fmt.Errorf("store: cut torn append off segment %s: %w", path, err)
	}
	return s, nil
}

// finishRotation completes a rotation that a crash, or just Close, cut short:
// the segment has its index block, the list does not know. raft-wal reopens
// such a segment as the active one and then refuses every append to it.
func finishRotation(db *walMeta, state types.PersistentState, s scan, size uint32) error {
	tail := &state.Segments[len(state.Segments)-1]
	tail.SealTime = time.Now()
	tail.MaxIndex = tail.BaseIndex + s.entries - 1
	tail.IndexStart = s.indexStart
	next := types.SegmentInfo{
		ID: state.NextSegmentID, BaseIndex: tail.MaxIndex + 1, MinIndex: tail.MaxIndex + 1,
		Codec: tail.Codec, CreateTime: tail.SealTime, SizeLimit: size,
	}
	state.Segments = append(state.Segments, next)
	state.NextSegmentID++
	return db.CommitState(state)
}
