package znode

import (
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"slices"
	"strings"

	"zkd/proto/jute"
)

// verify checks everything that must hold of a tree between transactions.
func verify(t *Tree) error {
	v := &verifier{t: t, live: map[blobRef]nodeID{}, owners: map[aclID]int{},
		ephemerals: map[int64][]nodeID{}, quotas: map[string]struct{}{}}
	return errors.Join(v.nodes(), v.records(), v.sets(), v.index(), v.blobs(), v.acls(), v.idle(), v.digest())
}

type verifier struct {
	t                *Tree
	count            int
	bytes            int64
	live             map[blobRef]nodeID
	owners           map[aclID]int
	ephemerals       map[int64][]nodeID
	containers, ttls []nodeID
	quotas           map[string]struct{}
	extras           map[uint32]bool
}

func (v *verifier) nodes() error {
	root := v.t.get(rootID)
	v.extras = map[uint32]bool{}
	if root.parent != rootID || root.next != 0 || root.prev != 0 || root.nameLen != 0 {
		return fmt.Errorf("root is %+v", *root)
	}
	v.bytes = 1 + int64(max(root.dataLen, 0))
	return v.node(rootID, "")
}

// node checks the subtree of id, whose path is prefix.
func (v *verifier) node(id nodeID, prefix string) error {
	t, n := v.t, v.t.get(id)
	x := t.extra(n)
	if n.more != 0 && v.extras[n.more] {
		return fmt.Errorf("%q shares its extra record %d", prefix, n.more)
	}
	v.extras[n.more] = true
	if v.count++; v.count > t.count {
		return fmt.Errorf("more than %d znodes, at %q", t.count, prefix)
	}
	v.owners[n.acl]++
	if n.blob != 0 {
		if other, taken := v.live[n.blob]; taken {
			return fmt.Errorf("%q shares its slot with record %d", prefix, other)
		}
		v.live[n.blob] = id
		if size := len(t.blobs.get(n.blob)); size < int(n.nameLen)+int(max(n.dataLen, 0)) {
			return fmt.Errorf("%q has a slot of %d bytes", prefix, size)
		}
	} else if n.nameLen > 0 || n.dataLen > 0 {
		return fmt.Errorf("%q has no slot", prefix)
	}
	switch {
	case x.owner == containerOwner:
		v.containers = append(v.containers, id)
	case isTTL(x.owner):
		v.ttls = append(v.ttls, id)
	case x.owner != 0:
		v.ephemerals[x.owner] = append(v.ephemerals[x.owner], id)
		if x.numChildren > 0 {
			return fmt.Errorf("ephemeral %q has children", prefix)
		}
	}
	if p, ok := strings.CutPrefix(prefix, quotaPath); ok && strings.HasPrefix(p, "/") {
		if p, ok = strings.CutSuffix(p, "/"+limitsName); ok {
			v.quotas[p] = struct{}{}
		}
	}
	var kids int32
	var listBytes, below uint32
	prev := nodeID(0)
	for c := x.firstChild; c != 0; c = t.get(c).next {
		child := t.get(c)
		if child.parent != id || child.prev != prev {
			return fmt.Errorf("child %d of %q: parent %d, prev %d after %d", c, prefix, child.parent, child.prev, prev)
		}
		name := string(t.name(child))
		path := prefix + "/" + name
		if !ValidPath(path) || t.lookup(path) != c {
			return fmt.Errorf("%q is no path", path)
		}
		if got := t.find(id, name); got != c {
			return fmt.Errorf("the index says %d for %q, which is %d", got, path, c)
		}
		if got := t.path(c); got != path {
			return fmt.Errorf("%q calls itself %q", path, got)
		}
		v.bytes += int64(len(path)) + int64(max(child.dataLen, 0))
		if err := v.node(c, path); err != nil {
			return err
		}
		kids, listBytes, below = kids+1, listBytes+4+uint32(child.nameLen), below+1+t.extra(child).descendants
		prev = c
	}
	if kids != x.numChildren || listBytes != x.listBytes || below != x.descendants {
		return fmt.Errorf("%q has %d children, %d list bytes, %d descendants and says %d, %d, %d",
			prefix, kids, listBytes, below, x.numChildren, x.listBytes, x.descendants)
	}
	return nil
}

