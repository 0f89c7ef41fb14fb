package oracle

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"

	"zkd/test/wire"
)

// The requests that servers put into the log for themselves (server/txn.go).
const (
	opAttach       wire.Op = -100
	opSetMembers   wire.Op = -101
	opReconfigDone wire.Op = -102
	opUpgrade      wire.Op = -103
	opWantMembers  wire.Op = -104
)

// localGeneration says that a session is known to one server only.
const localGeneration = 1<<32 - 1

// result is what an entry does.
type result struct {
	void  bool
	code  wire.Code
	reply []byte
	taken bool // a zxid
	// known is unset where the model cannot tell.
	known bool
}

// apply does what an entry says, and returns what should have come of it.
func (m *model) apply(e *Entry) (r result) {
	m.entry, m.changes = e, m.changes[:0]
	m.time = e.Time
	r.known = true
	before := m.zxid
	m.enterTerm(e)
	r.taken = m.run(e, &r)
	if r.taken {
		m.zxid++
	}
	if !r.known {
		m.zxid = max(before, e.Zxid)
	}
	return r
}

// enterTerm begins a new epoch with a term. Terms without requests leave no trace but a larger epoch.
func (m *model) enterTerm(e *Entry) {
	if e.Term <= m.term {
		return
	}
	m.term = e.Term
	epoch := max(m.zxid>>32+1, int64(e.Term))
	if there := e.Zxid >> 32; there > epoch && there <= epoch+int64(e.Term) {
		epoch = there
	}
	m.zxid = epoch << 32
}

func (m *model) run(e *Entry, r *result) (taken bool) {
	switch e.Op {
	case wire.OpCreateSession, opUpgrade:
		if m.sessions[e.Session] == nil {
			m.sessions[e.Session] = &sess{generation: e.Generation}
		}
		return true
	case opAttach:
		if s := m.sessions[e.Session]; s != nil {
			s.generation++
		}
		return false
	case wire.OpDeleteContainer:
		if n := m.unneeded(e.Body); n != nil {
			m.unlink(n)
		}
		return true
	case opSetMembers, opWantMembers:
		return false
	case opReconfigDone, wire.OpReconfig:
		r.known = false
		return false
	}
	s := m.sessions[e.Session]
	local := e.Generation == localGeneration
	if local == (s != nil) || s != nil && s.generation != e.Generation {
		r.void = true
		return false
	}
	switch e.Op {
	case wire.OpSync:
		return false
	case wire.OpClose:
		if len(e.Body) == 8 && binary.BigEndian.Uint64(e.Body) != e.Term {
			return false
		}
		m.closeSession(e.Session)
		return true
	}
	r.code, r.reply, taken = m.write(e)
	return taken
}

func (m *model) closeSession(id int64) {
	s := m.sessions[id]
	if s == nil {
		return
	}
	for _, path := range slices.Sorted(maps.Keys(s.ephemerals)) {
		m.unlink(m.nodes[path])
	}
	delete(m.sessions, id)
}

// unneeded is the container or TTL znode that a leader takes away, nil if it is needed again.
func (m *model) unneeded(body []byte) *node {
	b, err := wire.DecodeRequest(wire.OpSync, body)
	path, ok := b.(wire.Path)
	if err != nil || !ok || len(body) < 12+len(path) {
		return nil
	}
	mzxid := int64(binary.BigEndian.Uint64(body[4+len(path):]))
	n := m.lookup(string(path))
	if n == nil || len(n.children) > 0 || !n.container && n.ttl == 0 || n.mzxid != mzxid {
		return nil
	}
	return n
}

// write does a request that changes the tree, or would.
func (m *model) write(e *Entry) (code wire.Code, reply []byte, taken bool) {
	body, err := wire.DecodeRequest(e.Op, e.Body)
	if e.Op == wire.OpMulti {
		if err != nil || !m.sound(body.(wire.Multi)) {
			return wire.CodeMarshalling, nil, true
		}
		reply = m.multi(body.(wire.Multi))
		return 0, reply, true
	}
	if err != nil {
		return wire.CodeMarshalling, nil, false
	}
	code, reply = m.op(e.Op, body, nil)
	if code != 0 {
		reply = nil
	}
	return code, reply, true
}

// op does one operation and appends the body of its reply.
func (m *model) op(op wire.Op, body wire.Body, reply []byte) (wire.Code, []byte) {
	switch b := body.(type) {
	case wire.CreateTTL:
		return m.create(op, b.Create, b.TTL, reply)
	case wire.Create:
		return m.create(op, b, -1, reply)
	case wire.PathVersion:
		if op == wire.OpCheck {
			return m.check(b), reply
		}
		return m.delete(b), reply
	case wire.SetData:
		return m.setData(b, reply)
	case wire.SetACL:
		return m.setACL(b, reply)
	}
	panic(fmt.Sprintf("oracle: operation %d with %T", op, body))
}

