package watch

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"zkd/proto/jute"
)

var kinds = []Kind{KindChildren, KindData, KindAny, KindPersistent, KindRecursive}

func TestHasAndRemoveByKind(t *testing.T) {
	sets := map[string]struct {
		add func(m *Manager[string])
		has string // the kinds, as digits
	}{
		"nothing": {func(m *Manager[string]) {}, ""},
		"data":    {func(m *Manager[string]) { m.Add("x", Data, "/n", Standard) }, "23"},
		"child":   {func(m *Manager[string]) { m.Add("x", Child, "/n", Standard) }, "13"},
		"data, child": {func(m *Manager[string]) {
			m.Add("x", Data, "/n", Standard)
			m.Add("x", Child, "/n", Standard)
		}, "123"},
		"persistent": {func(m *Manager[string]) { m.AddPersistent("x", "/n", Persistent) }, "34"},
		"recursive":  {func(m *Manager[string]) { m.AddPersistent("x", "/n", Recursive) }, "35"},
		"all": {func(m *Manager[string]) {
			m.Add("x", Data, "/n", Standard)
			m.Add("x", Child, "/n", Standard)
			m.AddPersistent("x", "/n", Persistent)
			m.AddPersistent("x", "/n", Recursive)
		}, "12345"},
	}
	for name, set := range sets {
		for _, remove := range kinds {
			t.Run(fmt.Sprintf("%s, remove %d", name, remove), func(t *testing.T) {
				m := New[string]()
				set.add(m)
				m.Add("other", Data, "/n", Standard)
				had := func(k Kind) bool { return strings.Contains(set.has, fmt.Sprint(int(k))) }
				for _, k := range kinds {
					if got := m.Has("x", "/n", k); got != had(k) {
						t.Errorf("has %d: %v", k, got)
					}
					if m.Has("x", "/n/below", k) || m.Has("x", "/", k) || m.Has("y", "/n", k) {
						t.Errorf("has %d where it should not", k)
					}
				}
				if got := m.Remove("x", "/n", remove); got != had(remove) {
					t.Errorf("remove: %v", got)
				}
				rest := 0
				for _, k := range kinds {
					if k == KindAny {
						continue
					}
					want := had(k) && k != remove && remove != KindAny
					if want {
						rest++
					}
					if got := m.Has("x", "/n", k); got != want {
						t.Errorf("has %d afterwards: %v", k, got)
					}
				}
				if got := m.Has("x", "/n", KindAny); got != (rest > 0) {
					t.Errorf("has any afterwards: %v", got)
				}
				if !m.Has("other", "/n", KindData) {
					t.Error("somebody else's watch is gone")
				}
				if err := verify(m); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func TestUnknownKindsAreNothing(t *testing.T) {
	m := New[string]()
	m.Add("x", Data, "/n", Standard)
	for _, k := range []Kind{0, -1, 6} {
		if k.Valid() || m.Has("x", "/n", k) || m.Remove("x", "/n", k) {
			t.Errorf("kind %d means something", k)
		}
	}
}

func TestAddTwiceChangesNothing(t *testing.T) {
	m := New[string]()
	for range 3 {
		m.Add("x", Data, "/n", Standard)
		m.AddPersistent("x", "/n", Persistent)
	}
	if c := m.Counts(); c != (Counts{Watches: 2, DataOnly: 1, Watchers: 1, Paths: 1}) {
		t.Errorf("counts %+v", c)
	}
	if err := verify(m); err != nil {
		t.Error(err)
	}
}

// Paths come from frames whose memory is used again.
func TestPathsAreCopied(t *testing.T) {
	m := New[string]()
	b := []byte("/a")
	path := unsafe.String(&b[0], len(b))
	m.Add("x", Data, path, Standard)
	m.Add("x", Child, path, Standard)
	m.Add("y", Data, path, Standard)
	b[1] = 'b'
	for _, w := range []string{"x", "y"} {
		if !m.Has(w, "/a", KindAny) || m.Has(w, "/b", KindAny) {
			t.Errorf("the watch of %s moved with the buffer", w)
		}
	}
	expect(t, m, deleted, "/a", "x deleted /a", "y deleted /a")
}

func TestDropLeavesNothingBehind(t *testing.T) {
	m := New[string]()
	for i := range 50 {
		w := fmt.Sprint(i)
		for _, path := range []string{"/a", "/b", "/" + w} {
			m.Add(w, Data, path, Standard)
			m.Add(w, Child, path, Standard)
			m.AddPersistent(w, path, Persistent)
			m.AddPersistent(w, path, Recursive)
		}
	}
	expect(t, m, changed, "/none")
	for i := range 50 {
		m.Drop(fmt.Sprint(i))
		m.Drop("nobody")
		if err := verify(m); err != nil {
			t.Fatal(err)
		}
	}
	if m.Total() != 0 || len(m.byWatcher)+len(m.byPath[Data])+len(m.byPath[Child]) != 0 || m.Counts() != (Counts{}) {
		t.Errorf("left: %d watches, %v, %v", m.Total(), m.byWatcher, m.byPath)
	}
}

func TestEachData(t *testing.T) {
	m := New[string]()
	m.Add("x", Data, "/a", Standard)
	m.Add("x", Child, "/c", Standard)
	m.AddPersistent("y", "/a", Recursive)
	var got []string
	m.EachData(func(w, path string) { got = append(got, w+path) })
	slices.Sort(got)
	if !slices.Equal(got, []string{"x/a", "y/a"}) {
		t.Errorf("got %v", got)
	}
}

// reference is the tables of the specification, as lists that are searched.
type reference struct {
	watches []reg
	known   map[string]bool // who counts as watching
}

type reg struct {
	w     string
	table Table
	path  string
	mode  Mode
}

func (r *reference) add(x reg) {
	if !slices.Contains(r.watches, x) {
		r.watches = append(r.watches, x)
	}
	if x.table == Data {
		r.known[x.w] = true
	}
}

// paths are those that w watches, or anybody if w is empty, by watcher.
func (r *reference) paths(table Table, w string) map[[2]string]bool {
	pairs := map[[2]string]bool{}
	for _, x := range r.watches {
		if x.table == table && (w == "" || x.w == w) {
			pairs[[2]string{x.w, x.path}] = true
		}
	}
	return pairs
}

// counts are ZooKeeper's figures (WatchManager.size and getWatchesSummary).
func (r *reference) counts() Counts {
	data, child := r.paths(Data, ""), r.paths(Child, "")
	paths := map[string]bool{}
	for pair := range data {
		paths[pair[1]] = true
	}
	return Counts{Watches: len(data) + len(child), DataOnly: len(data), Watchers: len(r.known), Paths: len(paths)}
}

// fire returns the events in order of steps, sorted within each.
func (r *reference) fire(typ jute.EventType, path string) (steps [3][]string) {
	step := func(no int, e Event, match func(x reg) bool, skip []string) {
		var keep []reg
		for _, x := range r.watches {
			event := x.w + " " + text(e)
			if match(x) && !slices.Contains(steps[no], event) && !slices.Contains(skip, event) {
				steps[no] = append(steps[no], event)
			}
			if !(match(x) && x.mode == Standard) {
				keep = append(keep, x)
			}
		}
		r.watches = keep
		slices.Sort(steps[no])
	}
	e := Event{typ, path}
	step(0, e, func(x reg) bool {
		above := x.path == path || x.path == "/" || strings.HasPrefix(path, x.path+"/")
		return x.table == Data && (x.path == path || x.mode == Recursive && above)
	}, nil)
	if typ == changed {
		return steps
	}
	if typ == deleted {
		step(1, e, func(x reg) bool { return x.table == Child && x.path == path }, steps[0])
	}
	parent := path[:strings.LastIndex(path, "/")]
	if parent == "" {
		parent = "/"
	}
	step(2, Event{children, parent}, func(x reg) bool { return x.table == Child && x.path == parent }, nil)
	return steps
}

func TestRandomAgainstReference(t *testing.T) {
	paths := []string{"/", "/a", "/b", "/a/a", "/a/b", "/a/a/a", "/ab"}
	for seed := range uint64(5) {
		r := rand.New(rand.NewPCG(seed, 3))
		m, ref := New[string](), &reference{known: map[string]bool{}}
		for i := range 4000 {
			w, path := fmt.Sprint(r.IntN(40)), paths[r.IntN(len(paths))]
			switch r.IntN(8) {
			case 0:
				m.Drop(w)
				delete(ref.known, w)
				ref.watches = slices.DeleteFunc(ref.watches, func(x reg) bool { return x.w == w })
			case 1:
				k := kinds[r.IntN(len(kinds))]
				before, data := len(ref.watches), len(ref.paths(Data, w))
				ref.watches = slices.DeleteFunc(ref.watches, func(x reg) bool {
					return x.w == w && x.path == path && (k == KindAny || k == KindPersistent && x.mode == Persistent ||
						k == KindRecursive && x.mode == Recursive ||
						x.mode == Standard && (k == KindData && x.table == Data || k == KindChildren && x.table == Child))
				})
				if len(ref.paths(Data, w)) == 0 && data > 0 {
					delete(ref.known, w)
				}
				if got := m.Remove(w, path, k); got != (len(ref.watches) < before) {
					t.Fatalf("seed %d, %d: remove %s %s %d: %v", seed, i, w, path, k, got)
				}
			case 2:
				typ := []jute.EventType{created, deleted, changed}[r.IntN(3)]
				if path == "/" {
					typ = changed
				}
				want := ref.fire(typ, path)
				got := fire(m, typ, path)
				for _, step := range want {
					if len(got) < len(step) {
						t.Fatalf("seed %d, %d: got %q, want %q", seed, i, got, want)
					}
					part := slices.Sorted(slices.Values(got[:len(step)]))
					if got = got[len(step):]; !slices.Equal(part, step) {
						t.Fatalf("seed %d, %d: got %q, want %q", seed, i, part, step)
					}
				}
				if len(got) > 0 {
					t.Fatalf("seed %d, %d: too many: %q", seed, i, got)
				}
			case 3:
				mode := []Mode{Persistent, Recursive}[r.IntN(2)]
				ref.add(reg{w, Data, path, mode})
				if mode == Persistent {
					ref.add(reg{w, Child, path, mode})
				}
				m.AddPersistent(w, path, mode)
			default:
				table := Table(r.IntN(2))
				m.Add(w, table, path, Standard)
				ref.add(reg{w, table, path, Standard})
			}
			if err := verify(m); err != nil {
				t.Fatalf("seed %d, %d: %v", seed, i, err)
			}
			if i%10 != 0 {
				continue
			}
			if got, want := m.Counts(), ref.counts(); got != want || m.Total() != want.Watches {
				t.Fatalf("seed %d, %d: %+v, %d in all, want %+v", seed, i, got, m.Total(), want)
			}
		}
	}
}
