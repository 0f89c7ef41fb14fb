package consensus

import (
	"testing"
	"time"
)

func TestIntakeLimitsGroups(t *testing.T) {
	var i intake
	for range maxGroups {
		if ok, _ := i.open(); !ok {
			t.Fatal("closed before it is full")
		}
		i.sent(3)
	}
	if ok, in := i.open(); ok || in != 0 {
		t.Errorf("full: open %v, or in %v", ok, in)
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
	if ok, _ := i.open(); !ok || i.given != 0 || i.back != 0 {
		t.Errorf("after reset: given %d, back %d", i.given, i.back)
	}
}

// In an ensemble a group waits for the one before, unless that takes long.
func TestIntakeIsPatient(t *testing.T) {
	i := intake{patience: time.Hour}
	if ok, _ := i.open(); !ok {
		t.Fatal("closed though nothing is under way")
	}
	i.sent(1)
	if ok, in := i.open(); ok || in <= 0 || in > time.Hour {
		t.Errorf("behind a fresh group: open %v, or in %v", ok, in)
	}
	i.groups[0].at = time.Now().Add(-time.Hour)
	if ok, _ := i.open(); !ok {
		t.Error("closed behind a group that takes long")
	}
}

func TestIntakeWaits(t *testing.T) {
	var i intake
	var here int
	if i.waits() {
		t.Error("an empty one waits")
	}
	i.add(arrival{here: &here})
	if !i.waits() {
		t.Error("what came is not waiting")
	}
	if i.take(); i.waits() {
		t.Error("what was taken waits")
	}
}

func TestIntakeLimitsALink(t *testing.T) {
	var i intake
	var here, there int
	for n := range linkQueue {
		if !i.add(arrival{batch: []byte{byte(n)}, here: &here}) {
			t.Fatalf("refused after %d", n)
		}
	}
	if i.add(arrival{here: &here}) {
		t.Error("took more than a link may have")
	}
	if !i.add(arrival{batch: []byte("other"), here: &there}) {
		t.Error("one link fills the queue for another")
	}
	all := i.take()
	if len(all) != linkQueue+1 || here != 0 || there != 0 {
		t.Fatalf("took %d, counted %d and %d", len(all), here, there)
	}
	for n, a := range all[:linkQueue] {
		if a.batch[0] != byte(n) {
			t.Errorf("%d came at %d", a.batch[0], n)
		}
	}
	if len(i.take()) != 0 || !i.add(arrival{here: &here}) {
		t.Error("not empty afterwards")
	}
}
