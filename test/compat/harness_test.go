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

func TestBeforeZxids(t *testing.T) {
	got := beforeZxids("c: ok z4\nw: event NodeCreated ~/a z4\nw: event NodeCreated ~/a -1\n")
	if want := "c: ok z4\nw: event NodeCreated ~/a -1\nw: event NodeCreated ~/a -1\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
