package znode

import (
	"slices"
	"strconv"

	"zkd/proto/jute"
)

// The write operations. Each checks in the order that
// PrepRequestProcessor.pRequest2Txn does, so that a request with several
// faults gets the error that ZooKeeper gives, and changes the tree only when
// nothing is left that could fail. Begin comes first.

// maxDataBytes is how much paths and data of all znodes together may take
// before nothing may grow any more: half of what references to slabs can reach,
// which leaves room for what slabs waste.
const maxDataBytes = 32 << 30

// Changes returns what the transaction did so far, in order. The slice and
// the paths in it are valid until the next Begin.
func (t *Tree) Changes() []Change { return t.changes }

// Notices returns what the transaction did that somebody should be told of.
// Like the changes they are valid until the next Begin.
func (t *Tree) Notices() []Notice { return t.notices }

// Create makes a znode and returns its final path. op is one of the create
// family; what it makes follows from op and mode together, as in ZooKeeper.
func (t *Tree) Create(op jute.Op, c *jute.CreateRequest) (path string, stat jute.Stat, code jute.Code) {
	owner, code := t.newOwner(op, c)
	if code != jute.OK {
		return "", stat, code
	}
	if c.NullPath {
		return "", stat, jute.ErrMarshalling
	}
	parentPath, _, ok := splitParent(c.Path)
	if !ok {
		return "", stat, jute.ErrBadArguments
	}
	acl, code := fixACL(c.ACL, t.tx.Actor.IDs)
	if code != jute.OK {
		return "", stat, code
	}
	parent := t.lookup(parentPath)
	if parent == 0 {
		return "", stat, jute.ErrNoNode
	}
	if !t.allowed(t.get(parent).acl, jute.PermCreate, &t.tx.Actor) {
		return "", stat, jute.ErrNoAuth
	}
	path = c.Path
	if c.Mode.Sequential() {
		path += sequenceSuffix(t.extra(t.get(parent)).created)
	}
	if !ValidPath(path) {
		return "", stat, jute.ErrBadArguments
	}
	_, name, _ := splitParent(path)
	if path == "/" || t.find(parent, name) != 0 {
		return "", stat, jute.ErrNodeExists
	}
	if code := t.roomBelow(parent, path, name, c.Data); code != jute.OK {
		return "", stat, code
	}
	before := t.listReply(parent)
	id := t.link(parent, path, name, c.Data, t.acls.acquire(acl), owner)
	if warn := t.tx.ListWarn; warn > 0 && before <= warn && t.listReply(parent) > warn {
		t.notices = append(t.notices, Notice{ListGrown, t.path(parent)})
	}
	t.quotaCreated(path, c.Data)
	t.changed(jute.EventNodeCreated, path, t.get(id).acl, t.get(parent).acl)
	return path, t.stat(t.get(id)), jute.OK
}

// newOwner returns what the owner field of the new znode is to hold.
func (t *Tree) newOwner(op jute.Op, c *jute.CreateRequest) (int64, jute.Code) {
	if !c.Mode.Valid() {
		return 0, jute.ErrBadArguments
	}
	if c.Mode.TTL() && !t.tx.TTLNodes {
		return 0, jute.ErrUnimplemented
	}
	// A time to live goes with opcode createTTL and a TTL mode, or with neither.
	if c.Mode.TTL() != (op == jute.OpCreateTTL) {
		return 0, jute.ErrBadArguments
	}
	switch {
	case c.Mode.TTL():
		if c.TTL < 1 || c.TTL > MaxTTL {
			return 0, jute.ErrBadArguments
		}
		return ttlOwner(c.TTL), jute.OK
	case op == jute.OpCreateContainer:
		return containerOwner, jute.OK
	case c.Mode.Ephemeral() && t.tx.Local:
		return 0, jute.ErrEphOnLocalSession
	case c.Mode.Ephemeral():
		return t.tx.Session, jute.OK
	}
	return 0, jute.OK
}

// sequenceSuffix is the parent's counter in ten digits.
func sequenceSuffix(counter int32) string {
	digits := strconv.AppendInt(make([]byte, 0, 24), int64(counter), 10)
	const width = 10
	if pad := width - len(digits); pad > 0 {
		return "0000000000"[:pad] + string(digits)
	}
	return string(digits)
}

// roomBelow tells whether parent may have one more child.
func (t *Tree) roomBelow(parent nodeID, path, name string, data []byte) jute.Code {
	if isEphemeral(t.extra(t.get(parent)).owner) {
		return jute.ErrNoChildrenForEph
	}
	if code := t.checkQuota(path, int64(len(data)), 1); code != jute.OK {
		return code
	}
	if t.dataBytes > maxDataBytes {
		return jute.ErrQuotaExceeded
	}
	// A child list that cannot be sent would be a trap: the children could
	// neither be listed nor, by those who do not know their names, deleted. So
	// the child that would make it so is refused.
	if limit := t.tx.ListLimit; limit > 0 && t.listReply(parent)+4+len(name) > limit {
		return jute.ErrBadArguments
	}
	return jute.OK
}

// listReply is the length of the reply that lists a znode's children.
func (t *Tree) listReply(id nodeID) int {
	return jute.ReplyHeaderSize + 4 + int(t.extra(t.get(id)).listBytes) + jute.StatSize
}