// records checks that every record is in the tree or free, and not both.
func (v *verifier) records() error {
	t := v.t
	if v.count != t.count || v.bytes != t.dataBytes {
		return fmt.Errorf("%d znodes and %d bytes, counted %d and %d", v.count, v.bytes, t.count, t.dataBytes)
	}
	free := map[nodeID]bool{}
	for _, id := range t.nodes.free {
		if free[id] || id <= rootID || id >= t.nodes.next {
			return fmt.Errorf("record %d is free twice or was never used", id)
		}
		free[id] = true
		if *t.get(id) != (node{}) {
			return fmt.Errorf("free record %d is %+v", id, *t.get(id))
		}
	}
	if int(t.nodes.next)-1 != v.count+len(free) {
		return fmt.Errorf("%d records: %d in use, %d free", t.nodes.next-1, v.count, len(free))
	}
	delete(v.extras, 0)
	clear(free)
	for _, id := range t.extras.free {
		if free[id] || v.extras[id] || id == 0 || id >= t.extras.next {
			return fmt.Errorf("extra record %d is free and is not", id)
		}
		free[id] = true
	}
	if int(t.extras.next)-1 != len(v.extras)+len(free) {
		return fmt.Errorf("%d extra records: %d in use, %d free", t.extras.next-1, len(v.extras), len(free))
	}
	return nil
}

func (v *verifier) sets() error {
	t := v.t
	same := func(want []nodeID, got map[nodeID]struct{}) bool {
		slices.Sort(want)
		return slices.Equal(want, slices.Sorted(maps.Keys(got)))
	}
	if !same(v.containers, t.containers) || !same(v.ttls, t.ttls) {
		return fmt.Errorf("containers %v, found %v; ttls %v, found %v", t.containers, v.containers, t.ttls, v.ttls)
	}
	n := 0
	for session, ids := range v.ephemerals {
		n += len(ids)
		if !same(ids, t.ephemerals[session]) {
			return fmt.Errorf("session %#x has %v, found %v", session, t.ephemerals[session], ids)
		}
	}
	if len(v.ephemerals) != len(t.ephemerals) || n != t.ephCount {
		return fmt.Errorf("%d ephemerals of %d sessions, found %d of %d", t.ephCount, len(t.ephemerals), n, len(v.ephemerals))
	}
	if !maps.Equal(v.quotas, t.quotas) {
		return fmt.Errorf("quotas %v, found %v", t.quotas, v.quotas)
	}
	return nil
}

func (v *verifier) index() error {
	total := 0
	for i := range v.t.index.shards {
		s := &v.t.index.shards[i]
		n := 0
		for _, e := range s.slots {
			if e.id != 0 {
				n++
			}
		}
		if n != s.n || n > 0 && n == len(s.slots) {
			return fmt.Errorf("shard %d says %d of %d slots, has %d", i, s.n, len(s.slots), n)
		}
		total += n
	}
	if total != v.count-1 {
		return fmt.Errorf("%d znodes in the index of %d", total, v.count-1)
	}
	return nil
}

func (v *verifier) blobs() error { return verifyBlobs(&v.t.blobs, slices.Collect(maps.Keys(v.live))) }

// verifyBlobs checks an allocator whose slots in use, those in limbo aside, are live.
func verifyBlobs(b *blobs, live []blobRef) error {
	taken := map[blobRef]bool{}
	used := make([]int, len(b.slabs))
	for _, r := range slices.Concat(live, b.limbo) {
		no := int(r >> slotBits)
		if taken[r] || no == 0 || no >= len(b.slabs) {
			return fmt.Errorf("slot %#x is used twice or in no slab", r)
		}
		taken[r] = true
		used[no]++
	}
	var bytes int64
	for no := 1; no < len(b.slabs); no++ {
		s := &b.slabs[no]
		bytes += int64(len(b.bufs[no]))
		if b.bufs[no] == nil {
			if used[no] != 0 || !slices.Contains(b.vacant, uint32(no)) {
				return fmt.Errorf("slab %d has no bytes, %d used", no, used[no])
			}
			continue
		}
		if s.used != used[no] || s.used == 0 || s.fresh != s.used+len(s.free) || s.fresh > s.slots {
			return fmt.Errorf("slab %d: %d used, found %d; %d free, %d fresh of %d", no, s.used, used[no], len(s.free), s.fresh, s.slots)
		}
		seen := map[uint16]bool{}
		for _, slot := range s.free {
			if seen[slot] || int(slot) >= s.fresh || taken[blobRef(no)<<slotBits|blobRef(slot)] {
				return fmt.Errorf("slab %d: slot %d is free and is not", no, slot)
			}
			seen[slot] = true
		}
		if s.class >= 0 && s.listed != (s.used < s.slots) {
			return fmt.Errorf("slab %d: %d of %d used, listed %v", no, s.used, s.slots, s.listed)
		}
	}
	if bytes != b.bytes {
		return fmt.Errorf("slabs have %d bytes, say %d", bytes, b.bytes)
	}
	for class, no := range b.partial {
		prev := uint32(0)
		for n := 0; no != 0; no, n = b.slabs[no].next, n+1 {
			if s := &b.slabs[no]; !s.listed || s.prev != prev || s.class != class || n > len(b.slabs) {
				return fmt.Errorf("list of class %d: slab %d is %+v", class, no, *s)
			}
			prev = no
		}
	}
	return nil
}

