package oracle

import (
	"fmt"
	"slices"

	"zkd/test/wire"
)

// The kinds of watches that a connection may have on a path, as bits.
type mode uint8

const (
	standard mode = 1 << iota
	persistent
	recursive
)

// watcher is one connection with the events that are due to it.
type watcher struct {
	paths    map[string]struct{} // where it may stand in a table
	due      []due
	catchUps []caughtUp // came since the last reply
}

func newWatcher() *watcher { return &watcher{paths: map[string]struct{}{}} }

// due is an event that must come next, before any reply that shows the change.
type due struct {
	typ  wire.EventType
	path string
	zxid int64
	// any marks events of the end of a session, whose ephemerals go in no particular order.
	any bool
}

// caughtUp is an event that answers setWatches.
type caughtUp struct {
	typ  wire.EventType
	path string
}

func (d due) String() string { return fmt.Sprintf("%v(%s) of zxid %#x", d.typ, d.path, d.zxid) }

func (c caughtUp) String() string { return fmt.Sprintf("%v(%s)", c.typ, c.path) }

// watchTables says who watches what: the tables that a server keeps, for all servers together. A connection stands in
// them from the zxid of the reply that registered its watch, since that is the state that the reply shows.
type watchTables struct {
	data, child map[string]map[*watcher]mode
	served      []*watcher
}

func newWatchTables() watchTables {
	return watchTables{data: map[string]map[*watcher]mode{}, child: map[string]map[*watcher]mode{}}
}

func (t *watchTables) add(table map[string]map[*watcher]mode, w *watcher, path string, m mode) {
	set := table[path]
	if set == nil {
		set = map[*watcher]mode{}
		table[path] = set
	}
	set[w] |= m
	w.paths[path] = struct{}{}
}

func (t *watchTables) addPersistent(w *watcher, path string, m mode) {
	t.add(t.data, w, path, m)
	if m == persistent {
		t.add(t.child, w, path, m)
	}
}

// drop forgets a connection that has ended.
func (t *watchTables) drop(w *watcher) {
	for path := range w.paths {
		t.take(t.data, w, path, standard|persistent|recursive)
		t.take(t.child, w, path, standard|persistent|recursive)
	}
}

// take removes kinds of watches, and tells whether there were any.
func (t *watchTables) take(table map[string]map[*watcher]mode, w *watcher, path string, m mode) bool {
	set := table[path]
	had := set[w]
	switch rest := had &^ m; {
	case had == 0:
	case rest != 0:
		set[w] = rest
	default:
		delete(set, w)
		if len(set) == 0 {
			delete(table, path)
		}
	}
	return had&m != 0
}

// fire makes the events of a change due to those who watch, in the order of DataTree.createNode and deleteNode.
func (t *watchTables) fire(c *change, zxid int64, any bool) {
	if c.path == configPath || len(t.data)+len(t.child) == 0 {
		return
	}
	t.served = t.served[:0]
	own := due{c.typ, c.path, zxid, any}
	readable := allowed(c.acl, permRead, nil)
	t.step(t.data, c.path, own, readable)
	for path := c.path; path != "/"; {
		path = parentOf(path)
		for w, m := range t.data[path] {
			if m&recursive != 0 && !slices.Contains(t.served, w) {
				t.serve(w, own, readable)
			}
		}
	}
	if c.typ == nodeDataChanged {
		return
	}
	if c.typ == nodeDeleted {
		t.step(t.child, c.path, own, readable)
	}
	t.served = t.served[:0]
	parent := parentOf(c.path)
	t.step(t.child, parent, due{nodeChildrenChanged, parent, zxid, any}, allowed(c.parentACL, permRead, nil))
}

// step serves everybody who stands in a table at a path and was not served yet, and uses up what fires once.
func (t *watchTables) step(table map[string]map[*watcher]mode, path string, d due, readable bool) {
	set := table[path]
	for w, m := range set {
		if !slices.Contains(t.served, w) {
			t.serve(w, d, readable)
		}
		if m &^= standard; m == 0 {
			delete(set, w)
		} else {
			set[w] = m
		}
	}
	if set != nil && len(set) == 0 {
		delete(table, path)
	}
}

// serve makes an event due, unless the client may not see it.
func (t *watchTables) serve(w *watcher, d due, readable bool) {
	t.served = append(t.served, w)
	if readable {
		w.due = append(w.due, d)
	}
}

// notified judges an event that has come.
func (w *watcher) notified(i *Item) (complaint string) {
	if i.Path == configPath {
		return ""
	}
	if i.Zxid == -1 {
		w.catchUps = append(w.catchUps, caughtUp{i.Type, i.Path})
		return ""
	}
	is := func(d due) bool { return d.typ == i.Type && d.path == i.Path && d.zxid == i.Zxid }
	at := slices.IndexFunc(w.due, is)
	came := due{i.Type, i.Path, i.Zxid, false}
	if at < 0 {
		if len(w.due) > 0 {
			return fmt.Sprintf("%v came, where %v was due", came, w.due[0])
		}
		return fmt.Sprintf("%v came, which no watch that is set is about", came)
	}
	if at > 0 && !(w.due[0].any && w.due[0].zxid == i.Zxid) {
		complaint = fmt.Sprintf("%v came, where %v and %d more were due before", came, w.due[0], at-1)
	}
	if complaint != "" {
		w.due = w.due[at:]
		at = 0
	}
	w.due = slices.Delete(w.due, at, at+1)
	return complaint
}

