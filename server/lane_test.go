package server

import (
	"testing"
	"time"
)

// Who waits for room gets it in the order of coming, the short behind the long.
func TestLaneServesInOrder(t *testing.T) {
	l := lane{limit: 100}
	wait := func(bool) bool { return true }
	for range 2 {
		if l.take(40, wait) != 40 {
			t.Fatal("there was room")
		}
	}
	order := make(chan int64, 2)
	for i, n := range []int64{30, 10} {
		go func() { order <- l.take(n, wait) }()
		must(t, func() bool { l.mu.Lock(); defer l.mu.Unlock(); return len(l.queue) == i+1 }, "it waits")
	}
	// There is room for the short one all along, and each time for one of them only.
	for _, want := range []int64{30, 10} {
		l.add(-10)
		if got := <-order; got != want {
			t.Errorf("%d was served, want %d", got, want)
		}
		if used := l.used.Load(); used != 100 {
			t.Errorf("%d used when %d was served", used, want)
		}
	}
}

// A part is never longer than half of the lane, so what is longer has its turn, too.
func TestLaneTakesTheLongest(t *testing.T) {
	l := lane{limit: 100}
	if n := l.take(1000, nil); n != 50 {
		t.Errorf("took %d", n)
	}
}

// Who gives up leaves nothing behind, and those behind him go on.
func TestLaneIsLeft(t *testing.T) {
	l := lane{limit: 100}
	l.add(100)
	gone, stays := make(chan int64), make(chan int64)
	go func() { gone <- l.take(50, func(first bool) bool { return !first }) }()
	must(t, func() bool { l.mu.Lock(); defer l.mu.Unlock(); return len(l.queue) == 1 }, "it waits")
	go func() { stays <- l.take(20, func(bool) bool { return true }) }()
	if n := <-gone; n != 0 {
		t.Errorf("took %d and gave up", n)
	}
	l.add(-20)
	if n := <-stays; n != 20 {
		t.Errorf("took %d", n)
	}
	l.add(-100)
	if used := l.used.Load(); used != 0 || l.full() {
		t.Errorf("%d used at the end", used)
	}
}

// Nobody waits for a room that is given without asking, and it counts.
func TestLaneIsOverdrawn(t *testing.T) {
	l := lane{limit: 100}
	l.add(150)
	if !l.full() {
		t.Error("not full")
	}
	began, calls := time.Now(), 0
	if n := l.take(1, func(bool) bool { calls++; return calls < 3 }); n != 0 {
		t.Errorf("took %d", n)
	}
	if time.Since(began) < 2*laneCheck {
		t.Error("did not wait")
	}
}
