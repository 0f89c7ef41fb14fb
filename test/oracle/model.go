package oracle

import (
	"net/netip"
	"slices"
	"strings"

	"zkd/test/wire"
)

// model is a ZooKeeper tree with its sessions, as simple as can be: it re-derives what every request does from
// ZooKeeper's documents, and shares nothing with zkd's own. It knows no quotas and no limits of size.
type model struct {
	nodes    map[string]*node
	sessions map[int64]*sess
	zxid     int64 // of the last transaction; the one under way has the next
	time     int64
	term     uint64

	entry   *Entry   // under way
	changes []change // of the entry under way
	undo    []func() // of a multi under way
	inMulti bool
}

// sess is a session that exists.
type sess struct {
	generation uint32
	ephemerals map[string]struct{}
}

// node is a znode. data is nil for null.
type node struct {
	path                       string
	data                       []byte
	acl                        []wire.ACL // nil is open
	czxid, mzxid, pzxid        int64
	ctime, mtime               int64
	version, aversion, created int32
	owner                      int64 // session of an ephemeral
	container                  bool
	ttl                        int64               // ms, 0 for any time
	children                   map[string]struct{} // names
	opaque                     bool                // its content is not the model's business
}

// change is what an operation did, for those who watch.
type change struct {
	typ       wire.EventType
	path      string
	acl       []wire.ACL // of the znode
	parentACL []wire.ACL
}

// The types of events.
const (
	nodeCreated         wire.EventType = 1
	nodeDeleted         wire.EventType = 2
	nodeDataChanged     wire.EventType = 3
	nodeChildrenChanged wire.EventType = 4
)

// configPath shows the members of an ensemble, which the model does not know.
const configPath = "/zookeeper/config"

func newModel() *model {
	m := &model{nodes: map[string]*node{}, sessions: map[int64]*sess{}}
	for _, path := range []string{"/", "/zookeeper", "/zookeeper/quota", configPath} {
		m.nodes[path] = &node{path: path, data: []byte{}, children: map[string]struct{}{}}
		if path != "/" {
			m.nodes[parentOf(path)].children[nameOf(path)] = struct{}{}
		}
	}
	c := m.nodes[configPath]
	c.aversion, c.opaque, c.acl = -1, true, []wire.ACL{{Perms: permRead, Scheme: "world", ID: "anyone"}}
	return m
}

func parentOf(path string) string {
	if i := strings.LastIndexByte(path, '/'); i > 0 {
		return path[:i]
	}
	return "/"
}

