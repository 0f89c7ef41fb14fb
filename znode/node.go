package znode

import "zkd/proto/jute"

// nodeID is the number of a znode's record. It is the tree's own affair and
// means nothing to clients. Zero is no znode.
type nodeID = uint32

const rootID nodeID = 1

// node is what every znode has: 72 bytes and no pointer. Its name (the last
// component of its path) and its data stand one after the other in blob.
type node struct {
	czxid, mzxid int64
	ctime, mtime int64 // ms since the epoch

	parent     nodeID // 0: this record is not in use; the root is its own
	next, prev nodeID // siblings
	version    int32
	acl        aclID
	blob       blobRef
	nameLen    int32
	dataLen    int32  // -1: null
	more       uint32 // number of its extra record, 0: it has none
}

// extra is what a znode has once it has had children, belongs to somebody, or
// got another ACL. Most znodes never do.
type extra struct {
	pzxid       int64 // without an extra record: czxid
	owner       int64 // as ZooKeeper stores it, see owner.go
	firstChild  nodeID
	numChildren int32
	created     int32  // children ever created; ZooKeeper's stored cversion
	descendants uint32 // znodes below, at all depths
	listBytes   uint32 // encoded length of the child names
	aversion    int32
}

func (t *Tree) get(id nodeID) *node { return t.nodes.get(id) }

// mut returns a znode's record to change.
func (t *Tree) mut(id nodeID) *node {
	n := t.nodes.mut(id, t.blobs.pins > 0)
	if t.undoing {
		t.undo = append(t.undo, undoStep{kind: undoNode, id: id, node: *n})
	}
	return n
}

// extra returns what else a znode has, for reading.
func (t *Tree) extra(n *node) extra {
	if n.more == 0 {
		return extra{pzxid: n.czxid}
	}
	return *t.extras.get(n.more)
}

// mutExtra returns a znode's extra record to change, making it if need be.
func (t *Tree) mutExtra(id nodeID) *extra {
	n := t.get(id)
	if n.more == 0 {
		n = t.mut(id)
		n.more = t.extras.add()
		*t.extras.mut(n.more, t.blobs.pins > 0) = extra{pzxid: n.czxid}
		if t.undoing {
			t.undo = append(t.undo, undoStep{kind: undoNewExtra, id: n.more})
		}
	}
	x := t.extras.mut(n.more, t.blobs.pins > 0)
	if t.undoing {
		t.undo = append(t.undo, undoStep{kind: undoExtra, id: n.more, extra: *x})
	}
	return x
}

// firstChild returns the head of the list of the znode's children.
func (t *Tree) firstChild(n *node) nodeID {
	if n.more == 0 {
		return 0
	}
	return t.extras.get(n.more).firstChild
}

// name returns the znode's last path component; it aliases the slab.
func (t *Tree) name(n *node) []byte { return t.blobs.get(n.blob)[:n.nameLen] }

// data returns the znode's data, nil for null; it aliases the slab.
func (t *Tree) data(n *node) []byte {
	switch {
	case n.dataLen < 0:
		return nil
	case n.dataLen == 0:
		return []byte{}
	}
	return t.blobs.get(n.blob)[n.nameLen : n.nameLen+n.dataLen]
}

// path returns the znode's full path.
func (t *Tree) path(id nodeID) string {
	if id == rootID {
		return "/"
	}
	return string(t.appendPath(nil, id))
}

// appendPath appends the path of a znode other than the root.
func (t *Tree) appendPath(dst []byte, id nodeID) []byte {
	n := t.get(id)
	if n.parent != rootID {
		dst = t.appendPath(dst, n.parent)
	}
	return append(append(dst, '/'), t.name(n)...)
}

func (t *Tree) stat(n *node) jute.Stat {
	x := t.extra(n)
	s := jute.Stat{
		Czxid: n.czxid, Mzxid: n.mzxid, Pzxid: x.pzxid,
		Ctime: n.ctime, Mtime: n.mtime,
		Version: n.version, Aversion: x.aversion,
		// DataNode.copyStat: every child counts once when it comes and once
		// when it goes.
		Cversion:    x.created*2 - x.numChildren,
		NumChildren: x.numChildren,
		DataLength:  max(n.dataLen, 0),
	}
	if isEphemeral(x.owner) {
		s.EphemeralOwner = x.owner
	}
	return s
}
