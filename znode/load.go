package znode

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"zkd/internal/mutant"
	"zkd/proto/jute"
)

// ErrImage is wrapped by every error of Load that is about the content of the
// image and not about reading it.
var ErrImage = errors.New("znode: image is not that of a tree")

// maxBlob bounds what one znode of an image may claim: far above what any
// jute.maxbuffer lets in.
const maxBlob = 1 << 30

// loader reads an image into a tree of its own, which nobody sees before all
// of it was found sound.
type loader struct {
	r         *bufio.Reader
	t         *Tree
	znodes    uint32
	digest    uint64 // what the header says, if it does
	hasDigest bool
	scratch   []byte
}

// Load reads the image that WriteTo wrote. It checks that the records make
// one tree and that it has the digest of the one that the image is of; an
// image that does not is both an ErrImage and an ErrDigest.
func Load(r io.Reader) (*Tree, error) {
	l := &loader{r: bufio.NewReaderSize(r, imageBuffer), t: empty()}
	if err := l.load(); err != nil {
		return nil, err
	}
	if l.hasDigest {
		if err := compareDigest(l.t.digest, l.digest); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrImage, err)
		}
	}
	return l.t, nil
}

// load reads the tree, whatever digest it should have.
func (l *loader) load() (err error) {
	for _, step := range []func() error{l.header, l.lists, l.records, l.links} {
		if err := step(); err != nil {
			return err
		}
	}
	if root := l.t.lookup(quotaPath); root != 0 {
		l.t.findQuotas(root)
	}
	if l.t.digest, err = l.t.scan(nil); err != nil {
		return fmt.Errorf("%w: %w", ErrImage, err)
	}
	return nil
}

// bytes reads n bytes, valid until the next call. Memory grows with what
// really arrives.
func (l *loader) bytes(n int) ([]byte, error) {
	if n <= imageBuffer {
		if cap(l.scratch) < n {
			l.scratch = make([]byte, imageBuffer)
		}
		_, err := io.ReadFull(l.r, l.scratch[:n])
		return l.scratch[:n], readError(err)
	}
	b, err := io.ReadAll(io.LimitReader(l.r, int64(n)))
	if err == nil && len(b) < n {
		err = io.ErrUnexpectedEOF
	}
	return b, readError(err)
}

func readError(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it ends too soon", ErrImage)
	}
	if err != nil {
		return fmt.Errorf("znode: read image: %w", err)
	}
	return nil
}

func (l *loader) header() error {
	b, err := l.bytes(4 + 4 + 8)
	if err != nil {
		return err
	}
	le := binary.LittleEndian
	magic := le.Uint32(b)
	if magic != imageMagic && magic != firstImageMagic {
		return fmt.Errorf("%w: it begins with %#x", ErrImage, magic)
	}
	n := le.Uint32(b[4:])
	if n == 0 || n == ^uint32(0) {
		return fmt.Errorf("%w: it has %d znodes", ErrImage, n)
	}
	l.znodes, l.t.dataBytes = n, int64(le.Uint64(b[8:]))
	if magic == firstImageMagic {
		return nil
	}
	if b, err = l.bytes(8); err != nil {
		return err
	}
	l.digest, l.hasDigest = le.Uint64(b), true
	return nil
}

func (l *loader) lists() error {
	b, err := l.bytes(4)
	if err != nil {
		return err
	}
	a := &l.t.acls
	*a = acls{lists: make([]aclList, 1), ids: map[string]aclID{}}
	for n := binary.LittleEndian.Uint32(b); n > 0; n-- {
		if b, err = l.bytes(8); err != nil {
			return err
		}
		id, size := aclID(binary.LittleEndian.Uint32(b)), binary.LittleEndian.Uint32(b[4:])
		if int(id) != len(a.lists) || size > maxBlob {
			return fmt.Errorf("%w: ACL list %d of %d bytes", ErrImage, id, size)
		}
		if b, err = l.bytes(int(size)); err != nil {
			return err
		}
		key := string(b)
		r := jute.NewReader([]byte(key))
		list, _ := jute.DecodeACLs(&r)
		if _, twice := a.ids[key]; twice || r.Err() != nil || string(jute.AppendACLs(nil, list)) != key {
			return fmt.Errorf("%w: ACL list %d is malformed", ErrImage, id)
		}
		a.lists = append(a.lists, aclList{key: key, acl: list, sum: aclSum([]byte(key))})
		a.ids[key] = id
	}
	if open := newACLs(); len(a.lists) <= int(openACL) || a.lists[openACL].key != open.lists[openACL].key {
		return fmt.Errorf("%w: the open ACL list is missing", ErrImage)
	}
	a.lists[openACL].refs = 1
	return nil
}