func nameOf(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// lookup finds a znode by a path as a client gave it: the empty one is another name of the root.
func (m *model) lookup(path string) *node {
	if path == "" {
		path = "/"
	}
	return m.nodes[path]
}

func (n *node) stat() wire.Stat {
	return wire.Stat{
		Czxid: n.czxid, Mzxid: n.mzxid, Ctime: n.ctime, Mtime: n.mtime,
		Version: n.version, Cversion: 2*n.created - int32(len(n.children)), Aversion: n.aversion,
		EphemeralOwner: n.owner, DataLength: int32(len(n.data)), NumChildren: int32(len(n.children)), Pzxid: n.pzxid,
	}
}

// changed notes a change for those who watch.
func (m *model) changed(typ wire.EventType, n *node) {
	c := change{typ: typ, path: n.path, acl: n.acl}
	if p := m.nodes[parentOf(n.path)]; p != nil {
		c.parentACL = p.acl
	}
	m.changes = append(m.changes, c)
}

// save makes a multi that fails put a znode back as it is now.
func (m *model) save(n *node) {
	if m.inMulti {
		old := *n
		m.undo = append(m.undo, func() { *n = old })
	}
}

func (m *model) later(undo func()) {
	if m.inMulti {
		m.undo = append(m.undo, undo)
	}
}

// link adds a znode that does not exist.
func (m *model) link(n *node) {
	p := m.nodes[parentOf(n.path)]
	m.save(p)
	name := nameOf(n.path)
	if p.children == nil {
		p.children = map[string]struct{}{}
	}
	p.children[name] = struct{}{}
	m.nodes[n.path] = n
	if p.created != 1<<31-1 {
		p.created++
		p.pzxid = m.zxid + 1
	}
	s := m.sessions[n.owner]
	if n.owner != 0 && s != nil {
		if s.ephemerals == nil {
			s.ephemerals = map[string]struct{}{}
		}
		s.ephemerals[n.path] = struct{}{}
	}
	m.later(func() {
		delete(p.children, name)
		delete(m.nodes, n.path)
		if s != nil {
			delete(s.ephemerals, n.path)
		}
	})
	m.changed(nodeCreated, n)
}

// unlink removes a znode without children.
func (m *model) unlink(n *node) {
	m.changed(nodeDeleted, n)
	p := m.nodes[parentOf(n.path)]
	m.save(p)
	name := nameOf(n.path)
	delete(p.children, name)
	delete(m.nodes, n.path)
	p.pzxid = max(p.pzxid, m.zxid+1)
	s := m.sessions[n.owner]
	if n.owner != 0 && s != nil {
		delete(s.ephemerals, n.path)
	}
	m.later(func() {
		p.children[name] = struct{}{}
		m.nodes[n.path] = n
		if n.owner != 0 && s != nil {
			s.ephemerals[n.path] = struct{}{}
		}
	})
}

// The permissions.
const (
	permRead   = 1
	permWrite  = 2
	permCreate = 4
	permDelete = 8
	permAdmin  = 16
)

// allowed tells whether an access control list grants any of the perms.
func allowed(acl []wire.ACL, perms int32, ids []Identity) bool {
	if acl == nil {
		return true
	}
	for _, id := range ids {
		if id.Scheme == "super" {
			return true
		}
	}
	for _, a := range acl {
		if a.Perms&perms == 0 {
			continue
		}
		if a.Scheme == "world" && a.ID == "anyone" {
			return true
		}
		for _, id := range ids {
			if id.Scheme == a.Scheme && (id.ID == a.ID || a.Scheme == "ip" && inNetwork(id.ID, a.ID)) {
				return true
			}
		}
	}
	return false
}

func inNetwork(who, network string) bool {
	addr, err := netip.ParseAddr(who)
	p, ok := prefix(network)
	return err == nil && ok && p.Contains(addr.Unmap())
}

func prefix(network string) (netip.Prefix, bool) {
	if !strings.Contains(network, "/") {
		addr, err := netip.ParseAddr(network)
		if err != nil {
			return netip.Prefix{}, false
		}
		p, err := addr.Prefix(addr.BitLen())
		return p, err == nil
	}
	p, err := netip.ParsePrefix(network)
	return p.Masked(), err == nil
}

// fixACL is the list that is stored for one that a client gave, nil for the open one.
func fixACL(list []wire.ACL, ids []Identity) (fixed []wire.ACL, ok bool) {
	for i, a := range list {
		if slices.Contains(list[:i], a) {
			continue
		}
		switch a.Scheme {
		case "world":
			if a.ID != "anyone" {
				return nil, false
			}
			fixed = append(fixed, a)
		case "digest":
			parts := strings.Split(strings.TrimRight(a.ID, ":"), ":")
			if len(parts) != 2 || parts[1] == "" {
				return nil, false
			}
			fixed = append(fixed, a)
		case "ip":
			if _, ok := prefix(a.ID); !ok {
				return nil, false
			}
			fixed = append(fixed, a)
		case "auth":
			n := len(fixed)
			for _, id := range ids {
				if id.Scheme == "digest" {
					fixed = append(fixed, wire.ACL{Perms: a.Perms, Scheme: id.Scheme, ID: id.ID})
				}
			}
			if len(fixed) == n {
				return nil, false
			}
		default:
			return nil, false
		}
	}
	if slices.Equal(fixed, wire.OpenACL) {
		return nil, true
	}
	return fixed, len(fixed) > 0
}

// validPath is PathUtils.validatePath.
func validPath(path string) bool {
	if path == "/" {
		return true
	}
	if path == "" || path[0] != '/' || path == wire.Null {
		return false
	}
	for _, name := range strings.Split(path[1:], "/") {
		if name == "" || name == "." || name == ".." {
			return false
		}
		for _, c := range name {
			if c <= 0x1f || c >= 0x7f && c <= 0x9f || c >= 0xd800 && c <= 0xf8ff || c >= 0xfff0 {
				return false
			}
		}
	}
	return true
}
