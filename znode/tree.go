package znode

import "zkd/proto/jute"

// Tree is all znodes of a server. See the package comment for who may use it
// when.
type Tree struct {
	chunks  []*chunk // by nodeID/chunkSize
	nextID  nodeID   // the next number never used
	freeIDs []nodeID
	gen     uint32 // raised by every Snapshot
	index   index
	blobs   blobs
	acls    acls

	ephemerals map[int64]map[nodeID]struct{} // by session
	containers map[nodeID]struct{}
	ttls       map[nodeID]struct{}
	quotas     map[string]struct{} // paths with a limits znode

	count     int   // znodes, the root included
	dataBytes int64 // sum of path and data lengths
	ephCount  int

	tx      *Txn
	changes []Change
	crowded string // see Crowded
	undoing bool
	undo    []undoStep
	fresh   []blobRef // taken in this multi, to be given back if it fails
	stale   stale
	oldSize int64 // dataBytes before this multi
}

// ACL names an access control list inside the tree that handed it out, until
// the next transaction begins.
type ACL uint32

// Change is what one operation did to one znode, for those who watch.
type Change struct {
	Type      jute.EventType // created, deleted or data changed
	Path      string         // valid until the next transaction
	ACL       ACL            // of the znode, of a deleted one what it had
	ParentACL ACL
}

// Txn is what all operations of one transaction share, decided before it
// entered the log.
type Txn struct {
	Zxid    int64
	Time    int64 // ms since the epoch
	Session int64
	Actor   Actor
	Settings
}

// Settings are the server's options that change results.
type Settings struct {
	EnforceQuota bool // refuse what exceeds a hard quota
	TTLNodes     bool // extendedTypesEnabled
	ListLimit    int  // longest list of children, bytes; 0 means any
	ListWarn     int  // length above which common clients do not take it; 0 means any
}

// New returns a tree with the system znodes only (DataTree's constructor).
func New() *Tree {
	t := empty()
	t.nextID = rootID
	root := t.newID()
	*t.mut(root) = node{parent: root, acl: openACL}
	t.count, t.dataBytes = 1, 1
	for _, path := range []string{zookeeperPath, quotaPath, configPath} {
		parent, name, _ := splitParent(path)
		t.link(t.lookup(parent), path, name, []byte{}, openACL, 0)
	}
	for id := rootID; id < t.nextID; id++ {
		n := t.mut(id)
		n.created = 0 // these children were never created by anybody
	}
	config := t.mut(t.lookup(configPath))
	config.acl = t.acls.acquire([]jute.ACL{{Perms: jute.PermRead, ID: jute.ID{Scheme: "world", ID: "anyone"}}})
	config.aversion = -1
	t.changes = nil
	return t
}

// empty returns a tree without any znode, to be filled by New or Load.
func empty() *Tree {
	return &Tree{
		chunks:     []*chunk{{}},
		index:      newIndex(),
		blobs:      newBlobs(),
		acls:       newACLs(),
		ephemerals: map[int64]map[nodeID]struct{}{},
		containers: map[nodeID]struct{}{},
		ttls:       map[nodeID]struct{}{},
		quotas:     map[string]struct{}{},
		tx:         &Txn{},
	}
}

// link makes a new znode below parent with the transaction's zxid and time.
func (t *Tree) link(parent nodeID, path, name string, data []byte, acl aclID, owner int64) nodeID {
	id := t.newID()
	n := t.mut(id)
	*n = node{
		czxid: t.tx.Zxid, mzxid: t.tx.Zxid, pzxid: t.tx.Zxid,
		ctime: t.tx.Time, mtime: t.tx.Time,
		owner: owner, parent: parent, acl: acl,
		blob: takeBlob(t, name, data), nameLen: int32(len(name)), dataLen: dataLen(data),
	}
	t.attach(id)
	p := t.mut(parent)
	// The counter of a parent that has had 2^31 children stays where it is,
	// and with it pzxid (DataTree.createNode only ever raises it).
	if p.created+1 > p.created {
		p.created++
		p.pzxid = t.tx.Zxid
	}
	t.dataBytes += int64(len(path) + len(data))
	t.indexed(id, name, true)
	return id
}

