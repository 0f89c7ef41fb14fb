package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// sector is the unit a disk writes whole or not at all, the smallest in use.
const sector = 512

// readRest returns the bytes from offset to the last one that is not zero, in
// full frames; empty if there is none.
func readRest(f io.ReaderAt, offset, size int64) ([]byte, error) {
	last := int64(-1)
	buf := make([]byte, max(0, min(mib, size-offset)))
	for at := offset; at < size; {
		n, err := f.ReadAt(buf[:min(int64(len(buf)), size-at)], at)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		if n == 0 {
			break
		}
		if end := len(bytes.TrimRight(buf[:n], "\x00")); end > 0 {
			last = at + int64(end)
		}
		at += int64(n)
	}
	if last < 0 {
		return nil, nil
	}
	rest := make([]byte, min((last-offset+7)&^7, size-offset))
	_, err := f.ReadAt(rest, offset)
	return rest, err
}

// judgeTail decides what the bytes behind the last sound batch are. nil means a
// torn append: a crash hit while this one batch was being written, so nobody
// was told that it is durable. An error means rot.
//
// An append is one write followed by a sync, and the next begins only after
// that. So a torn batch lies behind synced ones, nothing lies behind it, and
// each of its sectors is as written or still zero (a write cut short by ENOSPC
// or a kill leaves zeros from any byte on). Rot breaks one of these:
//
//   - a record appended later than the batch that should come next; records
//     know their place in a batch, and their checksum has a seed no client knows;
//   - anything behind the batch's commit frame;
//   - a frame header that is neither zero nor possible, or that contradicts its record;
//   - a batch that fails its checksum although nothing of it is missing.
//
// next is the index the torn batch would start with.
func judgeTail(rest []byte, s scan, next uint64, salt uint32) error {
	if err := findLater(rest, s.good, next, salt); err != nil {
		return fmt.Errorf("%w: %s, but %w", ErrCorrupt, s, err)
	}
	stopped := s.at - s.good // within rest
	switch s.why {
	case stopZero:
		// Missing from here to the end, or just this sector.
		if stopped >= int64(len(rest)) || zeroSector(rest, s.good, stopped) {
			return nil
		}
		return fmt.Errorf("%w: the batch that begins at offset %d breaks off at offset %d although data follows", ErrCorrupt, s.good, s.at)
	case stopLength:
		// The file itself may be cut, where a batch ran past the preallocated
		// size. A wrong length was told from it by the record (stopFrame).
		return nil
	case stopCRC:
		batch := rest[:min(stopped+frameHeader, int64(len(rest)))]
		if len(rest) > len(batch) {
			return fmt.Errorf("%w: %s, with data behind it", ErrCorrupt, s)
		}
		if batch[len(batch)-1] == 0 || anyZeroSector(batch, s.good) {
			return nil
		}
	}
	return fmt.Errorf("%w: %s, although all of the batch that begins at offset %d is there", ErrCorrupt, s, s.good)
}

// findLater looks for records that were appended after the batch that starts
// with entry next. offset is where rest lies in the file.
func findLater(rest []byte, offset int64, next uint64, salt uint32) error {
	for at := 0; ; at++ {
		i := bytes.Index(rest[at:], []byte(recordMagic))
		if i < 0 {
			return nil
		}
		at += i
		if (offset+int64(at))%8 != 0 {
			continue
		}
		h, err := decodeHeader(rest[at:], salt)
		if err != nil {
			continue
		}
		if first := h.index - uint64(h.position); first != next {
			return fmt.Errorf("offset %d has entry %d of a batch that starts with %d, where %d is next",
				offset+int64(at), h.index, first, next)
		}
	}
}

// zeroSector reports whether the sector around rest[at] is missing: all of it
// that lies in rest is zero.
func zeroSector(rest []byte, offset, at int64) bool {
	from := (offset+at)/sector*sector - offset
	to := min(from+sector, int64(len(rest)))
	return allZero(rest[max(from, 0):to])
}

func anyZeroSector(rest []byte, offset int64) bool {
	for at := int64(0); at < int64(len(rest)); at = (offset+at)/sector*sector + sector - offset {
		if zeroSector(rest, offset, at) {
			return true
		}
	}
	return false
}

func allZero(b []byte) bool { return len(bytes.TrimLeft(b, "\x00")) == 0 }
