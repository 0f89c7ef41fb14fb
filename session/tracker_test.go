package session

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"
)

const (
	tick = 500 * time.Millisecond
	ms   = time.Millisecond
)

// clock calls Expired at every tick up to a time, and notes who ended when.
type clock struct {
	*Tracker
	now   time.Duration
	ended map[ID]time.Duration
	t     testing.TB
}

func newClock(t testing.TB, now time.Duration) *clock {
	return &clock{NewTracker(tick, now), now, map[ID]time.Duration{}, t}
}

func (c *clock) to(end time.Duration) {
	for c.now < end {
		c.now = min((c.now/tick+1)*tick, end)
		c.expire()
	}
}

func (c *clock) expire() []ID {
	c.t.Helper()
	ids := c.Expired(c.now)
	for _, id := range ids {
		if _, twice := c.ended[id]; twice {
			c.t.Errorf("session %d ended twice", id)
		}
		c.ended[id] = c.now
	}
	return ids
}

func TestExpiresAfterItsTimeoutAndWithinATick(t *testing.T) {
	for _, start := range []time.Duration{0, 1, tick - 1, tick, tick + 1, 1234567 * ms} {
		for _, timeout := range []time.Duration{1, tick - 1, tick, tick + 1, 2000 * ms, 2001 * ms, 40 * time.Second} {
			c := newClock(t, start)
			c.Track(1, timeout, start)
			c.to(start + timeout)
			if len(c.ended) > 0 {
				t.Errorf("start %v, timeout %v: ended at %v, too early", start, timeout, c.ended[1])
			}
			c.to(start + timeout + tick)
			if len(c.ended) == 0 {
				t.Errorf("start %v, timeout %v: alive a tick later", start, timeout)
			}
		}
	}
}

func TestTouchingMovesTheEnd(t *testing.T) {
	c := newClock(t, 0)
	e := c.Track(1, 2000*ms, 0)
	for range 50 {
		c.to(c.now + 1900*ms)
		e.Touch(c.now)
	}
	if len(c.ended) > 0 {
		t.Fatal("ended although it was heard of")
	}
	last := c.now
	c.to(last + 2000*ms)
	if len(c.ended) > 0 {
		t.Error("ended before its timeout")
	}
	c.to(last + 2000*ms + tick)
	if len(c.ended) != 1 {
		t.Error("alive a tick after its timeout")
	}
}

func TestEndedOnceAndKnownUntilForgotten(t *testing.T) {
	c := newClock(t, 0)
	e := c.Track(1, 1000*ms, 0)
	c.to(3000 * ms)
	if len(c.ended) != 1 || c.Len() != 1 {
		t.Fatalf("ended %v, %d known", c.ended, c.Len())
	}
	e.Touch(c.now) // too late: its close is under way
	c.to(60 * time.Second)
	c.Forget(1)
	c.Forget(1)
	if c.Len() != 0 || len(c.buckets) != 0 || len(c.entries) != 0 {
		t.Errorf("left: %v, %v", c.entries, c.buckets)
	}
}

func TestTrackingAgainRestarts(t *testing.T) {
	c := newClock(t, 0)
	first := c.Track(1, 10*time.Second, 0)
	c.to(1000 * ms)
	if again := c.Track(1, 2000*ms, c.now); again != first {
		t.Error("another entry: the connection's would touch nothing")
	}
	c.to(3000 * ms)
	if len(c.ended) > 0 {
		t.Fatal("ended before the new timeout")
	}
	c.to(3000*ms + tick)
	if len(c.ended) != 1 {
		t.Fatal("the old timeout was kept")
	}
	// One that has ended, and was not closed after all, starts anew.
	delete(c.ended, 1)
	c.Track(1, 2000*ms, c.now)
	at := c.now
	c.to(at + 2000*ms)
	if len(c.ended) > 0 {
		t.Error("ended before its timeout, the second time")
	}
	c.to(at + 2000*ms + tick)
	if len(c.ended) != 1 {
		t.Error("never ended again")
	}
}

func TestForgottenDoesNotExpire(t *testing.T) {
	c := newClock(t, 0)
	c.Track(1, 1000*ms, 0)
	c.Track(2, 1000*ms, 0)
	c.Forget(1)
	c.to(10 * time.Second)
	if _, ended := c.ended[1]; ended || len(c.ended) != 1 {
		t.Errorf("ended: %v", c.ended)
	}
}

func TestStalledServerGivesTheTimeBack(t *testing.T) {
	c := newClock(t, 0)
	c.Track(1, 2000*ms, 0)
	c.to(1000 * ms)
	c.now += 20 * time.Second // nobody could be heard
	if ids := c.expire(); len(ids) > 0 {
		t.Fatalf("expired %v right after a stall", ids)
	}
	// A second of silence before the stall leaves another, and a tick of grace
	// in which the stall began.
	at := c.now
	c.to(at + 500*ms)
	if len(c.ended) > 0 {
		t.Error("ended before the time left was over")
	}
	c.to(at + 2000*ms + 2*tick)
	if len(c.ended) != 1 {
		t.Error("never ended")
	}
}

func TestStallDoesNotGiveMoreThanWasMissed(t *testing.T) {
	c := newClock(t, 0)
	e := c.Track(1, 2000*ms, 0)
	c.now = 30 * time.Second
	e.Touch(c.now) // heard of before the tick that notices the stall
	c.expire()
	c.to(c.now + 2000*ms + tick)
	if len(c.ended) != 1 {
		t.Error("alive a tick after its timeout")
	}
}

