package watch

import (
	"fmt"
	"testing"

	"zkd/proto/jute"
)

// The table "Delivered events by watch kind", a row a kind of watch on /w.
func TestDeliveredEvents(t *testing.T) {
	changes := []struct {
		name string
		typ  jute.EventType
		path string
	}{
		{"created", created, "/w"}, {"deleted", deleted, "/w"}, {"data changed", changed, "/w"},
		{"child created", created, "/w/c"}, {"child deleted", deleted, "/w/c"}, {"child data changed", changed, "/w/c"},
		{"deeper created", created, "/w/c/d"}, {"deeper deleted", deleted, "/w/c/d"}, {"deeper data changed", changed, "/w/c/d"},
		{"sibling created", created, "/wx"}, {"parent data changed", changed, "/"},
	}
	for _, kind := range []struct {
		name string
		add  func(m *Manager[string])
		want []string // in the order of changes
	}{
		{"exists or getData", func(m *Manager[string]) { m.Add("x", Data, "/w", Standard) },
			[]string{"created /w", "deleted /w", "changed /w"}},
		{"getChildren", func(m *Manager[string]) { m.Add("x", Child, "/w", Standard) },
			[]string{"", "deleted /w", "", "children /w", "children /w"}},
		{"persistent", func(m *Manager[string]) { m.AddPersistent("x", "/w", Persistent) },
			[]string{"created /w", "deleted /w", "changed /w", "children /w", "children /w"}},
		{"recursive", func(m *Manager[string]) { m.AddPersistent("x", "/w", Recursive) },
			[]string{"created /w", "deleted /w", "changed /w", "created /w/c", "deleted /w/c", "changed /w/c",
				"created /w/c/d", "deleted /w/c/d", "changed /w/c/d"}},
	} {
		for i, c := range changes {
			t.Run(kind.name+", "+c.name, func(t *testing.T) {
				m := New[string]()
				kind.add(m)
				var want []string
				if i < len(kind.want) && kind.want[i] != "" {
					want = []string{"x " + kind.want[i]}
				}
				expect(t, m, c.typ, c.path, want...)
				stays := kind.name == "persistent" || kind.name == "recursive" || want == nil
				if (m.Total() == 0) == stays {
					t.Errorf("%d watches left", m.Total())
				}
				if stays {
					expect(t, m, c.typ, c.path, want...)
				} else {
					expect(t, m, c.typ, c.path)
				}
			})
		}
	}
}

func TestSteps(t *testing.T) {
	for _, tt := range []struct {
		name string
		add  func(m *Manager[string])
		typ  jute.EventType
		path string
		want []string
		left int
	}{
		{"several modes, one event", func(m *Manager[string]) {
			m.Add("x", Data, "/n", Standard)
			m.AddPersistent("x", "/n", Persistent)
			m.AddPersistent("x", "/n", Recursive)
			m.AddPersistent("x", "/", Recursive)
		}, changed, "/n", []string{"x changed /n"}, 3},
		{"data and child watch on a deleted znode, both used up", func(m *Manager[string]) {
			m.Add("x", Data, "/n", Standard)
			m.Add("x", Child, "/n", Standard)
		}, deleted, "/n", []string{"x deleted /n"}, 0},
		{"deletion reaches data, child and the parent's child watchers", func(m *Manager[string]) {
			m.Add("d", Data, "/p/n", Standard)
			m.Add("c", Child, "/p/n", Standard)
			m.Add("p", Child, "/p", Standard)
		}, deleted, "/p/n", []string{"d deleted /p/n", "c deleted /p/n", "p children /p"}, 0},
		{"recursive and child watch see different events", func(m *Manager[string]) {
			m.AddPersistent("x", "/r", Recursive)
			m.Add("x", Child, "/r/q", Standard)
		}, created, "/r/q/1", []string{"x created /r/q/1", "x children /r/q"}, 1},
		{"recursive above serves the deletion, so the child watch does not", func(m *Manager[string]) {
			m.AddPersistent("x", "/r", Recursive)
			m.Add("x", Child, "/r/q", Standard)
		}, deleted, "/r/q", []string{"x deleted /r/q"}, 1},
		{"recursive at several levels, one event", func(m *Manager[string]) {
			m.AddPersistent("x", "/", Recursive)
			m.AddPersistent("x", "/a", Recursive)
			m.AddPersistent("y", "/a/b", Recursive)
		}, created, "/a/b/c", []string{"y created /a/b/c", "x created /a/b/c"}, 3},
		{"child of the root", func(m *Manager[string]) { m.Add("x", Child, "/", Standard) }, created, "/n", []string{"x children /"}, 0},
		{"the root itself", func(m *Manager[string]) {
			m.Add("x", Data, "/", Standard)
			m.AddPersistent("y", "/", Recursive)
		}, changed, "/", []string{"x changed /", "y changed /"}, 1},
		{"creation spares child watches on the znode", func(m *Manager[string]) { m.Add("x", Child, "/n", Standard) }, created, "/n", nil, 1},
		{"the empty path is not the root", func(m *Manager[string]) { m.Add("x", Child, "", Standard) }, created, "/n", nil, 1},
		{"a prefix of the text is not an ancestor", func(m *Manager[string]) { m.AddPersistent("x", "/a", Recursive) }, created, "/ab/c", nil, 1},
		{"one-shot goes, persistent stays", func(m *Manager[string]) {
			m.Add("x", Child, "/p", Standard)
			m.AddPersistent("x", "/p", Persistent)
		}, deleted, "/p/c", []string{"x children /p"}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := New[string]()
			tt.add(m)
			expect(t, m, tt.typ, tt.path, tt.want...)
			if m.Total() != tt.left {
				t.Errorf("%d watches left, want %d", m.Total(), tt.left)
			}
		})
	}
}

// The life of a persistent watch on a path that comes and goes.
func TestPersistentThroughALife(t *testing.T) {
	m := New[string]()
	m.AddPersistent("x", "/p", Persistent)
	expect(t, m, created, "/p", "x created /p")
	expect(t, m, changed, "/p", "x changed /p")
	expect(t, m, created, "/p/x", "x children /p")
	expect(t, m, changed, "/p/x")
	expect(t, m, deleted, "/p/x", "x children /p")
	expect(t, m, deleted, "/p", "x deleted /p")
	expect(t, m, created, "/p", "x created /p")
}

// One path, ten thousand connections, in every way at once: with work that
// grows with the square of that the test would not end.
func TestManyWatchersOfOnePath(t *testing.T) {
	const n = 10_000
	m := New[string]()
	for i := range n {
		w := fmt.Sprint(i)
		m.Add(w, Data, "/p/n", Standard)
		m.Add(w, Child, "/p/n", Standard)
		m.AddPersistent(w, "/p/n", Persistent)
		m.AddPersistent(w, "/p", Recursive)
		m.AddPersistent(w, "/", Recursive)
	}
	for range 5 {
		if got := fire(m, deleted, "/p/n"); len(got) != n {
			t.Fatalf("%d events", len(got))
		}
	}
	if m.Total() != 4*n {
		t.Errorf("%d watches left", m.Total())
	}
	if err := verify(m); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		m.Drop(fmt.Sprint(i))
	}
	if err := verify(m); err != nil || m.Total() != 0 {
		t.Fatal(m.Total(), err)
	}
}
