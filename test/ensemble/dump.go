package ensemble

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"zkd/test/wire"
)

// Tree is a server's whole tree by path.
type Tree map[string]Node

// Node is all that a client can see of a znode.
type Node struct {
	Data string
	ACL  string
	Stat wire.Stat
}

// configNode is kept by each ZooKeeper for itself: its stat differs.
const configNode = "/zookeeper/config"

// Difference tells where two trees differ, "" if nowhere.
func (a Tree) Difference(b Tree) string {
	for path, x := range a {
		if y, ok := b[path]; !ok {
			return path + " is missing"
		} else if x != y {
			return fmt.Sprintf("%s: %+v and %+v", path, x, y)
		}
	}
	for path := range b {
		if _, ok := a[path]; !ok {
			return path + " is there too"
		}
	}
	return ""
}

// Dump reads the whole tree from a session's server, many requests at a time. The session must not lose its
// connection meanwhile.
func (s *Session) Dump() (Tree, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil {
		if err := s.attach(); err != nil {
			return nil, err
		}
	}
	tree := Tree{}
	const together = 500
	for level := []string{"/"}; len(level) > 0; {
		var next []string
		for part := range slices.Chunk(level, together) {
			below, err := s.dumpPart(tree, part)
			if err != nil {
				return nil, err
			}
			next = append(next, below...)
		}
		level = next
	}
	return tree, nil
}

// dumpPart reads znodes and returns the paths of their children.
func (s *Session) dumpPart(tree Tree, paths []string) (below []string, err error) {
	var b []byte
	for _, p := range paths {
		b = s.enqueue(b, wire.OpGetData, wire.PathWatch{Path: p})
		b = s.enqueue(b, wire.OpGetACL, wire.Path(p))
		b = s.enqueue(b, wire.OpGetChildren, wire.PathWatch{Path: p})
	}
	if err := s.conn.Write(b); err != nil {
		return nil, s.broken(err)
	}
	for _, p := range paths {
		var r [3]*wire.Reply
		for i := range r {
			if r[i], err = s.next(); err != nil {
				return nil, err
			}
			if r[i].Err != 0 {
				return nil, fmt.Errorf("read %s: %v", p, r[i].Err)
			}
		}
		node := Node{Data: string(r[0].Data), ACL: fmt.Sprint(r[1].ACL), Stat: *r[0].Stat}
		if p == configNode && Against() != zkd {
			node.Stat = wire.Stat{}
		}
		tree[p] = node
		for _, name := range r[2].Names {
			below = append(below, join(p, name))
		}
	}
	s.used = time.Now()
	return below, nil
}

func (s *Session) enqueue(b []byte, op wire.Op, body wire.Body) []byte {
	s.xid++
	s.conn.Expect(s.xid, op)
	return append(b, wire.Frame(wire.Payload(s.xid, op, body))...)
}

// next is the next reply that is not an event.
func (s *Session) next() (*wire.Reply, error) {
	for {
		event, reply, err := s.conn.Next(Patience)
		switch {
		case err != nil:
			return nil, s.broken(err)
		case event != nil:
			s.events = append(s.events, *event)
		default:
			s.see(reply.Zxid)
			return reply, nil
		}
	}
}

func join(parent, name string) string {
	if parent == "/" {
		return "/" + name
	}
	return parent + "/" + name
}

// CompareReplicas reads the whole tree from every server that serves and fails the test if any differs from the rest.
// Nothing may be writing. It returns the tree.
func (e *Ensemble) CompareReplicas(servers ...*Server) Tree {
	e.t.Helper()
	if len(servers) == 0 {
		servers = e.Servers
	}
	e.CompareDigests(servers)
	var sessions []*Session
	for _, s := range servers {
		sessions = append(sessions, Open(e.t, 30*time.Second, s))
	}
	defer func() {
		for _, s := range sessions {
			s.Close()
		}
	}()
	// A session may expire while the trees are read, or a server lose its contact for a moment: a busy machine is
	// enough. Then they are read again.
	for end := time.Now().Add(Patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		trees, same := e.readAll(servers, sessions)
		if !same {
			continue
		}
		for i := range trees {
			if d := trees[0].Difference(trees[i]); d != "" {
				e.t.Fatalf("%v and %v differ at one zxid: %s", servers[0], servers[i], d)
			}
		}
		return trees[0]
	}
	e.t.Fatal("the servers never stood still at one zxid")
	return nil
}

// CompareDigests compares what zkd servers say themselves of all that they replicate, sessions and members included.
func (e *Ensemble) CompareDigests(servers []*Server) {
	e.t.Helper()
	if e.made.name != zkd {
		return
	}
	var all []replica
	e.Await("all servers are at one index", func() bool {
		all = all[:0]
		for _, s := range servers {
			r, err := s.replica()
			if err != nil || len(all) > 0 && r.Applied != all[0].Applied {
				return false
			}
			all = append(all, r)
		}
		return true
	})
	for i, r := range all {
		if r.Digest != all[0].Digest {
			e.t.Errorf("at index %d the digest of %v is %#x, that of %v %#x", r.Applied, servers[0], all[0].Digest, servers[i], r.Digest)
		}
	}
}

// readAll reads the trees, and reports whether all servers were at one zxid from before the first read to the end.
func (e *Ensemble) readAll(servers []*Server, sessions []*Session) (trees []Tree, same bool) {
	e.t.Helper()
	at := func() map[int64]bool {
		all := map[int64]bool{}
		for i, s := range servers {
			z, err := s.Zxid()
			if err != nil {
				z = -int64(i) // not serving now: no zxid that another has
			}
			all[z] = true
		}
		return all
	}
	for _, s := range sessions {
		s.Sync()
	}
	before := at()
	if len(before) != 1 {
		time.Sleep(50 * time.Millisecond)
		return nil, false
	}
	for _, s := range sessions {
		tree, err := s.Dump()
		if errors.Is(err, ErrLost) {
			return nil, false
		}
		if err != nil {
			e.t.Fatalf("dump of %v: %v", s.servers[0], err)
		}
		trees = append(trees, tree)
	}
	after := at()
	for z := range before {
		same = len(after) == 1 && after[z]
	}
	return trees, same
}

// pick is what the checkers need of a tree.
func pick(tree Tree, counters, parents []string) Final {
	f := Final{Counters: map[string]Counter{}, Children: map[string]map[string]string{}}
	for _, c := range counters {
		f.Counters[c] = Counter{tree[c].Stat.Version, tree[c].Data}
	}
	for _, p := range parents {
		f.Children[p] = map[string]string{}
	}
	for path, node := range tree {
		for i := len(path) - 1; i > 0; i-- {
			if path[i] == '/' {
				if list := f.Children[path[:i]]; list != nil {
					list[path] = node.Data
				}
				break
			}
		}
	}
	return f
}
