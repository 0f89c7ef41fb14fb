package ensemble

import (
	"strings"
	"testing"
	"time"
)

// A history of two writers at one counter, with a write of unknown outcome that happened, and two sequential creates.
func goodHistory() ([]Write, Final) {
	ms := time.Millisecond
	writes := []Write{
		{Worker: 1, N: 1, Key: "/c", Expect: 0, Version: 1, Zxid: 11, Call: 1 * ms, Return: 2 * ms},
		{Worker: 2, N: 1, Key: "/c", Expect: 0, Outcome: Refused, Call: 1 * ms, Return: 3 * ms},
		{Worker: 2, N: 2, Key: "/c", Expect: 1, Outcome: Unknown, Call: 4 * ms, Return: 9 * ms},
		{Worker: 1, N: 2, Key: "/c", Expect: 2, Version: 3, Zxid: 14, Call: 10 * ms, Return: 12 * ms},
		{Worker: 1, N: 3, Kind: Append, Key: "/s", Path: "/s/n0000000000", Zxid: 15, Call: 13 * ms, Return: 14 * ms},
		{Worker: 1, N: 4, Kind: Append, Key: "/s", Outcome: Unknown, Call: 15 * ms, Return: 16 * ms},
		{Worker: 1, N: 5, Kind: Append, Key: "/s", Path: "/s/n0000000001", Zxid: 16, Call: 17 * ms, Return: 18 * ms},
	}
	return writes, Final{
		Counters: map[string]Counter{"/c": {3, "w1 n2"}},
		Children: map[string]map[string]string{"/s": {"/s/n0000000000": "w1 n3", "/s/n0000000001": "w1 n5"}},
	}
}

// Every check finds what it is there to find.
func TestCheck(t *testing.T) {
	for _, row := range []struct {
		name   string
		damage func(w []Write, f *Final) []Write
		want   string // part of the one message; "" is none
	}{
		{"nothing broken", func(w []Write, f *Final) []Write { return w }, ""},
		{"the unknown create happened", func(w []Write, f *Final) []Write {
			w[6].Path = "/s/n0000000002"
			f.Children["/s"] = map[string]string{"/s/n0000000000": "w1 n3", "/s/n0000000001": "w1 n4", "/s/n0000000002": "w1 n5"}
			return w
		}, ""},
		{"a lost increment", func(w []Write, f *Final) []Write { f.Counters["/c"] = Counter{2, "w2 n2"}; return w }, "lost: w1 n2"},
		{"a lost increment under another", func(w []Write, f *Final) []Write {
			return append(w, Write{Worker: 3, N: 1, Key: "/c", Expect: 2, Version: 3, Zxid: 14 + 3, Call: 20 * time.Millisecond, Return: 21 * time.Millisecond})
		}, "double: version 3"},
		{"an increment applied twice", func(w []Write, f *Final) []Write { f.Counters["/c"] = Counter{4, "w1 n2"}; return w }, "phantom: version 4"},
		{"a reply that skips a version", func(w []Write, f *Final) []Write { w[0].Version = 2; return w }, "double: w1 n1 at version 0 made version 2"},
		{"a refusal without a cause", func(w []Write, f *Final) []Write { w[1].Alone = true; return w }, "refused: w2 n1"},
		{"data of nobody", func(w []Write, f *Final) []Write { f.Counters["/c"] = Counter{3, "w9 n9"}; return w }, "lost: it holds"},
		{"a lost create", func(w []Write, f *Final) []Write { delete(f.Children["/s"], "/s/n0000000000"); return w }, "lost: w1 n3"},
		{"a create applied twice", func(w []Write, f *Final) []Write { f.Children["/s"]["/s/n0000000002"] = "w1 n5"; return w }, "double: w1 n5"},
		{"an unknown create applied late", func(w []Write, f *Final) []Write { f.Children["/s"]["/s/n0000000002"] = "w1 n4"; return w }, "order: w1 n4"},
		{"a create of nobody", func(w []Write, f *Final) []Write { f.Children["/s"]["/s/n0000000002"] = "w7 n1"; return w }, "phantom: /s/n0000000002"},
		{"a refused create that happened", func(w []Write, f *Final) []Write {
			w[5].Outcome = Refused
			f.Children["/s"]["/s/n0000000002"] = "w1 n4"
			return w
		}, "phantom: w1 n4 was refused"},
		{"a later write with a smaller zxid", func(w []Write, f *Final) []Write { w[6].Zxid = 10; return w }, "order: w1 n"},
		{"two writes with one zxid", func(w []Write, f *Final) []Write { w[6].Zxid = 15; return w }, "have zxid 0xf"},
	} {
		t.Run(row.name, func(t *testing.T) {
			writes, final := goodHistory()
			errs := Check(row.damage(writes, &final), final)
			if row.want == "" {
				if len(errs) > 0 {
					t.Errorf("found %v", errs)
				}
				return
			}
			for _, err := range errs {
				if strings.Contains(err.Error(), row.want) {
					return
				}
			}
			t.Errorf("%q is not in %v", row.want, errs)
		})
	}
}

func TestCheckHolds(t *testing.T) {
	s := time.Second
	good := []Hold{{"b", 3 * s, 4 * s, 2}, {"a", 1 * s, 2 * s, 1}, {"c", 4 * s, 5 * s, 3}}
	if errs := CheckHolds(good); len(errs) > 0 {
		t.Error(errs)
	}
	if errs := CheckHolds(append(good, Hold{"d", 4*s + s/2, 6 * s, 4})); len(errs) != 1 {
		t.Errorf("two holders at once: %v", errs)
	}
	if errs := CheckHolds(append(good, Hold{"d", 6 * s, 7 * s, 2})); len(errs) != 1 {
		t.Errorf("a fence that falls: %v", errs)
	}
}

// A session notices a zxid that falls.
func TestSeeZxid(t *testing.T) {
	s := &Session{servers: []*Server{{ID: 1}}}
	for _, z := range []int64{5, 5, 7, 0, -1} {
		s.see(z)
	}
	if len(s.errs) > 0 {
		t.Error(s.errs)
	}
	if s.see(6); len(s.errs) != 1 {
		t.Error("a zxid fell and nobody saw it")
	}
}

func TestDifference(t *testing.T) {
	tree := func() Tree { return Tree{"/": {Data: "x"}, "/a": {Data: "y", ACL: "z"}} }
	if d := tree().Difference(tree()); d != "" {
		t.Error(d)
	}
	for name, change := range map[string]func(Tree){
		"data":    func(t Tree) { t["/a"] = Node{Data: "Y", ACL: "z"} },
		"stat":    func(t Tree) { n := t["/a"]; n.Stat.Pzxid++; t["/a"] = n },
		"missing": func(t Tree) { delete(t, "/a") },
		"more":    func(t Tree) { t["/b"] = Node{} },
	} {
		other := tree()
		change(other)
		if tree().Difference(other) == "" {
			t.Errorf("%s: not seen", name)
		}
	}
}
