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
	live atomic.Int64 // the sum of counts, so that a server without any watch takes no lock

	mu        sync.Mutex
	byPath    [tables]map[string]*watchers[W]
	byWatcher map[W]*watcher[W] // whoever has watched anything, until Drop
	recursive int               // recursive watches
	served    []W               // of the step under way
	servedSet map[W]struct{}
	inSet     int         // how many of served are in servedSet
	counts    [tables]int // watches; the kinds that a connection has on one path count as one, as in ZooKeeper
	watchers  int         // connections that count as watching, see watcher.counts
}

// New returns a Manager without watches.
func New[W comparable]() *Manager[W] {
	m := &Manager[W]{byWatcher: map[W]*watcher[W]{}}
	for t := range m.byPath {
		m.byPath[t] = map[string]*watchers[W]{}
	}
	return m
}

// Add registers a watch. To register it again changes nothing. path is copied.
func (m *Manager[W]) Add(w W, t Table, path string, mode Mode) {
	m.mu.Lock()
	defer m.mu.Unlock()
	by := m.byWatcher[w]
	if by == nil {
		by = &watcher[W]{w: w, paths: map[string]*spot{}}
		m.byWatcher[w] = by
	}
	have := by.paths[path]
	if have != nil && have.modes[t]&mode == mode {
		return
	}
	set := m.byPath[t][path]
	if set == nil {
		set = &watchers[W]{path: strings.Clone(path)}
		m.byPath[t][set.path] = set
	}
	if have == nil {
		have = &spot{}
		by.paths[set.path] = have
	}
	if have.modes[t] == 0 {
		set.add(t, seat[W]{by, have})
		m.count(t, by, 1)
	}
	if mode == Recursive {
		m.recursive++
	}
	have.modes[t] |= mode
}

// count adds n to the watches that the connection has in the table.
func (m *Manager[W]) count(t Table, by *watcher[W], n int) {
	m.counts[t] += n
	m.live.Add(int64(n))
	if t == Data {
		by.data += n
		m.setCounts(by, by.counts || n > 0)
	}
}

func (m *Manager[W]) setCounts(by *watcher[W], counts bool) {
	switch {
	case counts && !by.counts:
		m.watchers++
	case !counts && by.counts:
		m.watchers--
	}
	by.counts = counts
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
	by := m.byWatcher[w]
	if by == nil {
		return
	}
	for path, have := range by.paths {
		for t := range tables {
			m.take(t, path, by, have, Standard|Persistent|Recursive)
		}
	}
	m.setCounts(by, false)
	delete(m.byWatcher, w)
}

// take removes modes of what one connection watches of a path.
func (m *Manager[W]) take(t Table, path string, by *watcher[W], have *spot, modes Mode) {
	modes &= have.modes[t]
	if modes == 0 {
		return
	}
	if modes&Recursive != 0 {
		m.recursive--
	}
	if have.modes[t] &^= modes; have.modes[t] != 0 {
		return
	}
	m.count(t, by, -1)
	set := m.byPath[t][path]
	if set.remove(t, have.at[t]); len(set.list) == 0 {
		delete(m.byPath[t], path)
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

// find returns w's watches, and those of one path; both are nil if there are none.
func (m *Manager[W]) find(w W, path string) (*watcher[W], *spot) {
	by := m.byWatcher[w]
	if by == nil {
		return nil, nil
	}
	return by, by.paths[path]
}

// has tells whether there is a watch of that kind.
func (s *spot) has(k Kind) bool {
	return s != nil && (s.modes[Data]&k.modes(Data) != 0 || s.modes[Child]&k.modes(Child) != 0)
}

// Has tells whether w has a watch of that kind on exactly that path.
func (m *Manager[W]) Has(w W, path string, k Kind) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, have := m.find(w, path)
	return have.has(k)
}

// Remove takes the watches of that kind from w, and tells whether there were any.
func (m *Manager[W]) Remove(w W, path string, k Kind) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	by, have := m.find(w, path)
	if !have.has(k) {
		return false
	}
	data := by.data
	for t := range tables {
		m.take(t, path, by, have, k.modes(t))
	}
	if by.data == 0 && data > 0 {
		m.setCounts(by, false)
	}
	if have.empty() {
		delete(by.paths, path)
	}
	return true
}

// Counts are figures about all watches, counted as ZooKeeper does: a
// connection on a path is one watch in each table, whatever kinds it has there.
type Counts struct {
	Watches  int // data and child
	DataOnly int
	Watchers int // connections that have data watches, or had until they fired
	Paths    int // paths with a data watch
}

// Counts returns the figures as of now.
func (m *Manager[W]) Counts() Counts {
	m.mu.Lock()
	defer m.mu.Unlock()
	return Counts{
		Watches: m.counts[Data] + m.counts[Child], DataOnly: m.counts[Data],
		Watchers: m.watchers, Paths: len(m.byPath[Data]),
	}
}

// EachWatcher calls f with every connection that Counts knows as one, in no
// order. f must not call the Manager.
func (m *Manager[W]) EachWatcher(f func(w W)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for w, by := range m.byWatcher {
		if by.counts {
			f(w)
		}
	}
}

// EachData calls f with every data watch: a connection and a path, in no
// order. f must not call the Manager.
func (m *Manager[W]) EachData(f func(w W, path string)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for path, set := range m.byPath[Data] {
		for _, e := range set.list {
			f(e.by.w, path)
		}
	}
}

// Total returns the number of watches, as Counts.Watches, without taking a lock.
func (m *Manager[W]) Total() int { return int(m.live.Load()) }

// Event is what a change means to those who watch it.
type Event struct {
	Type jute.EventType
	Path string
}