// Delete removes a znode without children.
func (t *Tree) Delete(path string, version int32) jute.Code {
	parentPath, name, ok := splitParent(path)
	if !ok || isSystemPath(path) {
		return jute.ErrBadArguments
	}
	parent := t.lookup(parentPath)
	if parent == 0 {
		return jute.ErrNoNode
	}
	if !t.allowed(t.get(parent).acl, jute.PermDelete, &t.tx.Actor) {
		return jute.ErrNoAuth
	}
	// "//x" has the root as its parent, but is no other name of /x.
	id := t.find(parent, name)
	if id == 0 || parentPath == "/" {
		return jute.ErrNoNode
	}
	n := t.get(id)
	if version != -1 && version != n.version {
		return jute.ErrBadVersion
	}
	if t.firstChild(n) != 0 {
		return jute.ErrNotEmpty
	}
	t.remove(id, path)
	return jute.OK
}

// DeleteContainer removes a container or TTL znode that is due, unless it has
// got children or new data since: mzxid is what the reaper saw.
func (t *Tree) DeleteContainer(path string, mzxid int64) jute.Code {
	id := t.lookup(path)
	if id == 0 {
		return jute.ErrNoNode
	}
	n := t.get(id)
	switch x := t.extra(n); {
	case x.numChildren > 0:
		return jute.ErrNotEmpty
	case x.owner != containerOwner && !isTTL(x.owner), n.mzxid != mzxid:
		return jute.ErrBadVersion
	}
	t.remove(id, path)
	return jute.OK
}

func (t *Tree) remove(id nodeID, path string) {
	n := t.get(id)
	acl, parent, size := n.acl, n.parent, int64(max(n.dataLen, 0))
	t.unlink(id, path)
	t.quotaDeleted(path, size)
	t.changed(jute.EventNodeDeleted, path, acl, t.get(parent).acl)
}

// SetData replaces a znode's data.
func (t *Tree) SetData(path string, data []byte, version int32) (stat jute.Stat, code jute.Code) {
	if !ValidPath(path) {
		return stat, jute.ErrBadArguments
	}
	id := t.lookup(path)
	if id == 0 {
		return stat, jute.ErrNoNode
	}
	n := t.get(id)
	if !t.allowed(n.acl, jute.PermWrite, &t.tx.Actor) {
		return stat, jute.ErrNoAuth
	}
	growth := int64(len(data)) - int64(max(n.dataLen, 0))
	if code := t.checkQuota(path, growth, 0); code != jute.OK {
		return stat, code
	}
	if version != -1 && version != n.version {
		return stat, jute.ErrBadVersion
	}
	if growth > 0 && t.dataBytes > maxDataBytes {
		return stat, jute.ErrQuotaExceeded
	}
	t.setData(id, data, nextVersion(n.version))
	t.quotaSet(path, growth)
	t.changed(jute.EventNodeDataChanged, path, n.acl, 0)
	return t.stat(t.get(id)), jute.OK
}

// SetACL replaces a znode's access control list.
func (t *Tree) SetACL(s *jute.SetACLRequest) (stat jute.Stat, code jute.Code) {
	if !ValidPath(s.Path) {
		return stat, jute.ErrBadArguments
	}
	list, code := fixACL(s.ACL, t.tx.Actor.IDs)
	if code != jute.OK {
		return stat, code
	}
	id := t.lookup(s.Path)
	if id == 0 {
		return stat, jute.ErrNoNode
	}
	n := t.get(id)
	if !t.allowed(n.acl, jute.PermAdmin, &t.tx.Actor) {
		return stat, jute.ErrNoAuth
	}
	if s.Version != -1 && s.Version != t.extra(n).aversion {
		return stat, jute.ErrBadVersion
	}
	key := t.key(id)
	t.digest -= t.recordSum(key, n) + t.moreSum(key, id)
	x := t.mutExtra(id)
	x.aversion = nextVersion(x.aversion)
	n = t.mut(id)
	t.acls.release(n.acl)
	n.acl = t.acls.acquire(list)
	t.digest += t.recordSum(key, n) + extraSum(key, x)
	return t.stat(n), jute.OK
}

// Check tells whether a znode has that version.
func (t *Tree) Check(path string, version int32) jute.Code {
	if !ValidPath(path) {
		return jute.ErrBadArguments
	}
	id := t.lookup(path)
	if id == 0 {
		return jute.ErrNoNode
	}
	n := t.get(id)
	if !t.allowed(n.acl, jute.PermRead, &t.tx.Actor) {
		return jute.ErrNoAuth
	}
	if version != -1 && version != n.version {
		return jute.ErrBadVersion
	}
	return jute.OK
}

// CloseSession removes all ephemerals of a session, in the order of their
// paths, so that every server does the same.
func (t *Tree) CloseSession(session int64) {
	paths := t.Ephemerals(session)
	for _, path := range paths {
		t.remove(t.lookup(path), path)
	}
}

// Ephemerals returns the paths of a session's ephemerals, sorted.
func (t *Tree) Ephemerals(session int64) []string {
	set := t.ephemerals[session]
	paths := make([]string, 0, len(set))
	for id := range set {
		paths = append(paths, t.path(id))
	}
	slices.Sort(paths)
	return paths
}

// nextVersion skips -1, which as an expected version means any.
func nextVersion(v int32) int32 {
	if v == -2 {
		return 0
	}
	return v + 1
}

func (t *Tree) changed(typ jute.EventType, path string, acl, parentACL aclID) {
	t.changes = append(t.changes, Change{typ, path, ACL(acl), ACL(parentACL)})
}