func (l *loader) records() error {
	for id := rootID; id <= l.znodes; id++ {
		if err := l.record(id); err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) record(id nodeID) error {
	t := l.t
	b, err := l.bytes(recordSize)
	if err != nil {
		return err
	}
	var n node
	var x extra
	decodeRecord(b, &n, &x)
	if n.nameLen < 0 || n.dataLen < -1 || int(n.nameLen)+int(n.dataLen) > maxBlob ||
		n.parent == 0 || n.parent > l.znodes || (n.parent == id) != (id == rootID) || (n.nameLen == 0) != (id == rootID) ||
		id == rootID && x.owner != 0 {
		return fmt.Errorf("%w: record %d is malformed", ErrImage, id)
	}
	if int(n.acl) >= len(t.acls.lists) || t.acls.lists[n.acl].key == "" {
		return fmt.Errorf("%w: record %d has unknown ACL list %d", ErrImage, id, n.acl)
	}
	if b, err = l.bytes(int(n.nameLen) + int(max(n.dataLen, 0))); err != nil {
		return err
	}
	if n.acl != openACL {
		t.acls.lists[n.acl].refs++
	}
	name := string(b[:n.nameLen])
	if id != rootID && (!validName(name) || strings.IndexByte(name, '/') >= 0) {
		return fmt.Errorf("%w: record %d has the name %q", ErrImage, id, name)
	}
	n.blob = takeBlob(t, name, b[n.nameLen:])
	*t.get(t.nodes.add()) = n
	if x != (extra{pzxid: n.czxid}) {
		*t.mutExtra(id) = x
	}
	if id == rootID {
		t.count++
		return nil
	}
	if t.find(n.parent, name) != 0 {
		return fmt.Errorf("%w: record %d stands twice", ErrImage, id)
	}
	t.indexed(id, name, true)
	if mutant.Is(mutant.Orphans) {
		delete(t.ephemerals, x.owner)
	}
	return nil
}

// links strings the records together. That every count of descendants is the
// sum of those below proves that there is no cycle, and gives the lengths of
// all paths: a name stands in its own and in those of its descendants.
func (l *loader) links() error {
	t := l.t
	below := make([]uint32, t.nodes.next)
	size := int64(len("/"))
	for id := t.nodes.next - 1; id > rootID; id-- {
		n := t.get(id)
		p := t.mutExtra(n.parent)
		if isEphemeral(p.owner) {
			return fmt.Errorf("%w: record %d has an ephemeral as its parent", ErrImage, id)
		}
		n.next = p.firstChild
		if n.next != 0 {
			t.get(n.next).prev = id
		}
		p.firstChild = id
		p.numChildren++
		p.listBytes += uint32(4 + n.nameLen)
		below[n.parent] += 1 + t.extra(n).descendants
	}
	for id := rootID; id < t.nodes.next; id++ {
		n := t.get(id)
		have := t.extra(n).descendants
		if have != below[id] {
			return fmt.Errorf("%w: record %d counts %d descendants of %d", ErrImage, id, have, below[id])
		}
		size += int64(max(n.dataLen, 0))
		if id != rootID {
			size += int64(1+n.nameLen) * int64(1+have)
		}
	}
	if size != t.dataBytes {
		return fmt.Errorf("%w: it counts %d bytes of %d", ErrImage, t.dataBytes, size)
	}
	// dead lists would otherwise never be found again
	for id := range t.acls.lists {
		if list := &t.acls.lists[id]; list.key != "" && list.refs == 0 {
			list.refs = 1
			t.acls.dead = append(t.acls.dead, aclID(id))
		}
	}
	return nil
}
