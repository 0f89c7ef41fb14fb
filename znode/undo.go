package znode

import "zkd/internal/mutant"

// A multi is applied operation by operation, each seeing the ones before, and
// taken back as a whole if one is refused. While one is under way every
// record is noted before it changes, and nothing is given back for reuse.

type undoKind uint8

const (
	undoNode     undoKind = iota // the record was changed; node is what it was
	undoExtra                    // the extra record was changed; extra is what it was
	undoNewExtra                 // the extra record was taken
	undoAdd                      // the znode was entered into the indexes
	undoRemove                   // the znode was taken out of the indexes
)

type undoStep struct {
	kind  undoKind
	id    uint32
	node  node
	extra extra
}

// keepSteps is how long an undo list is kept for the next multi.
const keepSteps = 4096

// stale is what a multi no longer needs once it succeeds.
type stale struct {
	blobs []blobRef
	nodes []staleNode
}

type staleNode struct {
	id   nodeID
	more uint32
	acl  aclID
}

// Begin starts a transaction. tx stays in use until the next Begin.
func (t *Tree) Begin(tx *Txn) {
	t.tx = tx
	t.changes, t.notices = t.changes[:0], t.notices[:0]
	t.acls.sweep()
	if len(t.blobs.limbo) > 0 {
		t.blobs.drain(256)
	}
}

// BeginMulti starts a transaction that Commit or Rollback ends.
func (t *Tree) BeginMulti(tx *Txn) {
	t.Begin(tx)
	t.undoing, t.oldSize, t.oldDigest = true, t.dataBytes, t.digest
}

// Commit keeps what the multi did.
func (t *Tree) Commit() {
	s := t.stale
	t.endMulti()
	for _, r := range s.blobs {
		t.blobs.release(r)
	}
	for _, n := range s.nodes {
		t.freeNode(n)
	}
}

// Rollback takes back everything since BeginMulti, and its changes.
func (t *Tree) Rollback() {
	steps, fresh := t.undo, t.fresh
	t.dataBytes, t.digest = t.oldSize, t.oldDigest
	t.changes, t.notices = t.changes[:0], t.notices[:0]
	t.endMulti()
	for i := len(steps) - 1; i >= 0; i-- {
		switch s := &steps[i]; s.kind {
		case undoNode:
			*t.mut(s.id) = s.node
		case undoExtra:
			if x := t.extras.mut(s.id, t.blobs.pins > 0); mutant.Is(mutant.Undo) {
				s.extra.pzxid, s.extra.created = x.pzxid, x.created
			}
			*t.extras.mut(s.id, t.blobs.pins > 0) = s.extra
		case undoNewExtra:
			t.extras.drop(s.id)
		case undoAdd:
			n := t.get(s.id)
			t.indexed(s.id, string(t.name(n)), false)
			t.acls.release(n.acl)
			t.nodes.drop(s.id)
		case undoRemove:
			t.indexed(s.id, string(t.name(t.get(s.id))), true)
		}
	}
	for _, r := range fresh {
		t.blobs.release(r)
	}
	t.armQuotas(steps)
}

func (t *Tree) endMulti() {
	t.undoing = false
	t.undo, t.fresh, t.stale = t.undo[:0], t.fresh[:0], stale{}
	if cap(t.undo) > keepSteps {
		t.undo = nil // of a multi like no other
	}
}

func takeBlob[S string | []byte](t *Tree, name S, data []byte) blobRef {
	if len(name)+len(data) == 0 {
		return 0
	}
	r := t.blobs.alloc(len(name) + len(data))
	b := t.blobs.get(r)
	copy(b[copy(b, name):], data)
	if t.undoing {
		t.fresh = append(t.fresh, r)
	}
	return r
}

func (t *Tree) dropBlob(r blobRef) {
	if t.undoing {
		t.stale.blobs = append(t.stale.blobs, r)
		return
	}
	t.blobs.release(r)
}

// dropNode gives back what a removed znode had.
func (t *Tree) dropNode(id nodeID, n *node) {
	t.dropBlob(n.blob)
	gone := staleNode{id, n.more, n.acl}
	if t.undoing {
		t.stale.nodes = append(t.stale.nodes, gone)
		return
	}
	t.freeNode(gone)
}

func (t *Tree) freeNode(n staleNode) {
	t.acls.release(n.acl)
	t.nodes.drop(n.id)
	if n.more != 0 {
		t.extras.drop(n.more)
	}
}
