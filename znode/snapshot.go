package znode

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"

	"zkd/internal/mutant"
)

// The image of a tree, little-endian, in a stream that somebody else checks
// and stores:
//
//	u32  magic "ZTR2"
//	u32  znodes                      i64  dataBytes
//	u64  digest
//	u32  ACL lists, then for each    u32  number, u32  length, the encoded vector
//	then for each znode              the record as laid out in appendRecord,
//	                                 its name, its data
//
// Records are numbered anew, from 1 for the root, and ACL lists from 1 for the
// open one, without the gaps that deletions leave.
//
// The digest is that of the tree when the snapshot was taken, kept by the
// operations and not made of the bytes that follow: an image whose content
// does not have it is that of a tree that was damaged in memory, or was
// damaged since.
//
// The first format, "ZTR1", had no digest.
const (
	imageMagic      = 0x3252545a
	firstImageMagic = 0x3152545a
)

// Snapshot is a tree as it was at one moment. WriteTo needs no lock.
type Snapshot struct {
	tree *Tree
	view Tree // the parts of the tree that an image is made of
}

// Snapshot returns the tree as it is now. It copies tables of pointers, a few
// bytes for each hundred znodes, and no znode. The writer must not be at work;
// Release must follow.
func (t *Tree) Snapshot() *Snapshot {
	t.blobs.pin()
	return &Snapshot{tree: t, view: Tree{
		nodes:  t.nodes.share(),
		extras: t.extras.share(),
		blobs:  blobs{slabs: slices.Clone(t.blobs.slabs), bufs: slices.Clone(t.blobs.bufs)},
		acls:   acls{lists: slices.Clone(t.acls.lists)},
		count:  t.count, dataBytes: t.dataBytes, digest: t.digest,
	}}
}

// Release gives back what the snapshot held. The writer must not be at work.
func (s *Snapshot) Release() {
	if s.tree != nil {
		s.tree.blobs.pins--
		s.tree = nil
	}
}

const imageBuffer = 128 << 10

// Verify computes the digest from all bytes of the znodes and compares it with
// the one that the operations have kept. It returns an ErrDigest if they
// differ, or if a znode is not where its relatives say: memory is damaged.
// pace is told now and then how many bytes were read since it was last called,
// and may wait; its error ends the scan. What finds znodes by path or session
// is no part of a snapshot and not looked at.
func (s *Snapshot) Verify(pace func(bytes int) error) error {
	read := 0
	return s.scan(func(_ *node, _ *extra, name, data []byte) error {
		if read += recordSize + len(name) + len(data); read < imageBuffer {
			return nil
		}
		n := read
		read = 0
		return pace(n)
	})
}

// scan visits all znodes, and fails if they do not have the digest.
func (s *Snapshot) scan(visit visitor) error {
	sum, err := s.view.scan(visit)
	if err != nil {
		return err
	}
	return compareDigest(sum, s.view.digest)
}

func compareDigest(got, want uint64) error {
	if got != want {
		return fmt.Errorf("%w: the digest of its znodes is %#016x, should be %#016x", ErrDigest, got, want)
	}
	return nil
}

// WriteTo writes the image. It verifies what it writes as Verify does: after
// an ErrDigest what was written is of no use.
func (s *Snapshot) WriteTo(w io.Writer) (written int64, err error) {
	t := &s.view
	buf := make([]byte, 0, imageBuffer+4096)
	flush := func() {
		if err == nil {
			var n int
			n, err = w.Write(buf)
			written += int64(n)
		}
		buf = buf[:0]
	}
	lists := t.acls.number()
	buf = t.appendImageHeader(buf, lists)
	numbers := t.number()
	scanErr := s.scan(func(n *node, x *extra, name, data []byte) error {
		if mutant.Is(mutant.Subtree) && x.owner == containerOwner {
			return err
		}
		buf = appendRecord(buf, numbers[n.parent], lists[n.acl], n, *x)
		buf = append(buf, name...)
		buf = append(buf, data...)
		if len(buf) >= imageBuffer {
			flush()
		}
		return err
	})
	if err == nil {
		err = scanErr
	}
	if err == nil {
		flush()
	}
	return written, err
}

// number returns for each record in use its place among them, from 1.
func (t *Tree) number() []uint32 {
	numbers := make([]uint32, t.nodes.next)
	last := uint32(0)
	for id := rootID; id < t.nodes.next; id++ {
		if t.get(id).parent != 0 {
			last++
			numbers[id] = last
		}
	}
	return numbers
}

// number returns for each list in use its place among them, from 1.
func (a *acls) number() []aclID {
	numbers := make([]aclID, len(a.lists))
	last := aclID(0)
	for id := range a.lists {
		if a.lists[id].key != "" {
			last++
			numbers[id] = last
		}
	}
	return numbers
}

func (t *Tree) appendImageHeader(dst []byte, lists []aclID) []byte {
	le := binary.LittleEndian
	dst = le.AppendUint32(dst, imageMagic)
	dst = le.AppendUint32(dst, uint32(t.count))
	dst = le.AppendUint64(dst, uint64(t.dataBytes))
	dst = le.AppendUint64(dst, t.digest)
	at, n := len(dst), uint32(0)
	dst = le.AppendUint32(dst, 0)
	for id, l := range t.acls.lists {
		if l.key == "" {
			continue
		}
		dst = le.AppendUint32(dst, uint32(lists[id]))
		dst = le.AppendUint32(dst, uint32(len(l.key)))
		dst = append(dst, l.key...)
		n++
	}
	le.PutUint32(dst[at:], n)
	return dst
}

// recordSize is the length of what appendRecord writes.
const recordSize = 6*8 + 8*4

// appendRecord writes a record's fields; the links to siblings and children
// follow from parent, which like the ACL list is given by its new number.
func appendRecord(dst []byte, parent nodeID, acl aclID, n *node, x extra) []byte {
	le := binary.LittleEndian
	for _, v := range [...]int64{n.czxid, n.mzxid, x.pzxid, n.ctime, n.mtime, x.owner} {
		dst = le.AppendUint64(dst, uint64(v))
	}
	for _, v := range [...]uint32{parent, x.descendants, uint32(x.created), uint32(n.version),
		uint32(x.aversion), uint32(acl), uint32(n.nameLen), uint32(n.dataLen)} {
		dst = le.AppendUint32(dst, v)
	}
	return dst
}

// decodeRecord is the reverse.
func decodeRecord(b []byte, n *node, x *extra) {
	le := binary.LittleEndian
	for i, p := range [...]*int64{&n.czxid, &n.mzxid, &x.pzxid, &n.ctime, &n.mtime, &x.owner} {
		*p = int64(le.Uint64(b[8*i:]))
	}
	b = b[6*8:]
	n.parent, x.descendants = le.Uint32(b), le.Uint32(b[4:])
	for i, p := range [...]*int32{&x.created, &n.version, &x.aversion} {
		*p = int32(le.Uint32(b[8+4*i:]))
	}
	n.acl = aclID(le.Uint32(b[20:]))
	n.nameLen, n.dataLen = int32(le.Uint32(b[24:])), int32(le.Uint32(b[28:]))
}
