package compat

import (
	"os"
	"strings"
	"testing"
)

// The tables are sound: no id twice, every variant known, and a golden transcript for exactly the cases there are.
func TestTables(t *testing.T) {
	seen := map[string]bool{}
	for _, a := range areas {
		golden, err := readGolden(a.Name)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range a.Cases {
			if seen[c.ID] {
				t.Errorf("%s is there twice", c.ID)
			}
			seen[c.ID] = true
			if _, ok := variantByName(c.Server); c.Server != "" && !ok {
				t.Errorf("%s: no variant %q", c.ID, c.Server)
			}
			_, has := golden[c.ID]
			if want := c.asksReal(); has != want {
				t.Errorf("%s: golden transcript in %s is %v, want %v", c.ID, goldenFile(a.Name), has, want)
			}
			delete(golden, c.ID)
		}
		for id := range golden {
			t.Errorf("%s has a transcript of %s, which is no case", goldenFile(a.Name), id)
		}
	}
}

// Users read docs/compatibility.md to learn where zkd is not ZooKeeper, so every deliberate difference is in it.
func TestDeliberateIsDocumented(t *testing.T) {
	b, err := os.ReadFile("../../docs/compatibility.md")
	if os.IsNotExist(err) {
		t.Skip("docs/compatibility.md is not written yet")
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range Deliberate() {
		if !strings.Contains(string(b), c.ID) {
			t.Errorf("docs/compatibility.md does not name %s: %s", c.ID, c.Differs.Reason)
		}
	}
}

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
	got := resolve(f.zxid(70) + " " + f.zxid(7) + " " + f.zxid(-1) + " " + f.zxid(70) + " " + f.zxid(1<<40))
	if want := "z2 z1 -1 z2 z3"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestDiff(t *testing.T) {
	got := diff("a\nb\nc", "a\nx\nc\nd")
	if want := "  a\n- b\n+ x\n  c\n+ d\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestBeforeZxids(t *testing.T) {
	got := beforeZxids("c: ok z4\nw: event NodeCreated ~/a z4\nw: event NodeCreated ~/a -1\n")
	if want := "c: ok z4\nw: event NodeCreated ~/a -1\nw: event NodeCreated ~/a -1\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