// splitParent is where a path as a client gave it is to be created or deleted. The parent may be an odd path, which
// does not exist.
func splitParent(path string) (parent string, ok bool) {
	i := strings.LastIndexByte(path, '/')
	if i < 0 || strings.IndexByte(path, 0) >= 0 {
		return "", false
	}
	return path[:i], true
}

func (m *model) create(op wire.Op, c wire.Create, ttl int64, reply []byte) (wire.Code, []byte) {
	e := m.entry
	hasTTL := c.Flags == 5 || c.Flags == 6
	switch {
	case c.Flags < 0 || c.Flags > 6:
		return wire.CodeBadArguments, nil
	case hasTTL && !e.TTLNodes:
		return wire.CodeUnimplemented, nil
	case hasTTL != (op == wire.OpCreateTTL), hasTTL && (ttl < 1 || ttl > 0xffffffffff):
		return wire.CodeBadArguments, nil
	}
	n := &node{data: c.Data}
	ephemeral := c.Flags == 1 || c.Flags == 3
	switch {
	case hasTTL:
		n.ttl = ttl
	case op == wire.OpCreateContainer:
		n.container = true
	case ephemeral && e.Generation == localGeneration:
		return wire.CodeEphemeralOnLocalSession, nil
	case ephemeral:
		n.owner = e.Session
	}
	if c.Path == wire.Null {
		return wire.CodeMarshalling, nil
	}
	parentPath, ok := splitParent(c.Path)
	if !ok {
		return wire.CodeBadArguments, nil
	}
	if n.acl, ok = fixACL(c.ACL, e.IDs); !ok {
		return m.aclError(c.ACL), nil
	}
	p := m.lookup(parentPath)
	if p == nil {
		return wire.CodeNoNode, nil
	}
	if !e.SkipACL && !allowed(p.acl, permCreate, e.IDs) {
		return wire.CodeNoAuth, nil
	}
	n.path = c.Path
	if c.Flags == 2 || c.Flags == 3 || c.Flags == 6 {
		n.path += fmt.Sprintf("%010d", p.created)
	}
	if !validPath(n.path) {
		return wire.CodeBadArguments, nil
	}
	if m.nodes[n.path] != nil {
		return wire.CodeNodeExists, nil
	}
	if p.owner != 0 {
		return wire.CodeNoChildrenForEphemerals, nil
	}
	z := m.zxid + 1
	n.czxid, n.mzxid, n.pzxid, n.ctime, n.mtime = z, z, z, m.time, m.time
	m.link(n)
	reply = appendString(reply, n.path)
	if op != wire.OpCreate {
		reply = appendStat(reply, n.stat())
	}
	return 0, reply
}

// aclError is what is said of a list that is not valid: the entry that is stumbled over first may have a null id.
func (m *model) aclError(list []wire.ACL) wire.Code {
	for i, a := range list {
		if a.ID == wire.Null {
			return wire.CodeMarshalling
		}
		if _, ok := fixACL(list[i:i+1], m.entry.IDs); !ok {
			break
		}
	}
	return wire.CodeInvalidACL
}

func system(path string) bool {
	return path == "/" || path == "/zookeeper" || path == "/zookeeper/quota" || path == configPath
}

func (m *model) delete(d wire.PathVersion) wire.Code {
	if d.Path == wire.Null {
		return wire.CodeMarshalling
	}
	parentPath, ok := splitParent(d.Path)
	if !ok || system(d.Path) {
		return wire.CodeBadArguments
	}
	p := m.lookup(parentPath)
	if p == nil {
		return wire.CodeNoNode
	}
	if !m.entry.SkipACL && !allowed(p.acl, permDelete, m.entry.IDs) {
		return wire.CodeNoAuth
	}
	n := m.nodes[d.Path]
	switch {
	case n == nil:
		return wire.CodeNoNode
	case d.Version != -1 && d.Version != n.version:
		return wire.CodeBadVersion
	case len(n.children) > 0:
		return wire.CodeNotEmpty
	}
	m.unlink(n)
	return 0
}

func nextVersion(v int32) int32 {
	if v == -2 {
		return 0
	}
	return v + 1
}

func (m *model) setData(d wire.SetData, reply []byte) (wire.Code, []byte) {
	if !validPath(d.Path) {
		return wire.CodeBadArguments, nil
	}
	n := m.nodes[d.Path]
	switch {
	case n == nil:
		return wire.CodeNoNode, nil
	case !m.entry.SkipACL && !allowed(n.acl, permWrite, m.entry.IDs):
		return wire.CodeNoAuth, nil
	case d.Version != -1 && d.Version != n.version:
		return wire.CodeBadVersion, nil
	}
	m.save(n)
	n.data, n.version, n.mzxid, n.mtime = d.Data, nextVersion(n.version), m.zxid+1, m.time
	m.changed(nodeDataChanged, n)
	return 0, appendStat(reply, n.stat())
}