func (v *verifier) acls() error {
	a := &v.t.acls
	dead := map[aclID]int{}
	for _, id := range a.dead {
		dead[id]++
	}
	free := map[aclID]bool{}
	for _, id := range a.free {
		free[id] = true
	}
	for id := range a.lists {
		id, l := aclID(id), &a.lists[id]
		if l.key == "" {
			if v.owners[id] > 0 || id != 0 && !free[id] {
				return fmt.Errorf("ACL list %d is nothing: %d owners, free %v", id, v.owners[id], free[id])
			}
			continue
		}
		if a.ids[l.key] != id || string(jute.AppendACLs(nil, l.acl)) != l.key {
			return fmt.Errorf("ACL list %d: key %q leads to %d", id, l.key, a.ids[l.key])
		}
		if id != openACL && (l.refs != v.owners[id]+dead[id] || dead[id] > 1 || l.refs == 0) {
			return fmt.Errorf("ACL list %d: %d refs, %d owners, dead %d times", id, l.refs, v.owners[id], dead[id])
		}
	}
	if 1+len(a.ids)+len(a.free) != len(a.lists) {
		return fmt.Errorf("%d ACL lists: %d known, %d free", len(a.lists), len(a.ids), len(a.free))
	}
	return nil
}

// digest checks what the operations have kept against a sum over all znodes.
func (v *verifier) digest() error {
	t, sum := v.t, uint64(0)
	for id := rootID; id < t.nodes.next; id++ {
		if t.get(id).parent != 0 {
			sum += t.sum(t.key(id), id)
		}
	}
	scanned, err := t.scan(nil)
	if err != nil {
		return err
	}
	if sum != t.Digest() || scanned != sum {
		return fmt.Errorf("the digest is %#x, the sum %#x, that of a scan %#x", t.Digest(), sum, scanned)
	}
	return nil
}

func (v *verifier) idle() error {
	t := v.t
	if t.undoing || len(t.undo) > 0 || len(t.fresh) > 0 || len(t.stale.blobs)+len(t.stale.nodes) > 0 {
		return errors.New("a multi has left something behind")
	}
	return nil
}

// dump is all that can be known of a tree, one znode a line in the order of
// their paths.
func dump(t *Tree) string {
	var lines []string
	var walk func(id nodeID, path string)
	walk = func(id nodeID, path string) {
		n := t.get(id)
		x := t.extra(n)
		lines = append(lines, line(path, t.stat(n), x.created, x.owner, t.data(n), t.acls.lists[n.acl].acl))
		for c := x.firstChild; c != 0; c = t.get(c).next {
			walk(c, strings.TrimSuffix(path, "/")+"/"+string(t.name(t.get(c))))
		}
	}
	walk(rootID, "/")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func line(path string, s jute.Stat, created int32, owner int64, data []byte, acl []jute.ACL) string {
	text := string(data)
	switch {
	case data == nil:
		text = "null"
	case len(data) > 100:
		text = fmt.Sprintf("%d bytes, %x", len(data), crc32.ChecksumIEEE(data))
	}
	return fmt.Sprintf("%q %+v created %d owner %#x %s %v", path, s, created, uint64(owner), text, acl)
}
