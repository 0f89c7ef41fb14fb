package watch

// watchers is a set of connections with the modes of each. Most paths have a
// watcher or two, some have ten thousand: a list serves the first, a map with
// positions in the list keeps the second from taking quadratic time. The
// order is that of registration as long as nobody leaves.
type watchers[W comparable] struct {
	list []watcher[W]
	at   map[W]int // position in list, once that is longer than fewWatchers
}

type watcher[W comparable] struct {
	w     W
	modes Mode
}

const fewWatchers = 16

func (s *watchers[W]) len() int { return len(s.list) }

func (s *watchers[W]) find(w W) int {
	if s.at != nil {
		if i, ok := s.at[w]; ok {
			return i
		}
		return -1
	}
	for i := range s.list {
		if s.list[i].w == w {
			return i
		}
	}
	return -1
}

// put sets the modes of w; none removes it.
func (s *watchers[W]) put(w W, modes Mode) {
	i := s.find(w)
	switch {
	case i >= 0 && modes != 0:
		s.list[i].modes = modes
	case i >= 0:
		s.remove(i)
	case modes != 0:
		s.list = append(s.list, watcher[W]{w, modes})
		if s.at != nil {
			s.at[w] = len(s.list) - 1
		} else if len(s.list) > fewWatchers {
			s.at = make(map[W]int, 2*fewWatchers)
			for i := range s.list {
				s.at[s.list[i].w] = i
			}
		}
	}
}

func (s *watchers[W]) remove(i int) {
	last := len(s.list) - 1
	if s.at != nil {
		delete(s.at, s.list[i].w)
		if i != last {
			s.at[s.list[last].w] = i
		}
	}
	s.list[i] = s.list[last]
	s.list[last] = watcher[W]{}
	s.list = s.list[:last]
}

// each calls f with every watcher; f must not change the set.
func (s *watchers[W]) each(f func(W, Mode)) {
	for _, e := range s.list {
		f(e.w, e.modes)
	}
}