func TestAnIdleTrackerMayWakeLate(t *testing.T) {
	c := newClock(t, 0)
	c.now = time.Hour
	c.Track(1, 2000*ms, c.now)
	c.expire()
	c.to(time.Hour + 2000*ms)
	if len(c.ended) > 0 {
		t.Error("ended too early")
	}
	c.to(time.Hour + 2000*ms + tick)
	if len(c.ended) != 1 {
		t.Error("not ended")
	}
}

func TestDeadlines(t *testing.T) {
	c := newClock(t, 0)
	e := c.Track(1, 2000*ms, 0)
	c.Track(2, 700*ms, 0)
	e.Touch(100 * ms)
	if got := c.Deadlines(); len(got) != 2 || got[1] != 2500*ms || got[2] != 1000*ms {
		t.Errorf("got %v", got)
	}
}

// Many sessions, at random: each ends in its window, once.
func TestRandomSessions(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	c := newClock(t, 12345*ms)
	type known struct {
		e       *Entry
		heard   time.Duration
		timeout time.Duration
	}
	all := map[ID]*known{}
	for i := range 20000 {
		c.now += time.Duration(r.IntN(20)) * ms
		id := ID(1 + r.IntN(200))
		switch k := all[id]; {
		case k == nil || r.IntN(50) == 0:
			timeout := time.Duration(1+r.IntN(8000)) * ms
			all[id] = &known{c.Track(id, timeout, c.now), c.now, timeout}
			delete(c.ended, id)
		case r.IntN(30) == 0:
			c.Forget(id)
			delete(all, id)
		default:
			k.e.Touch(c.now)
			k.heard = c.now
		}
		if i%3 > 0 {
			continue
		}
		for _, id := range c.expire() {
			k := all[id]
			if k == nil || c.now <= k.heard+k.timeout || c.now > k.heard+k.timeout+tick+60*ms {
				t.Fatalf("%d: session %d ended at %v, heard of %+v", i, id, c.now, k)
			}
			c.Forget(id)
			delete(all, id)
		}
		for id, k := range all {
			if c.now > k.heard+k.timeout+tick {
				t.Fatalf("%d: session %d is alive at %v, heard of %+v", i, id, c.now, k)
			}
		}
	}
	for id := range all {
		c.Forget(id)
	}
	if c.Len() != 0 || len(c.buckets) != 0 {
		t.Errorf("left: %v", c.buckets)
	}
}

func TestConcurrentUse(t *testing.T) {
	tracker := NewTracker(tick, 0)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 500 {
				id := ID(1 + (i+g)%50)
				e := tracker.Track(id, time.Hour, time.Duration(i)*ms)
				e.Touch(time.Duration(i) * ms)
				if i%7 == 0 {
					tracker.Forget(id)
				}
				tracker.Len()
				tracker.Deadlines()
			}
		})
	}
	var ended []ID
	for i := range 100 {
		ended = append(ended, tracker.Expired(time.Duration(i)*tick)...)
	}
	wg.Wait()
	if slices.Max(append(ended, 0)) != 0 {
		t.Errorf("ended: %v", ended)
	}
}

// What another server has heard counts from when it was heard, never backwards,
// and brings the timeout of the session's newest connection.
func TestHeard(t *testing.T) {
	c := newClock(t, 0)
	c.Track(1, 4*tick, 0)
	c.Track(2, 40*tick, 0)
	c.Track(3, 4*tick, 0)
	c.to(2 * tick)
	c.Heard(1, 7, 4*tick, 2*tick)
	c.Heard(1, 7, 4*tick, tick)   // older news, came later
	c.Heard(2, 7, 4*tick, 2*tick) // a shorter timeout since
	c.Heard(9, 7, 4*tick, 2*tick) // nobody
	c.to(20 * tick)
	for id, want := range map[ID]time.Duration{1: 7 * tick, 2: 7 * tick, 3: 5 * tick} {
		if c.ended[id] != want {
			t.Errorf("session %d ended at %v, want %v", id, c.ended[id], want)
		}
	}
	if _, ok := c.ended[9]; ok || c.Len() != 3 {
		t.Errorf("%d sessions tracked, those that ended: %v", c.Len(), c.ended)
	}
}

// A server that begins to lead gives every session its full timeout, those too
// that it found silent when it led before.
func TestRestart(t *testing.T) {
	c := newClock(t, 0)
	c.Track(1, 2*tick, 0)
	c.Track(2, 8*tick, 0)
	c.to(3 * tick)
	delete(c.ended, 1) // found silent; nothing came of it
	c.now = 1000*tick + 1
	c.Restart(c.now)
	c.to(1002 * tick)
	if len(c.ended) > 0 {
		t.Errorf("ended within their timeout: %v", c.ended)
	}
	c.to(1010 * tick)
	if c.ended[1] != 1003*tick || c.ended[2] != 1009*tick {
		t.Errorf("ended at %v", c.ended)
	}
	c.Track(3, tick, c.now)
	c.Retain(func(id ID) bool { return id == 2 })
	if c.Len() != 1 {
		t.Errorf("%d sessions retained", c.Len())
	}
}
