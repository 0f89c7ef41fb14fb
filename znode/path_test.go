package znode

import "testing"

func TestValidPath(t *testing.T) {
	for path, want := range map[string]bool{
		"/": true, "/a": true, "/a/b": true, "/...": true, "/a.": true, "/.a": true, "/..a": true, "/a b": true,
		"/\u00a0": true, "/\uf900": true, "/\uffef": true, "/é/日本": true, "/\u0080": false,
		"": false, "a": false, "a/b": false, "/a/": false, "//": false, "//a": false, "/a//b": false,
		"/.": false, "/..": false, "/a/.": false, "/a/../b": false, "/./a": false,
		"/a\x00": false, "/\x01": false, "/\x1f": false, "/\x7f": false, "/\u009f": false, "/ ": true,
		"/\ue000": false, "/\uf8ff": false, "/\ufff0": false, "/\ufffd": false, "/\uffff": false, "/\U0001F600": false,
		"/\xff": false, "/a\xc3": false, "/\xed\xa0\x80": false, "/\ud7ff": true,
	} {
		if got := ValidPath(path); got != want {
			t.Errorf("%q: got %v", path, got)
		}
	}
}

func TestSplitParent(t *testing.T) {
	for _, tt := range []struct {
		path, parent, name string
		ok                 bool
	}{
		{"/a", "", "a", true}, {"/a/b", "/a", "b", true}, {"/", "", "", true}, {"/a/", "/a", "", true},
		{"//a", "/", "a", true}, {"a/b", "a", "b", true}, {"", "", "", false}, {"a", "", "", false}, {"/a\x00", "", "", false},
	} {
		parent, name, ok := splitParent(tt.path)
		if parent != tt.parent || name != tt.name || ok != tt.ok {
			t.Errorf("%q: got %q, %q, %v", tt.path, parent, name, ok)
		}
	}
}

func TestLookup(t *testing.T) {
	x := newTester(t).make("/a", "/a/b")
	for path, want := range map[string]bool{
		"": true, "/": true, "/a": true, "/a/b": true, "/zookeeper/quota": true,
		"a": false, "//": false, "//a": false, "/a/": false, "/a//b": false, "/a/b/": false, "/a/b/c": false,
		"/b": false, "/a\x00": false, "a/b": false, "xa": false, "/a/.": false,
	} {
		if got := x.lookup(path) != 0; got != want {
			t.Errorf("%q: found %v", path, got)
		}
	}
	if x.lookup("") != x.lookup("/") {
		t.Error("the empty path is not the root")
	}
}
