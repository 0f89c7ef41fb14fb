package znode

import (
	"math"
	"slices"
	"strings"

	"zkd/internal/mutant"
	"zkd/proto/jute"
)

// The read operations append the reply's body to dst. They return dst as it
// was when the code is not OK.

// AppendStat answers exists. As since ZooKeeper 3.8.4 it needs READ.
func (t *Tree) AppendStat(dst []byte, path string, who *Actor) ([]byte, jute.Code) {
	if strings.IndexByte(path, 0) >= 0 {
		return dst, jute.ErrBadArguments
	}
	n, code := t.readable(path, who)
	if code != jute.OK {
		return dst, code
	}
	s := t.stat(n)
	return jute.AppendStat(dst, &s), jute.OK
}

// AppendData answers getData.
func (t *Tree) AppendData(dst []byte, path string, who *Actor) ([]byte, jute.Code) {
	dst, _, code := t.AppendDataUpTo(dst, path, who, math.MaxInt)
	return dst, code
}

// AppendDataUpTo is AppendData unless that takes more than most bytes: then it
// appends nothing and returns how many.
func (t *Tree) AppendDataUpTo(dst []byte, path string, who *Actor, most int) (_ []byte, need int, code jute.Code) {
	n, code := t.readable(path, who)
	if code != jute.OK {
		return dst, 0, code
	}
	if need = 4 + int(n.dataLen) + jute.StatSize; need > most {
		return dst, need, jute.OK
	}
	s := t.stat(n)
	dst = jute.AppendBuffer(dst, t.data(n))
	return jute.AppendStat(dst, &s), 0, jute.OK
}

// AppendChildren answers getChildren, and getChildren2 with stat. The order
// of the names means nothing.
func (t *Tree) AppendChildren(dst []byte, path string, stat bool, who *Actor) ([]byte, jute.Code) {
	dst, _, code := t.AppendChildrenUpTo(dst, path, stat, who, math.MaxInt)
	return dst, code
}

// AppendChildrenUpTo is AppendChildren unless that takes more than most bytes:
// then it appends nothing and returns how many.
func (t *Tree) AppendChildrenUpTo(dst []byte, path string, stat bool, who *Actor, most int) (_ []byte, need int, code jute.Code) {
	n, code := t.readable(path, who)
	if code != jute.OK {
		return dst, 0, code
	}
	x := t.extra(n)
	if need = 4 + int(x.listBytes) + jute.StatSize; need > most {
		return dst, need, jute.OK
	}
	dst = slices.Grow(dst, need)
	dst = jute.AppendInt32(dst, x.numChildren)
	for c := x.firstChild; c != 0; {
		child := t.get(c)
		dst = jute.AppendInt32(dst, child.nameLen)
		dst = append(dst, t.name(child)...)
		c = child.next
	}
	if stat {
		s := t.stat(n)
		dst = jute.AppendStat(dst, &s)
	}
	return dst, 0, jute.OK
}

// AppendACL answers getACL: it takes READ or ADMIN, and only ADMIN shows the
// hashes of digest entries.
func (t *Tree) AppendACL(dst []byte, path string, who *Actor) ([]byte, jute.Code) {
	id := t.lookup(path)
	if id == 0 {
		return dst, jute.ErrNoNode
	}
	n := t.get(id)
	if !t.allowed(n.acl, jute.PermRead|jute.PermAdmin, who) {
		return dst, jute.ErrNoAuth
	}
	list := t.acls.lists[n.acl].acl
	if !t.allowed(n.acl, jute.PermAdmin, who) {
		list = maskDigests(list)
	}
	s := t.stat(n)
	dst = jute.AppendACLs(dst, list)
	return jute.AppendStat(dst, &s), jute.OK
}

// AppendDescendants answers getAllChildrenNumber.
func (t *Tree) AppendDescendants(dst []byte, path string, who *Actor) ([]byte, jute.Code) {
	n, code := t.readable(path, who)
	if code != jute.OK {
		return dst, code
	}
	count := int32(t.extra(n).descendants)
	if path == "" {
		count++ // under its other name ZooKeeper counts the root too
	}
	return jute.AppendInt32(dst, count), jute.OK
}

// AppendEphemerals answers getEphemerals: the paths of a session's ephemerals
// that begin with prefix, as text.
func (t *Tree) AppendEphemerals(dst []byte, session int64, prefix string) []byte {
	// Java's trim takes every character up to the blank, NUL too.
	if blank := strings.TrimFunc(prefix, func(c rune) bool { return c <= ' ' }); blank == "" || blank == "/" {
		prefix = "/"
	}
	at, n := len(dst), int32(0)
	dst = jute.AppendInt32(dst, 0)
	for _, path := range t.Ephemerals(session) {
		if strings.HasPrefix(path, prefix) {
			dst = jute.AppendString(dst, path)
			n++
		}
	}
	jute.PutInt32(dst[at:], n)
	return dst
}

func (t *Tree) readable(path string, who *Actor) (*node, jute.Code) {
	id := t.lookup(path)
	if id == 0 {
		return nil, jute.ErrNoNode
	}
	n := t.get(id)
	if !t.allowed(n.acl, jute.PermRead, who) {
		return nil, jute.ErrNoAuth
	}
	return n, jute.OK
}

// Stat returns a znode's Stat without asking for permission, for the
// server's own use.
func (t *Tree) Stat(path string) (s jute.Stat, ok bool) {
	id := t.lookup(path)
	if id == 0 {
		return s, false
	}
	return t.stat(t.get(id)), true
}

// Due is a container or TTL znode that nobody needs any more.
type Due struct {
	Path  string
	Mzxid int64
}

// Due returns up to limit znodes for the reaper (ContainerManager): empty
// containers that have had children, or never had one for neverUsed ms (0:
// those stay), and empty TTL znodes whose time has passed.
func (t *Tree) Due(now, neverUsed int64, limit int) (due []Due) {
	add := func(id nodeID) bool {
		if len(due) == limit {
			return false
		}
		due = append(due, Due{t.path(id), t.get(id).mzxid})
		return true
	}
	for id := range t.containers {
		n := t.get(id)
		x := t.extra(n)
		unused := x.created == 0 && (neverUsed == 0 || now-n.mtime <= neverUsed)
		if x.numChildren == 0 && !unused && !add(id) {
			return due
		}
	}
	for id := range t.ttls {
		n := t.get(id)
		if x := t.extra(n); x.numChildren == 0 && (now-n.mtime > ttlOf(x.owner) || mutant.Is(mutant.TTL)) && !add(id) {
			return due
		}
	}
	return due
}

// Counts are figures about the tree as a whole.
type Counts struct {
	Znodes     int // the root included
	DataBytes  int64
	Ephemerals int
	Sessions   int   // that own ephemerals
	SlabBytes  int64 // memory held for names and data
	Records    int   // memory held for records, in znodes
}

// Counts returns the figures as of now.
func (t *Tree) Counts() Counts {
	return Counts{
		Znodes: t.count, DataBytes: t.dataBytes, Ephemerals: t.ephCount, Sessions: len(t.ephemerals),
		SlabBytes: t.blobs.bytes, Records: len(t.nodes.chunks) * chunkSize,
	}
}

// EphemeralOwners calls f with each session that owns ephemerals.
func (t *Tree) EphemeralOwners(f func(session int64)) {
	for id := range t.ephemerals {
		f(id)
	}
}