// unlink removes a znode without children.
func (t *Tree) unlink(id nodeID, path string) {
	name := string(t.name(t.get(id)))
	t.indexed(id, name, false)
	n := *t.get(id)
	t.detach(id)
	p := t.mut(n.parent)
	p.pzxid = max(p.pzxid, t.tx.Zxid)
	t.dataBytes -= int64(len(path)) + int64(max(n.dataLen, 0))
	*t.mut(id) = node{}
	t.dropBlob(n.blob)
	t.dropACL(n.acl)
	t.dropID(id)
}

// attach puts a filled record first among its siblings and counts it in its
// ancestors.
func (t *Tree) attach(id nodeID) {
	n := t.mut(id)
	parent, size := n.parent, uint32(4+n.nameLen)
	p := t.mut(parent)
	head := p.firstChild
	p.firstChild = id
	p.numChildren++
	p.listBytes += size
	t.mut(id).next = head
	if head != 0 {
		t.mut(head).prev = id
	}
	t.countAncestors(parent, 1)
}

func (t *Tree) detach(id nodeID) {
	n := *t.get(id)
	p := t.mut(n.parent)
	p.numChildren--
	p.listBytes -= uint32(4 + n.nameLen)
	if n.prev == 0 {
		p.firstChild = n.next
	} else {
		t.mut(n.prev).next = n.next
	}
	if n.next != 0 {
		t.mut(n.next).prev = n.prev
	}
	t.countAncestors(n.parent, ^uint32(0))
}

func (t *Tree) countAncestors(id nodeID, by uint32) {
	for {
		n := t.mut(id)
		n.descendants += by
		if id == rootID {
			return
		}
		id = n.parent
	}
}

// indexed enters a znode into, or takes it out of, everything that finds
// znodes otherwise than by their number.
func (t *Tree) indexed(id nodeID, name string, in bool) {
	n := t.get(id)
	h := t.index.hash(n.parent, name)
	if in {
		t.index.add(h, id)
		t.count++
	} else {
		t.index.remove(h, id)
		t.count--
	}
	switch {
	case n.owner == 0:
	case n.owner == containerOwner:
		setMember(t.containers, id, in)
	case isTTL(n.owner):
		setMember(t.ttls, id, in)
	default:
		t.ephemeral(n.owner, id, in)
	}
	if t.undoing {
		kind := undoRemove
		if in {
			kind = undoAdd
		}
		t.undo = append(t.undo, undoStep{kind: kind, id: id})
	}
}

func setMember(set map[nodeID]struct{}, id nodeID, in bool) {
	if in {
		set[id] = struct{}{}
	} else {
		delete(set, id)
	}
}

func (t *Tree) ephemeral(session int64, id nodeID, in bool) {
	set := t.ephemerals[session]
	if in {
		t.ephCount++
		if set == nil {
			set = map[nodeID]struct{}{}
			t.ephemerals[session] = set
		}
		set[id] = struct{}{}
		return
	}
	t.ephCount--
	delete(set, id)
	if len(set) == 0 {
		delete(t.ephemerals, session)
	}
}

// replaceData gives a znode new data, in place where nothing can see it.
func (t *Tree) replaceData(id nodeID, data []byte) {
	n := t.mut(id)
	t.dataBytes += int64(len(data)) - int64(max(n.dataLen, 0))
	if size := int(n.nameLen) + len(data); n.blob != 0 && !t.undoing && t.blobs.pins == 0 && slotClass(size) >= 0 &&
		slotClass(size) == t.blobs.slabs[n.blob>>slotBits].class {
		copy(t.blobs.get(n.blob)[n.nameLen:], data)
		n.dataLen = dataLen(data)
		return
	}
	old := n.blob
	n.blob, n.dataLen = takeBlob(t, t.name(n), data), dataLen(data)
	t.dropBlob(old)
}

// dataLen is what a record holds as the length of data: null is not empty.
func dataLen(data []byte) int32 {
	if data == nil {
		return -1
	}
	return int32(len(data))
}
