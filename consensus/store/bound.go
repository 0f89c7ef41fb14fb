package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"os"
	"path/filepath"
)

// The bound file remembers a last index that was durable once. It is the second
// alarm beside the audit: it notices a log whose end is gone without a trace
// (truncated file, older copy, zeroed blocks).
//
//	0      1      2      3      4      5      6      7      8
//	+------+------+------+------+------+------+------+------+
//	| magic "zkdB"              | vers | zero               |   0
//	+------+------+------+------+------+------+------+------+
//	| last index                                            |   8
//	+------+------+------+------+------+------+------+------+
//	| CRC32C of 0..15           |                              16
//	+------+------+------+------+
//
// Raising it is a plain write, without a sync: any older version that survives
// is still a lower bound. Lowering it, before entries are cut off the end, is
// synced first, or a crash in between would look like lost entries.
const (
	boundName  = "bound"
	boundSize  = 20
	boundMagic = "zkdB\x01\x00\x00\x00"

	// A raise, unsynced, comes after this many entries or bytes.
	boundEvery      = 512
	boundEveryBytes = 4 * mib
)

type bound struct {
	files files
	path  string

	mu  mutex
	f   *os.File
	val uint64
}

func openBound(d files, dir string, log *slog.Logger) (*bound, error) {
	b := &bound{files: d, path: filepath.Join(dir, boundName), mu: newMutex()}
	f, err := b.open()
	if err != nil {
		return nil, fmt.Errorf("store: open %s: %w", b.path, err)
	}
	b.f = f
	var buf [boundSize + 1]byte
	n, err := d.reader(f).ReadAt(buf[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		f.Close()
		return nil, fmt.Errorf("store: read %s: %w", b.path, err)
	}
	// A process that was killed, or that could not sync, may have lowered it.
	if err = d.renew(f); err == nil {
		err = d.sync(f)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("store: sync %s: %w", b.path, err)
	}
	v, err := decodeBound(buf[:n])
	if err != nil {
		// Only an alarm is lost, and an unsynced write may be torn by a power
		// failure: go on, and start it afresh.
		log.Warn("the durable-index file is unreadable and is made anew", "file", b.path, "err", err)
	}
	b.val = v
	return b, nil
}

// open makes the file if it is not there.
func (b *bound) open() (*os.File, error) {
	f, err := os.OpenFile(b.path, os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return b.files.create(b.path, os.O_RDWR)
	}
	return f, err
}

func decodeBound(b []byte) (uint64, error) {
	switch {
	case len(b) == 0:
		return 0, nil
	case len(b) != boundSize, string(b[:8]) != boundMagic,
		crc32.Checksum(b[:16], castagnoli) != binary.LittleEndian.Uint32(b[16:]):
		return 0, fmt.Errorf("%w: %d bytes", ErrCorrupt, len(b))
	}
	return binary.LittleEndian.Uint64(b[8:]), nil
}

func (b *bound) get() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.val
}

// raise notes that entries up to v are durable. A failure weakens an alarm and
// nothing else, so it is ignored.
func (b *bound) raise(v uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.f != nil && v > b.val && b.write(v) == nil {
		b.val = v
	}
}

// lower makes sure, durably, that the bound is at most v.
func (b *bound) lower(v uint64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if v >= b.val {
		return nil
	}
	err := b.write(v)
	if err == nil {
		err = b.files.sync(b.f)
	}
	if err != nil {
		return fmt.Errorf("store: lower the durable index in %s to %d: %w", b.path, v, diskFull(err))
	}
	b.val = v
	return nil
}

func (b *bound) write(v uint64) error {
	buf := make([]byte, 0, boundSize)
	buf = append(buf, boundMagic...)
	buf = binary.LittleEndian.AppendUint64(buf, v)
	buf = binary.LittleEndian.AppendUint32(buf, crc32.Checksum(buf, castagnoli))
	_, err := b.files.writeAt(b.f, buf, 0)
	return err
}

// close syncs, so that a clean shutdown leaves an exact bound.
func (b *bound) close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.f == nil {
		return nil
	}
	err := b.files.sync(b.f)
	if cerr := b.f.Close(); err == nil {
		err = cerr
	}
	b.f = nil
	if err != nil {
		return fmt.Errorf("store: close %s: %w", b.path, err)
	}
	return nil
}
