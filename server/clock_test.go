package server

import (
	"sync/atomic"
	"testing"
	"time"

	"zkd/conf"
	"zkd/test/wire"
)

// wallClock is one that can be set, and that may be another at each second look.
type wallClock struct{ off, strobe, looks atomic.Int64 }

func (w *wallClock) now() time.Time {
	off := w.off.Load()
	if w.looks.Add(1)%2 == 0 {
		off += w.strobe.Load()
	}
	return time.Now().Add(time.Duration(off))
}

func (w *wallClock) set(off time.Duration) { w.off.Store(int64(off)) }

// startAt runs a server whose wall clock is another.
func startAt(t *testing.T, dir string, w *wallClock, change func(*conf.Config)) *Server {
	t.Helper()
	s, err := StartIn(t.Context(), testConfig(t, dir, change), quietLog(), World{Now: w.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopServer(t, s) })
	return s
}

const day = 24 * time.Hour

// Whatever the wall clock does, ahead, back or to and fro, sessions live as long as they are heard of and end when
// they are not: one that is silent ends in seconds although the clock says it is yesterday, and one with an hour to go
// is there when that silent one has ended although the clock says it is tomorrow.
func TestExpiryKnowsNoWallClock(t *testing.T) {
	var clock wallClock
	s := startAt(t, t.TempDir(), &clock, func(c *conf.Config) {
		c.TickTime = 10 * time.Millisecond
		c.MinSessionTimeout, c.MaxSessionTimeout = time.Millisecond, 2*time.Hour
	})
	watcher := attach(t, s, &client{timeout: 3_600_000})
	long := attach(t, s, &client{timeout: 3_600_000})
	long.ok(wire.OpCreate, wire.Create{Path: "/long", ACL: wire.OpenACL, Flags: 1})
	long.Close()
	there := func(path string) bool { return watcher.call(wire.OpExists, wire.PathWatch{Path: path}).Err == 0 }
	for _, jump := range []time.Duration{day, -day, 400 * day, -time.Second} {
		short := attach(t, s, &client{timeout: 400})
		heard := time.Now()
		short.ok(wire.OpCreate, wire.Create{Path: "/short", ACL: wire.OpenACL, Flags: 1})
		clock.set(jump)
		clock.strobe.Store(int64(jump / 2))
		must(t, func() bool { return !there("/short") }, "the end of a silent session with the clock off by %v", jump)
		if silent := time.Since(heard); silent < 400*time.Millisecond {
			t.Errorf("with the clock off by %v a session ended after %v", jump, silent)
		}
		if !there("/long") {
			t.Fatalf("with the clock off by %v a session has ended an hour early", jump)
		}
	}
}

// The mtime of later changes is never smaller: not while the clock strobes, and not after a restart with the clock set
// back. When the clock is right again, or ahead, times follow it.
func TestMtimeNeverFalls(t *testing.T) {
	var clock wallClock
	clock.strobe.Store(int64(-time.Hour))
	dir := t.TempDir()
	var last int64
	check := func(s *Server, when string) {
		t.Helper()
		c := connect(t, s)
		for range 20 {
			r := c.call(wire.OpSetData, wire.SetData{Path: "/n", Version: -1})
			if r.Err != 0 {
				c.ok(wire.OpCreate, wire.Create{Path: "/n", ACL: wire.OpenACL})
				r = c.ok(wire.OpSetData, wire.SetData{Path: "/n", Version: -1})
			}
			if r.Stat.Mtime < last {
				t.Fatalf("%s: mtime falls by %d ms", when, last-r.Stat.Mtime)
			}
			last = r.Stat.Mtime
		}
		c.Close()
	}
	s := startAt(t, dir, &clock, nil)
	check(s, "with a strobing clock")
	for _, jump := range []time.Duration{-day, 2 * day, day} {
		clock.set(jump)
		check(s, "while the server runs")
		stopServer(t, s)
		s = startAt(t, dir, &clock, nil)
		check(s, "after a restart")
	}
	clock.strobe.Store(0)
	clock.set(3 * day)
	check(s, "when the clock is ahead")
	if ahead := time.Until(time.UnixMilli(last)); ahead < 3*day-time.Hour || ahead > 3*day {
		t.Errorf("the time of a change is %v ahead, where the clock is 72 hours ahead", ahead)
	}
}