// replied judges that a reply came when it did: every event of what it shows must have come before.
func (w *watcher) replied(zxid int64, op wire.Op) (complaints []string) {
	n := 0
	for n < len(w.due) && w.due[n].zxid <= zxid {
		complaints = append(complaints, fmt.Sprintf("no %v came before a reply of zxid %#x", w.due[n], zxid))
		n++
	}
	w.due = slices.Delete(w.due, 0, n)
	if len(w.catchUps) > 0 && op != wire.OpSetWatches && op != wire.OpSetWatches2 {
		complaints = append(complaints, fmt.Sprintf("%v came without setWatches", w.catchUps))
		w.catchUps = nil
	}
	return complaints
}

// register does what a request has done to the watches of its connection, and judges those about watches.
func (t *watchTables) register(w *watcher, i *Item, m *model) (complaint string) {
	switch b := i.Body.(type) {
	case wire.PathWatch:
		if !b.Watch || i.Code != 0 && !(i.Op == wire.OpExists && i.Code == wire.CodeNoNode) {
			return ""
		}
		if i.Op == wire.OpExists || i.Op == wire.OpGetData {
			t.add(t.data, w, b.Path, standard)
		} else {
			t.add(t.child, w, b.Path, standard)
		}
	case wire.PathType:
		return t.registerType(w, i, b)
	case wire.SetWatches:
		return t.rearm(w, i, wire.SetWatches2{SetWatches: b}, m)
	case wire.SetWatches2:
		return t.rearm(w, i, b, m)
	}
	return ""
}

func (t *watchTables) registerType(w *watcher, i *Item, b wire.PathType) string {
	switch i.Op {
	case wire.OpAddWatch:
		if i.Code == 0 && b.Type == 0 {
			t.addPersistent(w, b.Path, persistent)
		} else if i.Code == 0 {
			t.addPersistent(w, b.Path, recursive)
		}
		return ""
	case wire.OpRemoveWatches, wire.OpCheckWatches:
		data, child := kinds(b.Type)
		has := t.data[b.Path][w]&data != 0 || t.child[b.Path][w]&child != 0
		if want := map[bool]wire.Code{true: 0, false: wire.CodeNoWatcher}[has]; i.Code != want {
			return fmt.Sprintf("watches of kind %d on %s: %s", b.Type, b.Path, unexpected(i.Code, want))
		}
		if i.Op == wire.OpRemoveWatches && i.Code == 0 {
			t.take(t.data, w, b.Path, data)
			t.take(t.child, w, b.Path, child)
		}
	}
	return ""
}

// kinds is what a watcher type stands for in each table.
func kinds(typ int32) (data, child mode) {
	switch typ {
	case 1:
		return 0, standard
	case 2:
		return standard, 0
	case 3:
		return standard | persistent | recursive, standard | persistent | recursive
	case 4:
		return persistent, persistent
	case 5:
		return recursive, recursive
	}
	return 0, 0
}

// rearm judges the answer to setWatches: the events that the client has missed come before the reply, and what has
// not fired is set again.
func (t *watchTables) rearm(w *watcher, i *Item, b wire.SetWatches2, m *model) (complaint string) {
	var want []caughtUp
	missed := func(typ wire.EventType, path string) {
		if path != configPath {
			want = append(want, caughtUp{typ, path})
		}
	}
	for _, path := range b.Data {
		switch n := m.lookup(path); {
		case n == nil:
			missed(nodeDeleted, path)
		case n.mzxid > b.Relative:
			missed(nodeDataChanged, path)
		default:
			t.add(t.data, w, path, standard)
		}
	}
	for _, path := range b.Exist {
		if m.lookup(path) != nil {
			missed(nodeCreated, path)
		} else {
			t.add(t.data, w, path, standard)
		}
	}
	for _, path := range b.Child {
		switch n := m.lookup(path); {
		case n == nil:
			missed(nodeDeleted, path)
		case n.pzxid > b.Relative:
			missed(nodeChildrenChanged, path)
		default:
			t.add(t.child, w, path, standard)
		}
	}
	for _, path := range b.Persistent {
		t.addPersistent(w, path, persistent)
	}
	for _, path := range b.Recursive {
		t.addPersistent(w, path, recursive)
	}
	got := w.catchUps
	w.catchUps = nil
	if i.Code != 0 {
		return fmt.Sprintf("setWatches failed: %v", i.Code)
	}
	if !slices.Equal(got, want) {
		return fmt.Sprintf("setWatches since %#x was answered with %v, should be %v", b.Relative, got, want)
	}
	return ""
}
