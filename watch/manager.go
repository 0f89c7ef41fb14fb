// Package watch knows which connections of this server watch which paths, and
// turns a change of a znode into the events that each of them is to get.
//
// It is pure: it neither sends anything nor knows what a connection is, only
// that two of them can be told apart. Watches belong to the connection, not
// to the session, and are not replicated. Package server registers them while
// the tree cannot move and fires them while it changes, which is what makes
// an event come before any reply that shows the change.
package watch

import (
	"strings"
	"sync"
	"sync/atomic"

	"zkd/proto/jute"
)

// Mode is the kind of a watch (server.watch.WatcherMode). One connection may
// have several kinds on one path.
type Mode uint8

// The kinds of watches.
const (
	Standard   Mode = 1 << iota // fires once
	Persistent                  // stays
	Recursive                   // stays, and covers everything below
)

// Table tells what about a path is watched.
type Table uint8

// A server keeps two tables (DataTree.dataWatches, childWatches).
const (
	Data  Table = iota // the znode: created, deleted, data changed
	Child              // its list of children
	tables
)

// Manager holds the watches of one server. W identifies a connection. It may
// be used by many goroutines.
type Manager[W comparable] struct {
	live atomic.Int64 // watches, so that a server without any takes no lock

	mu        sync.Mutex
	byPath    [tables]map[string]*watchers[W]
	byWatcher map[W]map[string]*[tables]Mode
	recursive int // recursive watches
	served    []W // of the step under way
	servedSet map[W]struct{}
	inSet     int // how many of served are in servedSet
	counts    [tables]int
}

// New returns a Manager without watches.
func New[W comparable]() *Manager[W] {
	m := &Manager[W]{byWatcher: map[W]map[string]*[tables]Mode{}}
	for t := range m.byPath {
		m.byPath[t] = map[string]*watchers[W]{}
	}
	return m
}

// Add registers a watch. To register it again changes nothing. path is copied.
func (m *Manager[W]) Add(w W, t Table, path string, mode Mode) {
	m.mu.Lock()
	defer m.mu.Unlock()
	paths := m.byWatcher[w]
	if paths == nil {
		paths = map[string]*[tables]Mode{}
		m.byWatcher[w] = paths
	}
	have, set := paths[path], m.byPath[t][path]
	if have == nil || set == nil {
		path = strings.Clone(path) // it is about to become a key
	}
	if have == nil {
		have = new([tables]Mode)
		paths[path] = have
	}
	if have[t]&mode == mode {
		return
	}
	if set == nil {
		set = &watchers[W]{}
		m.byPath[t][path] = set
	}
	m.set(w, t, set, have, have[t]|mode)
}

// set makes now what w watches; both indexes and all counters follow.
func (m *Manager[W]) set(w W, t Table, set *watchers[W], have *[tables]Mode, now Mode) {
	was := have[t]
	have[t] = now
	set.put(w, now)
	for _, mode := range [...]Mode{Standard, Persistent, Recursive} {
		by := 0
		if now&mode != 0 {
			by++
		}
		if was&mode != 0 {
			by--
		}
		m.counts[t] += by
		m.live.Add(int64(by))
		if mode == Recursive {
			m.recursive += by
		}
	}
}

// AddPersistent registers what addWatch asks for.
func (m *Manager[W]) AddPersistent(w W, path string, mode Mode) {
	m.Add(w, Data, path, mode)
	if mode == Persistent {
		m.Add(w, Child, path, mode)
	}
}

// Drop forgets everything about w, whose connection has ended.
func (m *Manager[W]) Drop(w W) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for path, have := range m.byWatcher[w] {
		for t := range tables {
			m.take(w, t, path, have, Standard|Persistent|Recursive)
		}
	}
	delete(m.byWatcher, w)
}

// take removes modes from what w watches.
func (m *Manager[W]) take(w W, t Table, path string, have *[tables]Mode, modes Mode) {
	if have[t]&modes == 0 {
		return
	}
	set := m.byPath[t][path]
	m.set(w, t, set, have, have[t]&^modes)
	if set.len() == 0 {
		delete(m.byPath[t], path)
	}
}

// forget drops the entry of a path that w no longer watches in any way.
func (m *Manager[W]) forget(w W, path string, have *[tables]Mode) {
	if have[Data]|have[Child] != 0 {
		return
	}
	paths := m.byWatcher[w]
	delete(paths, path)
	if len(paths) == 0 {
		delete(m.byWatcher, w)
	}
}

// Kind is what checkWatches and removeWatches speak of (Watcher.WatcherType).
type Kind int32

// The kinds, numbered as on the wire.
const (
	KindChildren Kind = 1 + iota
	KindData
	KindAny
	KindPersistent
	KindRecursive
)

// Valid tells whether the number is known.
func (k Kind) Valid() bool { return k >= KindChildren && k <= KindRecursive }

// modes returns which modes of a table the kind stands for.
func (k Kind) modes(t Table) Mode {
	switch {
	case k == KindAny:
		return Standard | Persistent | Recursive
	case k == KindChildren && t == Child, k == KindData && t == Data:
		return Standard
	case k == KindPersistent:
		return Persistent
	case k == KindRecursive:
		return Recursive
	}
	return 0
}

// Has tells whether w has a watch of that kind on exactly that path.
func (m *Manager[W]) Has(w W, path string, k Kind) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	have := m.byWatcher[w][path]
	return have != nil && (have[Data]&k.modes(Data) != 0 || have[Child]&k.modes(Child) != 0)
}

// Remove takes the watches of that kind from w, and tells whether there were any.
func (m *Manager[W]) Remove(w W, path string, k Kind) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	have := m.byWatcher[w][path]
	if have == nil || have[Data]&k.modes(Data) == 0 && have[Child]&k.modes(Child) == 0 {
		return false
	}
	for t := range tables {
		m.take(w, t, path, have, k.modes(t))
	}
	m.forget(w, path, have)
	return true
}

// Counts are figures about all watches.
type Counts struct {
	Watches  int // data and child
	DataOnly int
	Watchers int // connections with a data watch
	Paths    int // paths with a data watch
}

// Counts returns the figures as of now.
func (m *Manager[W]) Counts() Counts {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := Counts{Watches: m.counts[Data] + m.counts[Child], DataOnly: m.counts[Data], Paths: len(m.byPath[Data])}
	for _, paths := range m.byWatcher {
		for _, have := range paths {
			if have[Data] != 0 {
				c.Watchers++
				break
			}
		}
	}
	return c
}

// EachData calls f with every data watch: a connection and a path, in no
// order. f must not call the Manager.
func (m *Manager[W]) EachData(f func(w W, path string)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for path, set := range m.byPath[Data] {
		set.each(func(w W, _ Mode) { f(w, path) })
	}
}

// Total returns the number of watches without taking a lock.
func (m *Manager[W]) Total() int { return int(m.live.Load()) }

// Event is what a change means to those who watch it.
type Event struct {
	Type jute.EventType
	Path string
}
