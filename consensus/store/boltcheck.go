package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
)

// bbolt maps its file and trusts it: a damaged page makes it read outside the
// mapping, on a goroutine where no recover can help. So each file is walked
// here first, with every offset checked. Layout, in the host's byte order
// (little-endian on all machines zkd runs on):
//
//	page    id (8) flags (2) count (2) overflow (4), then by flags:
//	meta    magic (4) version (4) page size (4) flags (4) root bucket (16)
//	        freelist page (8) pages in use (8) transaction (8) FNV-1a of all (8)
//	branch  count × { key offset (4) key length (4) page (8) }, keys
//	leaf    count × { flags (4) offset (4) key length (4) value length (4) }, data
//	bucket  root page (8) sequence (8), and an inline page if root page is 0
//
// Offsets count from the start of their own element.
const (
	boltPageHeader = 16
	boltElem       = 16
	boltMagic      = 0xED0CDAED
	boltVersion    = 2

	boltBranch, boltLeaf, boltMeta, boltFree = 0x01, 0x02, 0x04, 0x10

	boltNoFreelist = 1<<64 - 1
	boltMaxDepth   = 32
	boltMaxPage    = 1 << 30 // a page with its overflow; far above any entry
)

type boltFile struct {
	r        io.ReaderAt
	size     int64
	pageSize int64
	pages    uint64 // in use, by the newer meta page
	seen     map[uint64]bool
}

// checkBoltFile verifies the structure of a bbolt file; the values in it have
// checksums of their own.
func (d files) checkBoltFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("store: check %s: %w", path, err)
	}
	defer f.Close()
	fi, err := f.Stat()
	if err == nil {
		b := &boltFile{r: d.reader(f), size: fi.Size(), seen: map[uint64]bool{}}
		err = b.check()
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("%w: the file is cut short: %w", ErrCorrupt, err)
	}
	if err != nil {
		return fmt.Errorf("store: check %s: %w", path, err)
	}
	return nil
}

func corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrCorrupt}, args...)...)
}

// check requires both meta pages. bbolt would make do with one; but a meta page
// fits a sector, so no crash damages it, and falling back on the other one would
// undo the last transaction, which was acknowledged.
func (b *boltFile) check() error {
	var head [boltPageHeader + 64]byte
	if _, err := b.r.ReadAt(head[:], 0); err != nil {
		return err
	}
	b.pageSize = int64(binary.LittleEndian.Uint32(head[boltPageHeader+8:]))
	if b.pageSize < 512 || b.pageSize > mib || b.pageSize&(b.pageSize-1) != 0 {
		return corrupt("page size %d", b.pageSize)
	}
	var newest []byte
	for id := range int64(2) {
		meta := make([]byte, len(head))
		if _, err := b.r.ReadAt(meta, id*b.pageSize); err != nil {
			return err
		}
		if err := checkMeta(meta, uint64(id), b.pageSize); err != nil {
			return err
		}
		if newest == nil || binary.LittleEndian.Uint64(meta[64:]) > binary.LittleEndian.Uint64(newest[64:]) {
			newest = meta
		}
	}
	b.pages = binary.LittleEndian.Uint64(newest[56:])
	if b.pages < 3 || b.pages > uint64(b.size/b.pageSize) {
		return corrupt("%d pages in use in a file of %d bytes", b.pages, b.size)
	}
	if free := binary.LittleEndian.Uint64(newest[48:]); free != boltNoFreelist {
		if err := b.freelist(free); err != nil {
			return err
		}
	}
	return b.tree(binary.LittleEndian.Uint64(newest[32:]), 0)
}

func checkMeta(p []byte, id uint64, pageSize int64) error {
	m := p[boltPageHeader:]
	sum := fnv.New64a()
	sum.Write(m[:56])
	switch {
	case sum.Sum64() != binary.LittleEndian.Uint64(m[56:]):
		return corrupt("meta page %d at offset %d does not match its checksum", id, int64(id)*pageSize)
	case binary.LittleEndian.Uint64(p) != id || binary.LittleEndian.Uint16(p[8:]) != boltMeta,
		binary.LittleEndian.Uint32(m) != boltMagic || binary.LittleEndian.Uint32(m[4:]) != boltVersion,
		int64(binary.LittleEndian.Uint32(m[8:])) != pageSize:
		return corrupt("meta page %d at offset %d has wrong contents", id, int64(id)*pageSize)
	}
	return nil
}

