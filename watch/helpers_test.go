package watch

import (
	"fmt"
	"slices"
	"testing"

	"zkd/proto/jute"
)

const (
	created  = jute.EventNodeCreated
	deleted  = jute.EventNodeDeleted
	changed  = jute.EventNodeDataChanged
	children = jute.EventNodeChildrenChanged
)

// fire returns what was delivered, in order, as "who what path".
func fire(m *Manager[string], typ jute.EventType, path string) []string {
	got := []string{}
	m.Fire(typ, path, func(w string, e Event) { got = append(got, w+" "+text(e)) })
	return got
}

func text(e Event) string {
	return map[jute.EventType]string{created: "created", deleted: "deleted", changed: "changed", children: "children"}[e.Type] + " " + e.Path
}

func expect(t testing.TB, m *Manager[string], typ jute.EventType, path string, want ...string) {
	t.Helper()
	if got := fire(m, typ, path); !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", text(Event{typ, path}), got, want)
	}
	if err := verify(m); err != nil {
		t.Fatal(err)
	}
}

// verify checks that both indexes and all counters tell the same.
func verify[W comparable](m *Manager[W]) error {
	var counts [tables]int
	live, recursive := 0, 0
	for t := range tables {
		for path, set := range m.byPath[t] {
			if len(set.list) == 0 || set.path != path {
				return fmt.Errorf("table %d keeps %q under %q for %d", t, set.path, path, len(set.list))
			}
			for i, e := range set.list {
				if int(e.spot.at[t]) != i {
					return fmt.Errorf("%q: %v stands at %d, says %d", path, e.by.w, i, e.spot.at[t])
				}
				if m.byWatcher[e.by.w] != e.by || e.by.paths[path] != e.spot || e.spot.modes[t] == 0 {
					return fmt.Errorf("%q: %v has modes %d, its own table says %v", path, e.by.w, e.spot.modes, e.by.paths[path])
				}
				counts[t]++
				live++
				if e.spot.modes[t]&Recursive != 0 {
					recursive++
				}
			}
		}
	}
	watchers := 0
	for w, by := range m.byWatcher {
		data := 0
		if by.counts {
			watchers++
		}
		for path, have := range by.paths {
			if have.empty() {
				return fmt.Errorf("%v keeps %q without a watch", w, path)
			}
			if have.modes[Data] != 0 {
				data++
			}
			for t := range tables {
				if have.modes[t] != 0 && m.byPath[t][path] == nil {
					return fmt.Errorf("%v watches %q, table %d does not know", w, path, t)
				}
			}
		}
		if data != by.data || data > 0 && !by.counts {
			return fmt.Errorf("%v has %d data watches, counted %d, %v", w, data, by.data, by.counts)
		}
	}
	if watchers != m.watchers {
		return fmt.Errorf("%d watchers, counted %d", watchers, m.watchers)
	}
	if counts != m.counts || live != m.Total() || recursive != m.recursive {
		return fmt.Errorf("counted %v, %d, %d; the manager says %v, %d, %d", counts, live, recursive, m.counts, m.Total(), m.recursive)
	}
	var zero W
	for _, w := range m.served[:cap(m.served)] {
		if w != zero {
			return fmt.Errorf("%v is kept after its event", w)
		}
	}
	if len(m.servedSet) > 0 {
		return fmt.Errorf("%d kept after their events", len(m.servedSet))
	}
	return nil
}
