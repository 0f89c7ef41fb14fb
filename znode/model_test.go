package znode

import (
	"maps"
	"slices"
	"strings"

	"zkd/proto/jute"
)

// model is a tree as the specification tells it: a map from paths to znodes.
// It shares with Tree only what has tables of its own: the checks of paths,
// ACL lists and the text of quotas.
type model struct {
	nodes   map[string]*modelNode
	changes []string
	tx      *Txn
}

type modelNode struct {
	data    []byte
	acl     []jute.ACL
	owner   int64
	created int32
	kids    int32
	stat    jute.Stat
}

func newModel() *model {
	m := &model{nodes: map[string]*modelNode{}}
	for path, kids := range map[string]int32{"/": 1, zookeeperPath: 2, quotaPath: 0, configPath: 0} {
		m.nodes[path] = &modelNode{data: []byte{}, acl: open, kids: kids}
	}
	m.nodes[configPath].acl = worldACL(jute.PermRead)
	m.nodes[configPath].stat.Aversion = -1
	return m
}

func (m *model) clone() *model {
	c := &model{nodes: make(map[string]*modelNode, len(m.nodes)), tx: m.tx}
	for path, n := range m.nodes {
		copied := *n
		c.nodes[path] = &copied
	}
	return c
}

func (m *model) begin(tx *Txn) { m.tx, m.changes = tx, nil }

func (m *model) get(path string) *modelNode {
	if path == "" {
		path = "/"
	}
	return m.nodes[path]
}

func (n *modelNode) wire() jute.Stat {
	s := n.stat
	s.DataLength, s.NumChildren, s.Cversion = int32(len(n.data)), n.kids, 2*n.created-n.kids
	if n.owner != 0 && n.owner != containerOwner && uint64(n.owner)>>56 != 0xff {
		s.EphemeralOwner = n.owner
	}
	return s
}

