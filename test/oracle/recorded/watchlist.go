package recorded

import (
	"maps"
	"slices"

	"zkd/test/wire"
)

// watchList is what a client believes to watch: what it asks the next server for when a connection ends. It follows
// the Java client (ZKWatchManager).
type watchList struct {
	data, exist, child, persistent, recursive map[string]struct{}
}

func newWatchList() watchList {
	set := func() map[string]struct{} { return map[string]struct{}{} }
	return watchList{set(), set(), set(), set(), set()}
}

func (w *watchList) empty() bool {
	return len(w.data)+len(w.exist)+len(w.child)+len(w.persistent)+len(w.recursive) == 0
}

// replied notes the watch that a request has left, or taken.
func (w *watchList) replied(op wire.Op, body wire.Body, code wire.Code) {
	switch b := body.(type) {
	case wire.PathWatch:
		if !b.Watch {
			return
		}
		switch {
		case op == wire.OpExists && code == wire.CodeNoNode:
			w.exist[b.Path] = struct{}{}
		case code != 0:
		case op == wire.OpExists, op == wire.OpGetData:
			w.data[b.Path] = struct{}{}
		default:
			w.child[b.Path] = struct{}{}
		}
	case wire.PathType:
		switch {
		case code != 0:
		case op == wire.OpAddWatch && b.Type == AddPersistent:
			w.persistent[b.Path] = struct{}{}
		case op == wire.OpAddWatch && b.Type == AddRecursive:
			w.recursive[b.Path] = struct{}{}
		case op == wire.OpRemoveWatches:
			w.removed(b)
		}
	}
}

// The modes of addWatch.
const (
	AddPersistent = 0
	AddRecursive  = 1
)

func (w *watchList) removed(b wire.PathType) {
	const children, data, anyKind, persistent, recursive = 1, 2, 3, 4, 5
	if b.Type == children || b.Type == anyKind {
		delete(w.child, b.Path)
	}
	if b.Type == data || b.Type == anyKind {
		delete(w.data, b.Path)
		delete(w.exist, b.Path)
	}
	if b.Type == persistent || b.Type == anyKind {
		delete(w.persistent, b.Path)
	}
	if b.Type == recursive || b.Type == anyKind {
		delete(w.recursive, b.Path)
	}
}

// notified takes the watches off the list that an event has used up.
func (w *watchList) notified(e *wire.Event) {
	const created, deleted, changed, children = 1, 2, 3, 4
	switch e.Type {
	case created, changed:
		delete(w.data, e.Path)
		delete(w.exist, e.Path)
	case deleted:
		delete(w.data, e.Path)
		delete(w.exist, e.Path)
		delete(w.child, e.Path)
	case children:
		delete(w.child, e.Path)
	}
}

// request asks a server for everything on the list.
func (w *watchList) request(relative int64) wire.SetWatches2 {
	return wire.SetWatches2{
		SetWatches: wire.SetWatches{Relative: relative, Data: paths(w.data), Exist: paths(w.exist), Child: paths(w.child)},
		Persistent: paths(w.persistent), Recursive: paths(w.recursive),
	}
}

// paths returns a set in an order that a seed repeats.
func paths(set map[string]struct{}) []string {
	return append([]string{}, slices.Sorted(maps.Keys(set))...)
}
