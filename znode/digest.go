package znode

import "zkd/digest"

// The digest of a tree is the sum of three hashes of each znode: of its
// record, of its extra record and of its data, all under the key of its path.
// An operation moves those that it changes: setData two of one znode, create
// and delete also one of the parent. What they were is hashed again rather
// than kept, which would be 8 bytes for every znode; it also means that damage
// to a znode is not healed by the next write to it, but stays in the digest.
//
// In it is all that clients can see of a znode and what decides about later
// operations. Not in it are the numbers of records and ACL lists, the order of
// siblings and where bytes lie, which differ between a server that has lived
// through the log and one that has loaded an image; nor what follows from the
// rest: descendants, lengths of lists, indexes.

// Digest returns the digest of all znodes. Trees with the same content have
// the same one on every server, whatever their histories.
func (t *Tree) Digest() uint64 { return t.digest }

// rootKey is the key of the root, and through it of all paths.
const rootKey = 0x5a4b44

// childKey returns the key of the znode of that name below the one with key
// parent. Keys go down the path like this because records know their parents
// and not their paths.
func childKey(parent uint64, name []byte) uint64 { return digest.Bytes(parent, name) }

// key returns the key of a znode's path. The records it visits are those that
// looking the path up has visited just before.
func (t *Tree) key(id nodeID) uint64 {
	if id == rootID {
		return rootKey
	}
	n := t.get(id)
	return childKey(t.key(n.parent), t.name(n))
}

// nodeSum is the part of a znode's record; acl is the hash of its ACL.
func nodeSum(key uint64, n *node, acl uint64) uint64 {
	return digest.Words(key+1, [6]uint64{uint64(n.czxid), uint64(n.mzxid), uint64(n.ctime), uint64(n.mtime),
		uint64(n.version), acl})
}

// extraSum is the part of a znode's extra record, which it has without one too.
func extraSum(key uint64, x *extra) uint64 {
	return digest.Words(key+2, [6]uint64{uint64(x.pzxid), uint64(x.owner), uint64(x.created), uint64(x.numChildren),
		uint64(x.aversion)})
}

// dataSum is the part of a znode's data. Null has none, empty data has.
func dataSum(key uint64, data []byte) uint64 {
	if data == nil {
		return 0
	}
	return digest.Bytes(key+3, data)
}

// aclSum is the hash of an encoded ACL list.
func aclSum(encoded []byte) uint64 { return digest.Bytes(0, encoded) }

// recordSum is nodeSum with the ACL that the record names.
func (t *Tree) recordSum(key uint64, n *node) uint64 { return nodeSum(key, n, t.acls.lists[n.acl].sum) }

// moreSum is the extraSum of a znode as it is.
func (t *Tree) moreSum(key uint64, id nodeID) uint64 {
	x := t.extra(t.get(id))
	return extraSum(key, &x)
}

// sum is everything that a znode adds to the digest.
func (t *Tree) sum(key uint64, id nodeID) uint64 {
	n := t.get(id)
	return t.recordSum(key, n) + t.moreSum(key, id) + dataSum(key, t.data(n))
}
