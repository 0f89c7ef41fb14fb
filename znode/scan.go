package znode

import (
	"errors"
	"fmt"

	"zkd/proto/jute"
)

// ErrDigest is wrapped by errors that say that znodes are no longer what was
// made of them: in the memory of this server, or between the writing of an
// image and its reading.
var ErrDigest = errors.New("znode: damaged")

// scan goes through all records of a tree that does not change meanwhile, in
// the order of their numbers. It is there to find what memory has lost, so it
// believes nothing that a record says: a field that is out of range, a link
// that does not lead back and a digest that is not the sum are all reported,
// and none leads astray.
type scan struct {
	t        *Tree
	acls     []uint64   // aclSum by ACL list
	families []family   // by extra record
	slots    [][]uint64 // by slab: a bit for each slot that a znode has
	climb    []nodeID   // while a key is made: the znodes on the way up
	sum      uint64
	count    int
}

// family is what a scan knows of a znode that has had children: the key of its
// path, 0 until it is needed, and how much of what it says of its children it
// has not seen.
type family struct {
	key         uint64
	children    int32
	listBytes   uint32
	descendants uint32
}

// visitor gets each znode of a scan. name and data alias the slab. An error
// ends the scan.
type visitor func(n *node, x *extra, name, data []byte) error

// scan visits all znodes and returns the sum of what they add to the digest,
// computed from all their bytes.
func (t *Tree) scan(visit visitor) (sum uint64, err error) {
	s := &scan{t: t, families: make([]family, t.extras.next), slots: make([][]uint64, len(t.blobs.slabs))}
	if s.acls, err = t.acls.verify(); err != nil {
		return 0, err
	}
	for id := rootID; id < t.nodes.next; id++ {
		if t.get(id).parent == 0 {
			continue
		}
		if err := s.record(id, visit); err != nil {
			return 0, err
		}
	}
	for more := range s.families {
		if f := &s.families[more]; f.children != 0 || f.listBytes != 0 || f.descendants != 0 {
			return 0, fmt.Errorf("%w: extra record %d counts %d children, %d bytes and %d descendants too many",
				ErrDigest, more, f.children, int32(f.listBytes), int32(f.descendants))
		}
	}
	if s.count != t.count {
		return 0, fmt.Errorf("%w: %d znodes of %d", ErrDigest, s.count, t.count)
	}
	return s.sum, nil
}

// verify returns the hash of each list by its number, made anew from what
// permissions are judged by.
func (a *acls) verify() ([]uint64, error) {
	sums := make([]uint64, len(a.lists))
	for id := range a.lists {
		l := &a.lists[id]
		if l.key == "" {
			continue
		}
		encoded := jute.AppendACLs(nil, l.acl)
		sums[id] = aclSum(encoded)
		if string(encoded) != l.key || sums[id] != l.sum {
			return nil, fmt.Errorf("%w: ACL list %d", ErrDigest, id)
		}
	}
	return sums, nil
}

func (s *scan) record(id nodeID, visit visitor) error {
	t, n := s.t, s.t.get(id)
	if err := s.sound(id); err != nil {
		return err
	}
	if !s.take(n.blob) {
		return damagedRecord(id, "another's slot", uint32(n.blob))
	}
	x := t.extra(n)
	name, data := t.name(n), t.data(n)
	key := uint64(rootKey)
	if id != rootID {
		if err := s.siblings(id); err != nil {
			return err
		}
		up, err := s.key(n.parent)
		if err != nil {
			return err
		}
		key = childKey(up, name)
		p := &s.families[t.get(n.parent).more]
		p.children--
		p.listBytes -= uint32(4 + n.nameLen)
		p.descendants -= 1 + x.descendants
	}
	if n.more != 0 {
		f := &s.families[n.more]
		f.children += x.numChildren
		f.listBytes += x.listBytes
		f.descendants += x.descendants
	}
	s.sum += nodeSum(key, n, s.acls[n.acl]) + extraSum(key, &x) + dataSum(key, data)
	s.count++
	if visit == nil {
		return nil
	}
	return visit(n, &x, name, data)
}

