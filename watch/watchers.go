package watch

// watcher is one connection and all that it watches.
type watcher[W comparable] struct {
	w      W
	paths  map[string]*spot
	data   int  // paths with a data watch
	counts bool // ZooKeeper counts it as one that watches, also when its data watches have fired, until it removes its last one
}

// spot is what a connection watches of one path, and where in the lists of
// that path's watchers it stands.
type spot struct {
	modes [tables]Mode
	at    [tables]int32 // of a table in which modes is not 0
}

func (s *spot) empty() bool { return s.modes[Data]|s.modes[Child] == 0 }

// watchers are the connections that watch one path, in a table. Most paths have
// one or two, some ten thousand: each knows its place in the list, so nobody
// ever searches it. The order is that of registration as long as nobody leaves.
type watchers[W comparable] struct {
	path string
	list []seat[W]
}

type seat[W comparable] struct {
	by   *watcher[W]
	spot *spot
}

func (s *watchers[W]) add(t Table, e seat[W]) {
	e.spot.at[t] = int32(len(s.list))
	s.list = append(s.list, e)
}

// remove takes out the seat at i; the last one takes its place.
func (s *watchers[W]) remove(t Table, i int32) {
	last := len(s.list) - 1
	s.list[i] = s.list[last]
	s.list[i].spot.at[t] = i
	s.list[last] = seat[W]{}
	s.list = s.list[:last]
}
