package server

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"zkd/session"
)

// The words about watches and sessions. As in ZooKeeper they know the data
// watches only.

func (s *Server) wchs(b *strings.Builder) {
	c := s.state.watches.Counts()
	fmt.Fprintf(b, "%d connections watching %d paths\nTotal watches:%d\n", c.Watchers, c.Paths, c.DataOnly)
}

// wchc lists the watches by session, as in ZooKeeper also such as have none left.
func (s *Server) wchc(b *strings.Builder) {
	bySession := map[string][]string{}
	s.state.watches.EachWatcher(func(c *conn) { bySession[hexID(c.session.ID)] = nil })
	s.eachDataWatch(func(c *conn, path string) {
		id := hexID(c.session.ID)
		bySession[id] = append(bySession[id], path)
	})
	writeLists(b, bySession)
}

// wchp lists the watches by path.
func (s *Server) wchp(b *strings.Builder) {
	byPath := map[string][]string{}
	s.eachDataWatch(func(c *conn, path string) { byPath[path] = append(byPath[path], hexID(c.session.ID)) })
	writeLists(b, byPath)
}

// eachDataWatch calls do with who watches what.
func (s *Server) eachDataWatch(do func(c *conn, path string)) {
	s.state.watches.EachData(func(c *conn, path string) {
		if path == nullPath {
			path = "null"
		}
		do(c, path)
	})
}

func writeLists(b *strings.Builder, lists map[string][]string) {
	for _, head := range slices.Sorted(maps.Keys(lists)) {
		b.WriteString(head + "\n")
		for _, item := range slices.Sorted(slices.Values(lists[head])) {
			b.WriteString("\t" + item + "\n")
		}
	}
	b.WriteString("\n")
}

// dump lists sessions by the time at which they expire unless heard of, the
// ephemerals of each, and the connections.
func (s *Server) dump(b *strings.Builder) {
	due := s.sessions.tracker.Deadlines()
	b.WriteString("SessionTracker dump:\n")
	local := s.locals.tracker.Deadlines()
	both := s.cfg.EnsembleMode() && s.cfg.LocalSessions
	if both {
		b.WriteString("Local ")
		s.dumpSets(b, local)
	}
	if mode := s.mode(); mode == "leader" || mode == "standalone" {
		if both {
			b.WriteString("Global ")
		}
		s.dumpSets(b, due)
	} else {
		s.dumpSessions(b)
	}

	s.state.mu.RLock()
	owned := map[session.ID][]string{}
	s.state.tree.EphemeralOwners(func(id int64) { owned[session.ID(id)] = s.state.tree.Ephemerals(id) })
	s.state.mu.RUnlock()
	fmt.Fprintf(b, "ephemeral nodes dump:\nSessions with Ephemerals (%d):\n", len(owned))
	for _, id := range slices.Sorted(maps.Keys(owned)) {
		fmt.Fprintf(b, "%s:\n", hexID(id))
		for _, path := range owned[id] {
			fmt.Fprintf(b, "\t%s\n", path)
		}
	}

	maps.Copy(due, local)
	list := s.conns.list()
	byTime := map[time.Duration][]string{}
	for _, c := range list {
		c.out.mu.Lock()
		id := c.session.ID
		c.out.mu.Unlock()
		byTime[due[id]] = append(byTime[due[id]], fmt.Sprintf("ip: /%s sessionId: %s", c.peer, hexID(id)))
	}
	fmt.Fprintf(b, "Connections dump:\nConnections Sets (%d)/(%d):\n", len(byTime), len(list))
	s.writeBuckets(b, byTime)
	b.WriteString("\n")
}

// dumpSessions lists the sessions of the ensemble where another server decides
// when they expire.
func (s *Server) dumpSessions(b *strings.Builder) {
	s.state.mu.RLock()
	all := s.state.table.All()
	s.state.mu.RUnlock()
	fmt.Fprintf(b, "Global Sessions(%d):\n", len(all))
	for _, x := range all {
		fmt.Fprintf(b, "%s\t%dms\n", hexID(x.ID), x.Timeout)
	}
}

// dumpSets lists sessions by when they are due.
func (s *Server) dumpSets(b *strings.Builder, due map[session.ID]time.Duration) {
	byTime := map[time.Duration][]string{}
	for id, at := range due {
		byTime[at] = append(byTime[at], hexID(id))
	}
	fmt.Fprintf(b, "Session Sets (%d)/(%d):\n", len(byTime), len(due))
	s.writeBuckets(b, byTime)
}

// writeBuckets writes lists under the times, on the server's clock, at which
// what is in them is due.
func (s *Server) writeBuckets(b *strings.Builder, byTime map[time.Duration][]string) {
	times := slices.SortedFunc(maps.Keys(byTime), cmp.Compare[time.Duration])
	for _, at := range times {
		list := byTime[at]
		slices.Sort(list)
		fmt.Fprintf(b, "%d expire at %s:\n", len(list), s.started.Add(at).Format("Mon Jan 02 15:04:05 MST 2006"))
		for _, item := range list {
			fmt.Fprintf(b, "\t%s\n", item)
		}
	}
}
