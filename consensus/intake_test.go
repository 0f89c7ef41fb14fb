package consensus

import "testing"

func TestIntakeLimitsGroups(t *testing.T) {
	var i intake
	for range maxGroups {
		if !i.open() {
			t.Fatal("closed before it is full")
		}
		i.sent(3)
	}
	if i.open() {
		t.Error("open though it is full")
	}
	for _, step := range []struct {
		entries int
		room    bool
	}{
		{0, false}, // of other terms
		{2, false},
		{2, true}, // the first group, and one of the second
		{1, false},
		{1, true},
	} {
		if room := i.applied(step.entries); room != step.room {
			t.Errorf("%d applied, %d in all: room %v", step.entries, i.back, room)
		}
	}
	i.sent(1)
	i.sent(1)
	i.reset()
	if !i.open() || i.given != 0 || i.back != 0 {
		t.Errorf("after reset: given %d, back %d", i.given, i.back)
	}
}

func TestIntakeLimitsALink(t *testing.T) {
	var i intake
	var here, there int
	for n := range linkQueue {
		if !i.add(arrival{entry: []byte{byte(n)}, here: &here}) {
			t.Fatalf("refused after %d", n)
		}
	}
	if i.add(arrival{here: &here}) {
		t.Error("took more than a link may have")
	}
	if !i.add(arrival{entry: []byte("other"), here: &there}) {
		t.Error("one link fills the queue for another")
	}
	all := i.take()
	if len(all) != linkQueue+1 || here != 0 || there != 0 {
		t.Fatalf("took %d, counted %d and %d", len(all), here, there)
	}
	for n, a := range all[:linkQueue] {
		if a.entry[0] != byte(n) {
			t.Errorf("%d came at %d", a.entry[0], n)
		}
	}
	if len(i.take()) != 0 || !i.add(arrival{here: &here}) {
		t.Error("not empty afterwards")
	}
}