// sound checks that what a record refers to exists.
func (s *scan) sound(id nodeID) error {
	t, n := s.t, s.t.get(id)
	switch {
	case n.parent == 0, n.parent >= t.nodes.next, (n.parent == id) != (id == rootID):
		return damagedRecord(id, "parent", n.parent)
	case n.next >= t.nodes.next, n.prev >= t.nodes.next, id == rootID && (n.next != 0 || n.prev != 0):
		return damagedRecord(id, "sibling", max(n.next, n.prev))
	case n.more >= t.extras.next:
		return damagedRecord(id, "extra record", n.more)
	case int(n.acl) >= len(s.acls) || t.acls.lists[n.acl].key == "":
		return damagedRecord(id, "ACL list", uint32(n.acl))
	case (n.nameLen == 0) != (id == rootID):
		return damagedRecord(id, "length of name", uint32(n.nameLen))
	case n.nameLen < 0 || n.dataLen < -1 || !t.blobs.fits(n.blob, int(n.nameLen)+int(max(n.dataLen, 0))):
		return damagedRecord(id, "slot", uint32(n.blob))
	}
	if x := t.extra(n); x.numChildren == 0 && x.firstChild != 0 {
		return damagedRecord(id, "first child", x.firstChild)
	}
	return nil
}

func damagedRecord(id nodeID, what string, value uint32) error {
	return fmt.Errorf("%w: record %d: %s %d", ErrDigest, id, what, value)
}

// fits tells whether slot r exists and is one that size bytes get.
func (b *blobs) fits(r blobRef, size int) bool {
	no := int(r >> slotBits)
	if r == 0 || no >= len(b.slabs) {
		return r == 0 && size == 0
	}
	class, end := b.slabs[no].class, len(b.bufs[no])
	if class != slotClass(size) {
		return false
	}
	if class < 0 {
		return size == end
	}
	return (int(r&(1<<slotBits-1))+1)*slotSizes[class] <= end
}

// take notes that a znode has slot r and tells whether it is the first.
func (s *scan) take(r blobRef) bool {
	if r == 0 {
		return true
	}
	no, slot := r>>slotBits, r&(1<<slotBits-1)
	taken := s.slots[no]
	if taken == nil {
		taken = make([]uint64, s.t.blobs.slabs[no].slots/64+1)
		s.slots[no] = taken
	}
	mask := uint64(1) << (slot % 64)
	if int(slot/64) >= len(taken) || taken[slot/64]&mask != 0 {
		return false
	}
	taken[slot/64] |= mask
	return true
}

// siblings checks that a znode's neighbours in the list of its parent's
// children, which no digest knows of, see it too.
func (s *scan) siblings(id nodeID) error {
	t, n := s.t, s.t.get(id)
	parent := t.get(n.parent)
	switch {
	case parent.more == 0 || parent.more >= t.extras.next:
		return damagedRecord(id, "parent", n.parent)
	case n.prev == 0 && t.extras.get(parent.more).firstChild != id, n.prev != 0 && t.get(n.prev).next != id:
		return damagedRecord(id, "previous sibling", n.prev)
	case n.next != 0 && (t.get(n.next).prev != id || t.get(n.next).parent != n.parent):
		return damagedRecord(id, "next sibling", n.next)
	}
	return nil
}

// key returns the key of a znode that has children. It climbs only as far as
// no child of the znodes on the way has come by before.
func (s *scan) key(id nodeID) (uint64, error) {
	t := s.t
	s.climb = s.climb[:0]
	for ; id != rootID; id = t.get(id).parent {
		n := t.get(id)
		if err := s.sound(id); err != nil {
			return 0, err
		}
		if n.more == 0 || len(s.climb) > t.count {
			return 0, damagedRecord(id, "children below", n.parent)
		}
		if s.families[n.more].key != 0 {
			break
		}
		s.climb = append(s.climb, id)
	}
	key := uint64(rootKey)
	if id != rootID {
		key = s.families[t.get(id).more].key
	}
	for i := len(s.climb) - 1; i >= 0; i-- {
		n := t.get(s.climb[i])
		key = childKey(key, t.name(n))
		s.families[n.more].key = key
	}
	return key, nil
}