func (m *model) setACL(a wire.SetACL, reply []byte) (wire.Code, []byte) {
	if !validPath(a.Path) {
		return wire.CodeBadArguments, nil
	}
	acl, ok := fixACL(a.ACL, m.entry.IDs)
	if !ok {
		return m.aclError(a.ACL), nil
	}
	n := m.nodes[a.Path]
	switch {
	case n == nil:
		return wire.CodeNoNode, nil
	case !m.entry.SkipACL && !allowed(n.acl, permAdmin, m.entry.IDs):
		return wire.CodeNoAuth, nil
	case a.Version != -1 && a.Version != n.aversion:
		return wire.CodeBadVersion, nil
	}
	n.acl, n.aversion = acl, nextVersion(n.aversion)
	return 0, appendStat(reply, n.stat())
}

func (m *model) check(c wire.PathVersion) wire.Code {
	if !validPath(c.Path) {
		return wire.CodeBadArguments
	}
	n := m.nodes[c.Path]
	switch {
	case n == nil:
		return wire.CodeNoNode
	case !m.entry.SkipACL && !allowed(n.acl, permRead, m.entry.IDs):
		return wire.CodeNoAuth
	case c.Version != -1 && c.Version != n.version:
		return wire.CodeBadVersion
	}
	return 0
}

// sound tells whether ZooKeeper's decoder takes a multi.
func (m *model) sound(ops wire.Multi) bool {
	for i, o := range ops.Ops {
		switch b := o.Body.(type) {
		case wire.Create:
			if b.Flags < 0 || b.Flags > 4 || b.ACL == nil || b.Path == wire.Null {
				return false
			}
			if b.Flags == 4 {
				ops.Ops[i].Op = wire.OpCreateContainer
			}
		case wire.CreateTTL:
			switch {
			case b.Path == wire.Null:
				return false
			case b.Flags == 4:
				ops.Ops[i].Op = wire.OpCreateContainer
			case b.Flags >= 0 && b.Flags < 4:
				ops.Ops[i].Op = wire.OpCreate
			}
		case wire.PathVersion:
			if b.Path == wire.Null {
				return false
			}
		case wire.SetData:
			if b.Path == wire.Null {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// multi does all operations or none.
func (m *model) multi(ops wire.Multi) (reply []byte) {
	m.inMulti, m.undo = true, m.undo[:0]
	changes := len(m.changes)
	failed, code := len(ops.Ops), wire.Code(0)
	for i, o := range ops.Ops {
		var body []byte
		if code, body = m.op(o.Op, o.Body, nil); code != 0 {
			failed = i
			break
		}
		typ := o.Op
		if typ == wire.OpCreateContainer || typ == wire.OpCreateTTL {
			typ = wire.OpCreate2
		}
		reply = append(appendMultiHeader(reply, typ, false, 0), body...)
	}
	m.inMulti = false
	if failed == len(ops.Ops) {
		return appendMultiHeader(reply, -1, true, -1)
	}
	for _, undo := range slices.Backward(m.undo) {
		undo()
	}
	m.changes = m.changes[:changes]
	reply = reply[:0]
	for i := range ops.Ops {
		c := wire.Code(0)
		switch {
		case i == failed:
			c = code
		case i > failed:
			c = wire.CodeRuntimeInconsistency
		}
		reply = binary.BigEndian.AppendUint32(appendMultiHeader(reply, -1, false, c), uint32(c))
	}
	return appendMultiHeader(reply, -1, true, -1)
}

func appendMultiHeader(b []byte, op wire.Op, done bool, code wire.Code) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(op))
	if done {
		b = append(b, 1)
	} else {
		b = append(b, 0)
	}
	return binary.BigEndian.AppendUint32(b, uint32(code))
}

func appendString(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
}

func appendBuffer(b, data []byte) []byte {
	if data == nil {
		return binary.BigEndian.AppendUint32(b, 1<<32-1)
	}
	return append(binary.BigEndian.AppendUint32(b, uint32(len(data))), data...)
}

func appendStat(b []byte, s wire.Stat) []byte {
	be := binary.BigEndian
	for _, v := range []int64{s.Czxid, s.Mzxid, s.Ctime, s.Mtime} {
		b = be.AppendUint64(b, uint64(v))
	}
	for _, v := range []int32{s.Version, s.Cversion, s.Aversion} {
		b = be.AppendUint32(b, uint32(v))
	}
	b = be.AppendUint64(b, uint64(s.EphemeralOwner))
	b = be.AppendUint32(be.AppendUint32(b, uint32(s.DataLength)), uint32(s.NumChildren))
	return be.AppendUint64(b, uint64(s.Pzxid))
}
