package znode

import "zkd/proto/jute"

// Tree is all znodes of a server. See the package comment for who may use it
// when.
type Tree struct {
	nodes  records[node]
	extras records[extra]
	index  index
	blobs  blobs
	acls   acls

	ephemerals map[int64]map[nodeID]struct{} // by session
	containers map[nodeID]struct{}
	ttls       map[nodeID]struct{}
	quotas     map[string]struct{} // paths with a limits znode

	count     int   // znodes, the root included
	dataBytes int64 // sum of path and data lengths
	ephCount  int
	digest    uint64

	tx        *Txn
	changes   []Change
	notices   []Notice
	undoing   bool
	undo      []undoStep
	fresh     []blobRef // taken in this multi, to be given back if it fails
	stale     stale
	oldSize   int64 // dataBytes before this multi
	oldDigest uint64
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

// Notice is something about the tree that an operator may want to know.
type Notice struct {
	Kind NoticeKind
	Path string
}

// NoticeKind tells what a Notice is about.
type NoticeKind uint8

// The notices there are.
const (
	ListGrown NoticeKind = iota // the znode's child list has just become longer than ListWarn
	OverQuota                   // the subtree uses more than a limit that is not enforced
)

// Txn is what all operations of one transaction share, decided before it
// entered the log.
type Txn struct {
	Zxid    int64
	Time    int64 // ms since the epoch
	Session int64
	Local   bool // the session may not have ephemerals
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
	root := t.nodes.add()
	*t.mut(root) = node{parent: root, acl: openACL}
	t.count, t.dataBytes = 1, 1
	for _, path := range []string{zookeeperPath, quotaPath, configPath} {
		parent, name, _ := splitParent(path)
		t.link(t.lookup(parent), path, name, []byte{}, openACL, 0)
	}
	for id := rootID; id < t.nodes.next; id++ {
		t.mutExtra(id).created = 0 // these children were never created by anybody
	}
	config := t.lookup(configPath)
	t.mut(config).acl = t.acls.acquire([]jute.ACL{{Perms: jute.PermRead, ID: jute.ID{Scheme: "world", ID: "anyone"}}})
	t.mutExtra(config).aversion = -1
	t.changes = nil
	t.digest = 0
	for id := rootID; id < t.nodes.next; id++ {
		t.digest += t.sum(t.key(id), id)
	}
	return t
}

// empty returns a tree without any znode, to be filled by New or Load.
func empty() *Tree {
	return &Tree{
		nodes:      newRecords[node](),
		extras:     newRecords[extra](),
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
	key := t.key(parent)
	t.digest -= t.moreSum(key, parent)
	id := t.nodes.add()
	*t.mut(id) = node{
		czxid: t.tx.Zxid, mzxid: t.tx.Zxid, ctime: t.tx.Time, mtime: t.tx.Time,
		parent: parent, acl: acl,
		blob: takeBlob(t, name, data), nameLen: int32(len(name)), dataLen: dataLen(data),
	}
	if owner != 0 {
		t.mutExtra(id).owner = owner
	}
	p := t.attach(id)
	// The counter of a parent that has had 2^31 children stays where it is,
	// and with it pzxid (DataTree.createNode only ever raises it).
	if p.created+1 > p.created {
		p.created++
		p.pzxid = t.tx.Zxid
	}
	t.digest += extraSum(key, p) + t.sum(childKey(key, t.name(t.get(id))), id)
	t.dataBytes += int64(len(path) + len(data))
	t.indexed(id, name, true)
	return id
}

// unlink removes a znode without children.
func (t *Tree) unlink(id nodeID, path string) {
	t.indexed(id, string(t.name(t.get(id))), false)
	n := *t.get(id)
	key := t.key(n.parent)
	t.digest -= t.moreSum(key, n.parent) + t.sum(childKey(key, t.name(&n)), id)
	p := t.detach(id)
	p.pzxid = max(p.pzxid, t.tx.Zxid)
	t.digest += extraSum(key, p)
	t.dataBytes -= int64(len(path)) + int64(max(n.dataLen, 0))
	*t.mut(id) = node{}
	t.dropNode(id, &n)
}

// attach puts a filled record first among its siblings, counts it in its
// ancestors, and returns what its parent has.
func (t *Tree) attach(id nodeID) *extra {
	n := t.get(id)
	parent, size := n.parent, uint32(4+n.nameLen)
	t.countAncestors(parent, 1)
	p := t.mutExtra(parent)
	if head := p.firstChild; head != 0 {
		t.mut(id).next = head
		t.mut(head).prev = id
	}
	p.firstChild = id
	p.numChildren++
	p.listBytes += size
	return p
}

// detach is the reverse of attach.
func (t *Tree) detach(id nodeID) *extra {
	n := *t.get(id)
	t.countAncestors(n.parent, ^uint32(0))
	p := t.mutExtra(n.parent)
	if n.prev == 0 {
		p.firstChild = n.next
	} else {
		t.mut(n.prev).next = n.next
	}
	if n.next != 0 {
		t.mut(n.next).prev = n.prev
	}
	p.numChildren--
	p.listBytes -= uint32(4 + n.nameLen)
	return p
}

func (t *Tree) countAncestors(id nodeID, by uint32) {
	for {
		t.mutExtra(id).descendants += by
		if id == rootID {
			return
		}
		id = t.get(id).parent
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
	switch owner := t.extra(n).owner; {
	case owner == 0:
	case owner == containerOwner:
		setMember(t.containers, id, in)
	case isTTL(owner):
		setMember(t.ttls, id, in)
	default:
		t.ephemeral(owner, id, in)
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

// setData gives a znode new data and what follows from that in its Stat.
func (t *Tree) setData(id nodeID, data []byte, version int32) {
	key := t.key(id)
	t.digest -= t.recordSum(key, t.get(id))
	t.storeData(id, key, data)
	n := t.mut(id)
	n.version, n.mzxid, n.mtime = version, t.tx.Zxid, t.tx.Time
	t.digest += t.recordSum(key, n)
}

// replaceData gives a znode new data without touching its Stat.
func (t *Tree) replaceData(id nodeID, data []byte) { t.storeData(id, t.key(id), data) }

// storeData stores the data of a znode, in place where nothing can see it.
// key is the znode's.
func (t *Tree) storeData(id nodeID, key uint64, data []byte) {
	n := t.mut(id)
	t.digest += dataSum(key, data) - dataSum(key, t.data(n))
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
