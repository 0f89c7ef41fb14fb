package diff

import (
	"slices"
	"strings"
	"testing"
)

// A script follows from seed and number alone, most scripts are legal, and together they have every kind of request.
func TestGenerate(t *testing.T) {
	const scripts = 400
	verbs, legals := map[string]int{}, 0
	for n := range uint64(scripts) {
		p := plan{shape: []shape{{1, 1}, {3, 1}, {3, 3}}[n%3], outages: 10}
		lines := generate(7, n, p)
		if !slices.Equal(lines, generate(7, n, p)) {
			t.Fatalf("script %d differs from itself", n)
		}
		if !legal(lines, p.shape) {
			continue
		}
		legals++
		for _, l := range lines {
			verbs[parse(l).verb]++
		}
	}
	if legals < scripts/2 {
		t.Errorf("%d of %d scripts are legal", legals, scripts)
	}
	for _, v := range strings.Fields(`create create2 container ttl delete set setacl exists get children children2 getacl
		sync ephemerals count multi multiread addwatch checkwatches removewatches setwatches setwatches2 auth whoami
		ping sasl reconfig raw close outage leave return connect part bytes eof flush mark`) {
		if verbs[v] == 0 {
			t.Errorf("no script has %s", v)
		}
	}
}

func TestShrink(t *testing.T) {
	lines := []string{"a create ~/a", "b & ping", "b & multi create ~/x ; delete ~/b ; set ~/y 1 xid=7", "b flush",
		"a get ~ watch", "c whoami", "a delete ~/b"}
	fails := func(l []string) bool {
		text := strings.Join(l, "\n")
		return strings.Contains(text, "multi ") && strings.Contains(text, "delete ~/b") && strings.Contains(text, "a get")
	}
	got := shrink(lines, func(l []string) bool { return legal(l, shape{1, 1}) }, fails)
	if want := []string{"b multi delete ~/b", "a get ~"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
