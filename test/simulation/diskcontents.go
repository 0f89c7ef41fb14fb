package simulation

import (
	"bytes"
	"errors"
	"io"
	"os"
	"slices"
)

// sectorSize is what a disk writes whole or not at all.
const sectorSize = 512

// inode is a file, whatever its name, with what was written to it and not synced.
type inode struct {
	dir     bool
	patches []*patch
	grave   string // where it is kept since it has no name any more
}

// patch is one write that is not durable: what was there before.
type patch struct {
	off      int64
	old      []byte
	size     int64 // of the file, before
	inflight bool  // any part of it, from its beginning, may have reached the page cache
	unborn   bool  // nothing of it has
	doomed   bool  // a sync has failed: the kernel thinks that it is clean
	meta     bool  // it is a commit's meta page
}

// newPatch notes n bytes at off, which are about to change.
func newPatch(path string, off int64, n int) (*patch, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return nil, err
	}
	p := &patch{off: off, old: make([]byte, n), size: fi.Size(), inflight: true}
	if _, err := f.ReadAt(p.old, off); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return p, nil
}

// synced forgets writes that have become durable.
func (ino *inode) synced(due []*patch) {
	ino.patches = slices.DeleteFunc(ino.patches, func(p *patch) bool { return !p.doomed && slices.Contains(due, p) })
}

// doom is a sync that fails.
func (ino *inode) doom() {
	for _, p := range ino.patches {
		p.doomed = true
	}
}

// redeem is a write over others whose sync has failed: the next sync includes what it covers of them.
func (ino *inode) redeem(by *patch) {
	var all []*patch
	for _, p := range ino.patches {
		if !p.doomed {
			all = append(all, p)
			continue
		}
		before, rest := p.cut(by.off)
		within, after := rest.cut(by.off + int64(len(by.old)))
		within.doomed = false
		for _, part := range []*patch{before, within, after} {
			if len(part.old) > 0 || part == within && len(p.old) == 0 { // which is a new file
				all = append(all, part)
			}
		}
	}
	ino.patches = all
}

// cut returns p up to an offset and from there on. Either may be empty.
func (p *patch) cut(at int64) (before, after *patch) {
	n := min(max(at-p.off, 0), int64(len(p.old)))
	before, after = new(patch), new(patch)
	*before, *after = *p, *p
	before.old, after.old, after.off = p.old[:n:n], p.old[n:], p.off+n
	return before, after
}

// boltMeta is how many bytes the two meta pages of bbolt have.
const boltMeta = 2 * 4096

// changed adds what is different from old as a commit whose syncs are still to come.
func (ino *inode) changed(path string, old []byte) error {
	now, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	size := int64(len(old))
	if len(old) < len(now) {
		old = append(bytes.Clone(old), make([]byte, len(now)-len(old))...)
	}
	for at := 0; at < len(now); at += sectorSize {
		end := min(at+sectorSize, len(now))
		if !bytes.Equal(old[at:end], now[at:end]) {
			ino.patches = append(ino.patches, &patch{
				off: int64(at), old: bytes.Clone(old[at:end]), size: size, unborn: true, meta: at < boltMeta && size > 0,
			})
		}
	}
	return nil
}

// begin lets the pages of a commit be written, or its meta page.
func (ino *inode) begin(meta bool) {
	for _, p := range ino.patches {
		if p.meta == meta {
			p.unborn = false
		}
	}
}

// end makes them durable.
func (ino *inode) end(meta bool) {
	kept := ino.patches[:0]
	for _, p := range ino.patches {
		if p.meta != meta {
			kept = append(kept, p)
		}
	}
	ino.patches = kept
}
