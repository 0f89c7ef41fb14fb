package consensus

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"zkd/test/quick"
)

// wrongClock is a clock that can be set, and that jumps to and fro at each look.
type wrongClock struct {
	off, strobe time.Duration
	looks       atomic.Int64
}

func (c *wrongClock) now() time.Time {
	off := c.off
	if c.looks.Add(1)%2 == 0 {
		off += c.strobe
	}
	return time.Now().Add(off)
}

// The time of requests is the leader's, whoever that is, and never falls: not when a leader's clock is behind that of
// the one before, not when it jumps, not when a server comes back in what it takes for the past. All servers have the
// same, and a server whose clock was set back goes on sending requests that count.
func TestClocksOfServersDiffer(t *testing.T) {
	quick.Skip(t)
	e := newTrio(t, 3)
	e.clocks = map[uint64]func() time.Time{
		1: (&wrongClock{off: time.Hour}).now,
		2: (&wrongClock{strobe: -10 * time.Minute}).now,
		3: (&wrongClock{off: -24 * time.Hour, strobe: time.Minute}).now,
	}
	for id := range uint64(3) {
		e.launch(id+1, e.members)
	}
	e.ready(1, 2, 3)
	want := 0
	for round := range 4 {
		var wg sync.WaitGroup
		for id, n := range e.nodes {
			wg.Go(func() { submit(n, 2, 50, fmt.Sprintf("round%d-%d", round, id)) })
			want += 100
		}
		wg.Wait()
		inOrder(t, e.same(want), e.same(want))
		gone := e.leader()
		e.stop(gone)
		// It comes back an hour before what it told last, or a day ahead.
		off := -time.Hour * time.Duration(round+1)
		if round%2 == 1 {
			off = 24 * time.Hour
		}
		e.clocks[gone] = (&wrongClock{off: off, strobe: time.Second}).now
		e.leader()
		e.launch(gone, e.members)
		e.ready(gone)
	}
	e.same(want)
	var first []int64
	for id, m := range e.states {
		m.mu.Lock()
		times := slices.Clone(m.times)
		m.mu.Unlock()
		if !slices.IsSorted(times) {
			t.Errorf("server %d: time has gone back", id)
		}
		if first == nil {
			first = times
		}
		if !slices.Equal(times, first) {
			t.Errorf("server %d has other times", id)
		}
	}
	e.errs.Range(func(id, err any) bool { t.Errorf("server %v ended: %v", id, err); return true })
}

// A process is killed at its start with a request on its way, and the clock is set back. The request is committed after the
// next process has chosen its number: that must be later, or the server would be taken for an old copy of itself.
func TestStartsAreNumberedUpwards(t *testing.T) {
	quick.Skip(t)
	e := newTrio(t, 3)
	for id := range uint64(3) {
		e.launch(id+1, e.members)
	}
	e.ready(1, 2, 3)
	id := e.nodes[3].who()
	e.stop(3)
	ahead := uint64(time.Now().Add(time.Hour).UnixNano())
	id.Start = ahead
	if err := id.write(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		e.launch(3, e.members)
		e.ready(3)
		if now := e.nodes[3].who().Start; now <= ahead {
			t.Fatalf("start %d after %d", now, ahead)
		}
		ahead = e.nodes[3].who().Start
		e.stop(3)
	}
	e.errs.Range(func(id, err any) bool { t.Errorf("server %v ended: %v", id, err); return true })
}