func (m *model) dump() string {
	var lines []string
	for path, n := range m.nodes {
		lines = append(lines, line(path, n.wire(), n.created, n.owner, n.data, n.acl))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func (m *model) may(n *modelNode, perm int32) bool {
	for _, id := range m.tx.Actor.IDs {
		if id.Scheme == "super" {
			return true
		}
	}
	for _, e := range n.acl {
		if e.Perms&perm != 0 && (e.ID.ID == "anyone" || slices.Contains(m.tx.Actor.IDs, e.ID)) {
			return true
		}
	}
	return false
}

func parentOf(path string) (parent string, ok bool) {
	i := strings.LastIndex(path, "/")
	if i < 0 || strings.Contains(path, "\x00") {
		return "", false
	}
	return path[:i], true
}

func (m *model) create(op jute.Op, c *jute.CreateRequest) (string, jute.Stat, jute.Code) {
	fail := func(code jute.Code) (string, jute.Stat, jute.Code) { return "", jute.Stat{}, code }
	var owner int64
	ttl := c.Mode == jute.PersistentTTL || c.Mode == jute.PersistentSequentialTTL
	switch {
	case c.Mode < 0 || c.Mode > 6:
		return fail(jute.ErrBadArguments)
	case ttl && !m.tx.TTLNodes:
		return fail(jute.ErrUnimplemented)
	case ttl != (op == jute.OpCreateTTL):
		return fail(jute.ErrBadArguments)
	case ttl && (c.TTL < 1 || c.TTL > 0xFFFFFFFFFF):
		return fail(jute.ErrBadArguments)
	case ttl:
		owner = -1<<56 | c.TTL
	case op == jute.OpCreateContainer:
		owner = -1 << 63
	case c.Mode == jute.Ephemeral || c.Mode == jute.EphemeralSequential:
		owner = m.tx.Session
	}
	parentPath, ok := parentOf(c.Path)
	if !ok {
		return fail(jute.ErrBadArguments)
	}
	acl, code := fixACL(slices.Clone(c.ACL), m.tx.Actor.IDs)
	if code != jute.OK {
		return fail(code)
	}
	parent := m.get(parentPath)
	if parent == nil {
		return fail(jute.ErrNoNode)
	}
	if !m.may(parent, jute.PermCreate) {
		return fail(jute.ErrNoAuth)
	}
	path := c.Path
	if c.Mode == 2 || c.Mode == 3 || c.Mode == 6 {
		path += sequenceSuffix(parent.created)
	}
	if !ValidPath(path) {
		return fail(jute.ErrBadArguments)
	}
	if m.nodes[path] != nil {
		return fail(jute.ErrNodeExists)
	}
	if parent.wire().EphemeralOwner != 0 {
		return fail(jute.ErrNoChildrenForEph)
	}
	if code := m.quota(path, int64(len(c.Data)), 1); code != jute.OK {
		return fail(code)
	}
	n := &modelNode{data: slices.Clone(c.Data), acl: acl, owner: owner}
	n.stat = jute.Stat{Czxid: m.tx.Zxid, Mzxid: m.tx.Zxid, Pzxid: m.tx.Zxid, Ctime: m.tx.Time, Mtime: m.tx.Time}
	m.nodes[path] = n
	parent.kids++
	if parent.created < 1<<31-1 {
		parent.created++
		parent.stat.Pzxid = m.tx.Zxid
	}
	if prefix, ok := strings.CutSuffix(path, "/"+statsName); ok && strings.HasPrefix(prefix, quotaPath+"/") {
		m.recount(prefix[len(quotaPath):])
	}
	m.use(path, int64(len(c.Data)), 1)
	m.changes = append(m.changes, "created "+path)
	return path, n.wire(), jute.OK
}

func (m *model) delete(path string, version int32) jute.Code {
	parentPath, ok := parentOf(path)
	if !ok || path == "/" || path == "/zookeeper" || path == "/zookeeper/quota" || path == "/zookeeper/config" {
		return jute.ErrBadArguments
	}
	parent, n := m.get(parentPath), m.nodes[path]
	switch {
	case parent == nil:
		return jute.ErrNoNode
	case !m.may(parent, jute.PermDelete):
		return jute.ErrNoAuth
	case n == nil:
		return jute.ErrNoNode
	case version != -1 && version != n.stat.Version:
		return jute.ErrBadVersion
	case n.kids > 0:
		return jute.ErrNotEmpty
	}
	m.remove(path)
	return jute.OK
}

func (m *model) remove(path string) {
	n := m.nodes[path]
	delete(m.nodes, path)
	parentPath, _ := parentOf(path)
	parent := m.get(parentPath)
	parent.kids--
	parent.stat.Pzxid = max(parent.stat.Pzxid, m.tx.Zxid)
	m.use(path, -int64(len(n.data)), -1)
	m.changes = append(m.changes, "deleted "+path)
}

func (m *model) deleteContainer(path string, mzxid int64) jute.Code {
	n := m.get(path)
	switch {
	case n == nil:
		return jute.ErrNoNode
	case n.kids > 0:
		return jute.ErrNotEmpty
	case n.owner == 0 || n.wire().EphemeralOwner != 0 || n.stat.Mzxid != mzxid:
		return jute.ErrBadVersion
	}
	m.remove(path)
	return jute.OK
}

func bump(v int32) int32 {
	if v++; v == -1 {
		return 0
	}
	return v
}

func (m *model) set(path string, data []byte, version int32) (s jute.Stat, code jute.Code) {
	n := m.nodes[path]
	if !ValidPath(path) {
		return s, jute.ErrBadArguments
	}
	if n == nil {
		return s, jute.ErrNoNode
	}
	if !m.may(n, jute.PermWrite) {
		return s, jute.ErrNoAuth
	}
	growth := int64(len(data) - len(n.data))
	if code := m.quota(path, growth, 0); code != jute.OK {
		return s, code
	}
	if version != -1 && version != n.stat.Version {
		return s, jute.ErrBadVersion
	}
	n.data = slices.Clone(data)
	n.stat.Version, n.stat.Mzxid, n.stat.Mtime = bump(n.stat.Version), m.tx.Zxid, m.tx.Time
	m.use(path, growth, 0)
	m.changes = append(m.changes, "changed "+path)
	return n.wire(), jute.OK
}

func (m *model) setACL(path string, acl []jute.ACL, version int32) (s jute.Stat, code jute.Code) {
	if !ValidPath(path) {
		return s, jute.ErrBadArguments
	}
	list, code := fixACL(slices.Clone(acl), m.tx.Actor.IDs)
	n := m.nodes[path]
	switch {
	case code != jute.OK:
		return s, code
	case n == nil:
		return s, jute.ErrNoNode
	case !m.may(n, jute.PermAdmin):
		return s, jute.ErrNoAuth
	case version != -1 && version != n.stat.Aversion:
		return s, jute.ErrBadVersion
	}
	n.acl, n.stat.Aversion = list, bump(n.stat.Aversion)
	return n.wire(), jute.OK
}

func (m *model) check(path string, version int32) jute.Code {
	n := m.nodes[path]
	switch {
	case !ValidPath(path):
		return jute.ErrBadArguments
	case n == nil:
		return jute.ErrNoNode
	case !m.may(n, jute.PermRead):
		return jute.ErrNoAuth
	case version != -1 && version != n.stat.Version:
		return jute.ErrBadVersion
	}
	return jute.OK
}

func (m *model) closeSession(session int64) {
	for _, path := range slices.Sorted(maps.Keys(m.nodes)) {
		if n := m.nodes[path]; n.wire().EphemeralOwner == session {
			m.remove(path)
		}
	}
}

func (m *model) due(now, neverUsed int64) []Due {
	due := []Due{}
	for path, n := range m.nodes {
		age := now - n.stat.Mtime
		container := n.owner == -1<<63 && (n.created > 0 || neverUsed != 0 && age > neverUsed)
		ttl := uint64(n.owner)>>56 == 0xff && age > n.owner&0xFFFFFFFFFF
		if n.kids == 0 && (container || ttl) {
			due = append(due, Due{path, n.stat.Mzxid})
		}
	}
	return due
}

// quotaAbove is the deepest prefix of path whose limits znode exists.
func (m *model) quotaAbove(path string) string {
	for ; path != ""; path = path[:strings.LastIndex(path, "/")] {
		if m.nodes[quotaPath+path+"/"+limitsName] != nil && path != "/" {
			return path
		}
	}
	return ""
}

func (m *model) quota(path string, bytes, count int64) jute.Code {
	prefix := m.quotaAbove(path)
	if !m.tx.EnforceQuota || prefix == "" {
		return jute.OK
	}
	limits, ok := parseTrack(m.nodes[quotaPath+prefix+"/"+limitsName].data)
	if !ok {
		return jute.ErrMarshalling
	}
	stats := m.nodes[quotaPath+prefix+"/"+statsName]
	counted := count > 0 && (limits.count >= 0 || limits.countHard >= 0)
	weighed := bytes != 0 && (limits.bytes >= 0 || limits.byteHard >= 0)
	if stats == nil || !counted && !weighed {
		return jute.OK
	}
	used, ok := parseTrack(stats.data)
	if !ok || stats.data == nil {
		return jute.ErrMarshalling
	}
	if counted && limits.countHard >= 0 && used.count+count > limits.countHard ||
		weighed && limits.byteHard >= 0 && used.bytes+bytes > limits.byteHard {
		return jute.ErrQuotaExceeded
	}
	return jute.OK
}

func (m *model) use(path string, bytes, count int64) {
	prefix := m.quotaAbove(path)
	stats := m.nodes[quotaPath+prefix+"/"+statsName]
	if prefix == "" || stats == nil {
		return
	}
	used, ok := parseTrack(stats.data)
	if !ok {
		m.recount(prefix)
		return
	}
	used.count, used.bytes = used.count+count, used.bytes+bytes
	stats.data = used.append(nil)
}

func (m *model) recount(prefix string) {
	used := track{0, 0, -1, -1}
	for path, n := range m.nodes {
		if path == prefix || strings.HasPrefix(path, prefix+"/") {
			used.count++
			used.bytes += int64(len(n.data))
		}
	}
	m.nodes[quotaPath+prefix+"/"+statsName].data = used.append(nil)
}
