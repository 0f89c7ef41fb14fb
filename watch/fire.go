package watch

import (
	"slices"
	"strings"

	"zkd/internal/mutant"
	"zkd/proto/jute"
)

// Fire calls deliver for every connection that is to hear of a change of the
// znode at path, one event at most for each in each step (WatchManager,
// DataTree.createNode and deleteNode):
//
//  1. data watches on path, and recursive ones on it and everything above;
//  2. for a deletion, child watches on path of those not served in step 1;
//  3. for a creation or deletion, child watches on the parent.
//
// Watches that fire once are gone afterwards, whatever deliver makes of the
// event. deliver must not call the Manager.
func (m *Manager[W]) Fire(typ jute.EventType, path string, deliver func(W, Event)) {
	if m.live.Load() == 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	defer m.forgetServed()
	m.fireData(Event{typ, path}, deliver)
	if typ == jute.EventNodeDataChanged {
		return
	}
	if typ == jute.EventNodeDeleted {
		m.fireTable(Child, Event{typ, path}, len(m.served), deliver)
	}
	parent := path[:strings.LastIndexByte(path, '/')]
	if parent == "" {
		parent = "/"
	}
	m.forgetServed()
	m.fireTable(Child, Event{jute.EventNodeChildrenChanged, parent}, 0, deliver)
}

// forgetServed ends a step. No connection is kept from being collected.
func (m *Manager[W]) forgetServed() {
	clear(m.served)
	m.served = m.served[:0]
	clear(m.servedSet)
	m.inSet = 0
}

func (m *Manager[W]) fireData(e Event, deliver func(W, Event)) {
	m.fireTable(Data, e, 0, deliver)
	if m.recursive == 0 || mutant.Is(mutant.Recursive) {
		return
	}
	for path := e.Path; path != "/"; {
		path = path[:strings.LastIndexByte(path, '/')]
		if path == "" {
			path = "/"
		}
		set := m.byPath[Data][path]
		if set == nil {
			continue
		}
		before := len(m.served)
		for _, s := range set.list {
			if w := s.by.w; s.spot.modes[Data]&Recursive != 0 && !m.wasServed(w, before) {
				m.served = append(m.served, w)
				deliver(w, e)
			}
		}
	}
}

// fireTable serves everybody in the table at e.Path but the first n served,
// and removes what fires once.
func (m *Manager[W]) fireTable(t Table, e Event, n int, deliver func(W, Event)) {
	set := m.byPath[t][e.Path]
	if set == nil {
		return
	}
	stay := set.list[:0]
	for i, s := range set.list {
		if w := s.by.w; mutant.Is(mutant.EachWatcher) && i%2 == 1 {
			m.served = append(m.served, w)
		} else if !m.wasServed(w, n) {
			m.served = append(m.served, w)
			deliver(w, e)
		}
		if s.spot.modes[t] &^= Standard; s.spot.modes[t] != 0 {
			s.spot.at[t] = int32(len(stay))
			stay = append(stay, s)
			continue
		}
		m.count(t, s.by, -1)
		if s.spot.empty() {
			delete(s.by.paths, e.Path)
		}
	}
	clear(set.list[len(stay):])
	if set.list = stay; len(stay) == 0 {
		delete(m.byPath[t], e.Path)
	}
}

// fewWatchers is how many are searched one by one.
const fewWatchers = 16

// wasServed tells whether w is among the first n served. Where many connections
// watch the same znode in several ways a set keeps that from taking quadratic
// time; within a step n only grows.
func (m *Manager[W]) wasServed(w W, n int) bool {
	if n <= fewWatchers {
		return slices.Contains(m.served[:n], w)
	}
	if m.servedSet == nil {
		m.servedSet = map[W]struct{}{}
	}
	for ; m.inSet < n; m.inSet++ {
		m.servedSet[m.served[m.inSet]] = struct{}{}
	}
	_, ok := m.servedSet[w]
	return ok
}