// page reads a page with its overflow, and allows each page one use.
func (b *boltFile) page(id uint64) ([]byte, error) {
	var head [boltPageHeader]byte
	if id < 2 || id >= b.pages {
		return nil, corrupt("reference to page %d of %d", id, b.pages)
	}
	if _, err := b.r.ReadAt(head[:], int64(id)*b.pageSize); err != nil {
		return nil, err
	}
	over := uint64(binary.LittleEndian.Uint32(head[12:]))
	if got := binary.LittleEndian.Uint64(head[:]); got != id || over >= b.pages-id || int64(over+1)*b.pageSize > boltMaxPage {
		return nil, corrupt("page %d at offset %d calls itself %d with %d more", id, int64(id)*b.pageSize, got, over)
	}
	for i := id; i <= id+over; i++ {
		if b.seen[i] {
			return nil, corrupt("page %d is used twice", i)
		}
		b.seen[i] = true
	}
	p := make([]byte, int64(over+1)*b.pageSize)
	_, err := b.r.ReadAt(p, int64(id)*b.pageSize)
	return p, err
}

func (b *boltFile) freelist(id uint64) error {
	p, err := b.page(id)
	if err != nil {
		return err
	}
	count := uint64(binary.LittleEndian.Uint16(p[10:]))
	if count == 0xFFFF && len(p) >= boltPageHeader+8 { // the real count comes first
		count = 1 + binary.LittleEndian.Uint64(p[boltPageHeader:])
	}
	if binary.LittleEndian.Uint16(p[8:]) != boltFree || count > uint64(len(p)-boltPageHeader)/8 {
		return corrupt("free list in page %d", id)
	}
	return nil
}

func (b *boltFile) tree(id uint64, depth int) error {
	if depth > boltMaxDepth {
		return corrupt("page %d lies deeper than %d", id, boltMaxDepth)
	}
	p, err := b.page(id)
	if err != nil {
		return err
	}
	if err := b.elements(p, depth); err != nil {
		return fmt.Errorf("page %d at offset %d: %w", id, int64(id)*b.pageSize, err)
	}
	return nil
}

// elements checks a branch or leaf page, and all below it.
func (b *boltFile) elements(p []byte, depth int) error {
	flags, count := binary.LittleEndian.Uint16(p[8:]), int(binary.LittleEndian.Uint16(p[10:]))
	if flags != boltBranch && flags != boltLeaf || boltPageHeader+count*boltElem > len(p) || flags == boltBranch && count == 0 {
		return corrupt("flags %#x, %d elements", flags, count)
	}
	var last []byte
	for i := range count {
		at := boltPageHeader + i*boltElem
		e := p[at:][:boltElem]
		pos, klen, vlen := binary.LittleEndian.Uint32(e), binary.LittleEndian.Uint32(e[4:]), uint32(0)
		if flags == boltLeaf {
			pos, klen, vlen = klen, binary.LittleEndian.Uint32(e[8:]), binary.LittleEndian.Uint32(e[12:])
		}
		from := int64(at) + int64(pos)
		if from < int64(boltPageHeader+count*boltElem) || from+int64(klen)+int64(vlen) > int64(len(p)) {
			return corrupt("element %d lies outside", i)
		}
		key := p[from : from+int64(klen)]
		if i > 0 && bytes.Compare(last, key) >= 0 {
			return corrupt("keys out of order at element %d", i)
		}
		last = key
		var err error
		switch {
		case flags == boltBranch:
			err = b.tree(binary.LittleEndian.Uint64(e[8:]), depth+1)
		case binary.LittleEndian.Uint32(e) == 1:
			err = b.bucket(p[from+int64(klen):from+int64(klen)+int64(vlen)], depth+1)
		case binary.LittleEndian.Uint32(e) != 0:
			err = corrupt("element %d has flags %#x", i, binary.LittleEndian.Uint32(e))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *boltFile) bucket(v []byte, depth int) error {
	if len(v) < 16 {
		return corrupt("bucket of %d bytes", len(v))
	}
	if root := binary.LittleEndian.Uint64(v); root != 0 {
		return b.tree(root, depth)
	}
	if len(v) < 16+boltPageHeader || depth > boltMaxDepth {
		return corrupt("inline bucket of %d bytes", len(v))
	}
	return b.elements(v[16:], depth)
}
