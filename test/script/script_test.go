package script

import (
	"strings"
	"testing"
)

func TestSplit(t *testing.T) {
	for line, want := range map[string]string{
		`c create ~/a "x y" flags=2`: `c|create|~/a|x y|flags=2`,
		`c create "~/a\x00b"`:        "c|create|~/a\x00b",
		`c set ~ ""`:                 `c|set|~|`,
		`  w   get	~ `:               `w|get|~`,
		`acl=31:digest:"a b"`:        `acl=31:digest:a b`,
	} {
		toks, err := split(line)
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		var got []string
		for _, tok := range toks {
			got = append(got, tok.text)
		}
		if s := strings.Join(got, "|"); s != want {
			t.Errorf("%s: got %q, want %q", line, s, want)
		}
	}
	if _, err := split(`c get "~`); err == nil {
		t.Error("an open string is no error")
	}
}

// Zxids are named by rank, so that a transcript shows their order even when a later one is seen first.
func TestResolve(t *testing.T) {
	f := &form{}
	got := resolve(f.zxid(70) + " " + f.zxid(7) + " " + f.zxid(-1) + " " + f.zxid(70) + " " + f.zxid(1<<40|1))
	if want := "z2 z1 -1 z2 z3"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestDiff(t *testing.T) {
	got := Diff("a\nb\nc", "a\nx\nc\nd")
	if want := "  a\n- b\n+ x\n  c\n+ d\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A read may show the beginning of an epoch, of which a server without epochs knows nothing.
func TestResolveEpochs(t *testing.T) {
	f := &form{}
	got := resolve(f.zxid(2<<32|7) + " " + f.zxid(3<<32) + " " + f.zxid(3<<32|1) + " " + f.zxid(0) + " " + f.zxid(2<<32))
	if want := "z2 z2 z3 0 z1"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
