package znode

import "zkd/proto/jute"

// nodeID is the number of a znode's record. It is the tree's own affair and
// means nothing to clients. Zero is no znode.
type nodeID = uint32

const (
	rootID    nodeID = 1
	chunkBits        = 6
	chunkSize        = 1 << chunkBits
)

// node is the record of one znode: 104 bytes and no pointer. Its name (the
// last component of its path) and its data stand one after the other in blob.
type node struct {
	czxid, mzxid, pzxid int64
	ctime, mtime        int64 // ms since the epoch
	owner               int64 // as ZooKeeper stores it, see owner.go

	parent      nodeID // 0: this record is not in use; the root is its own
	firstChild  nodeID
	next, prev  nodeID // siblings
	numChildren int32
	descendants uint32 // znodes below, at all depths
	created     int32  // children ever created; ZooKeeper's stored cversion

	version, aversion int32
	acl               aclID
	blob              blobRef
	nameLen           int32
	dataLen           int32  // -1: null
	listBytes         uint32 // encoded length of the child names
}

// chunk is the unit of copying: gen tells the newest snapshot that no longer
// shares it.
type chunk struct {
	gen   uint32
	nodes [chunkSize]node
}

// get returns the record to read.
func (t *Tree) get(id nodeID) *node { return &t.chunks[id>>chunkBits].nodes[id%chunkSize] }

// mut returns the record to change. Pointers from get into the same chunk may
// be to a stale copy afterwards.
func (t *Tree) mut(id nodeID) *node {
	c := t.chunks[id>>chunkBits]
	if c.gen != t.gen {
		if t.blobs.pins > 0 {
			fresh := new(chunk)
			*fresh = *c
			c = fresh
			t.chunks[id>>chunkBits] = c
		}
		c.gen = t.gen
	}
	n := &c.nodes[id%chunkSize]
	if t.undoing {
		t.undo = append(t.undo, undoStep{kind: undoRecord, id: id, old: *n})
	}
	return n
}

// newID returns the number of a free record.
func (t *Tree) newID() nodeID {
	if n := len(t.freeIDs); n > 0 {
		id := t.freeIDs[n-1]
		t.freeIDs = t.freeIDs[:n-1]
		return id
	}
	id := t.nextID
	t.nextID++
	if int(id>>chunkBits) == len(t.chunks) {
		t.chunks = append(t.chunks, &chunk{gen: t.gen})
	}
	return id
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
	s := jute.Stat{
		Czxid: n.czxid, Mzxid: n.mzxid, Pzxid: n.pzxid,
		Ctime: n.ctime, Mtime: n.mtime,
		Version: n.version, Aversion: n.aversion,
		// DataNode.copyStat: every child counts once when it comes and once
		// when it goes.
		Cversion:    n.created*2 - n.numChildren,
		NumChildren: n.numChildren,
		DataLength:  max(n.dataLen, 0),
	}
	if isEphemeral(n.owner) {
		s.EphemeralOwner = n.owner
	}
	return s
}
