package server

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"zkd/proto/jute"
	"zkd/test/quick"
	"zkd/test/wire"
)

// An event comes before every reply that shows its change, and never before
// the reply that registered the watch. One client counts a znode up; others
// watch it and read it in pipelines.
func TestEventsBeforeReplies(t *testing.T) {
	quick.Skip(t)
	s := startServer(t, nil)
	writer := connect(t, s)
	writer.create("/n", []byte("0"), 0)
	var done atomic.Bool
	var all sync.WaitGroup
	for i := range 4 {
		c := connect(t, s)
		all.Go(func() {
			if err := watchAndRead(c, &done, i%2 == 0); err != nil {
				t.Errorf("watcher %d: %v", i, err)
			}
		})
	}
	for i := 1; i <= 3000; i++ {
		writer.ok(wire.OpSetData, wire.SetData{Path: "/n", Data: strconv.AppendInt(nil, int64(i), 10), Version: int32(i - 1)})
	}
	done.Store(true)
	all.Wait()
}

// A client that watches what it changes itself has the event first.
func TestEventBeforeTheReplyToItsCause(t *testing.T) {
	s := startServer(t, nil)
	c := connect(t, s)
	c.create("/n", nil, 0)
	c.ok(wire.OpGetData, wire.PathWatch{Path: "/n", Watch: true})
	c.ok(wire.OpSetData, wire.SetData{Path: "/n", Version: -1})
	if len(c.events) != 1 || c.events[0].Path != "/n" {
		t.Errorf("events %+v before the reply", c.events)
	}
}

// watchAndRead keeps a one-shot watch on /n with reads in flight behind it. The
// watch is set by getData or by exists.
func watchAndRead(c *client, done *atomic.Bool, byData bool) error {
	op := wire.OpExists
	if byData {
		op = wire.OpGetData
	}
	for !done.Load() {
		// One read that registers, and some behind it that would show a change.
		c.xid++
		registering := c.xid
		b := wire.Frame(wire.Payload(c.xid, op, wire.PathWatch{Path: "/n", Watch: true}))
		c.Expect(c.xid, op)
		for range 5 {
			c.xid++
			b = append(b, wire.Frame(wire.Payload(c.xid, wire.OpGetData, wire.PathWatch{Path: "/n"}))...)
			c.Expect(c.xid, wire.OpGetData)
		}
		if err := c.Write(b); err != nil {
			return err
		}
		registered, fired, version := false, false, int32(0)
		for last := c.xid; ; {
			e, r, err := c.Next(patience)
			if err != nil {
				return err
			}
			if e != nil {
				if !registered {
					return fmt.Errorf("event %+v before the reply that registered", *e)
				}
				if fired {
					return fmt.Errorf("a second event: %+v", *e)
				}
				fired = true
				continue
			}
			switch {
			case r.Xid == registering:
				registered, version = true, r.Stat.Version
			case r.Stat.Version != version && !fired:
				return fmt.Errorf("version %d after %d without an event", r.Stat.Version, version)
			}
			if r.Xid == last {
				break
			}
		}
		if fired {
			continue
		}
		// Take the watch away, or wait for it: either way it is gone.
		c.xid++
		if err := c.Send(c.xid, wire.OpRemoveWatches, wire.PathType{Path: "/n", Type: 2}); err != nil {
			return err
		}
		for r := (*wire.Reply)(nil); r == nil; {
			var err error
			var e *wire.Event
			if e, r, err = c.Next(patience); err != nil {
				return err
			}
			if e != nil {
				fired = true
			}
			if r != nil && (r.Err == 0) == fired {
				return fmt.Errorf("removeWatches: %v, fired %v", r.Err, fired)
			}
		}
	}
	return nil
}

// A client with many watches that takes no event is closed at its limit.
// Nobody else waits for it.
func TestSlowReaderIsClosed(t *testing.T) {
	s := startServer(t, nil)
	slow, brisk, writer := connect(t, s), connect(t, s), connect(t, s)
	name := strings.Repeat("n", 2000)
	slow.ok(wire.OpAddWatch, wire.PathType{Path: "/", Type: 1})
	brisk.ok(wire.OpAddWatch, wire.PathType{Path: "/", Type: 1})
	const multis, each = 60, 200
	var seen atomic.Int64
	var all sync.WaitGroup
	all.Go(func() {
		for seen.Load() < multis*each {
			e, _, err := brisk.Next(patience)
			if err != nil {
				t.Errorf("brisk client after %d events: %v", seen.Load(), err)
				return
			}
			if e != nil {
				seen.Add(1)
			}
		}
	})
	for i := range multis {
		var ops []wire.SubOp
		for j := range each {
			ops = append(ops, wire.SubOp{Op: wire.OpCreate, Body: wire.Create{Path: fmt.Sprintf("/%s%d-%d", name, i, j), ACL: wire.OpenACL}})
		}
		writer.ok(wire.OpMulti, wire.Multi{Ops: ops})
	}
	all.Wait()
	settled(t, s, 2)
	writer.create("/after", nil, 0)
}

// A list longer than the limit for events is no reason to close: the client
// asked for it, and an event may come before it is on its way.
func TestLongListIsNoSlowReader(t *testing.T) {
	s := startServer(t, nil)
	connect(t, s)
	c := s.conns.list()[0]
	// From here on somebody else is writing, and never done.
	must(t, func() bool {
		c.out.mu.Lock()
		defer c.out.mu.Unlock()
		ours := !c.out.writing && !c.dirty
		c.out.writing = c.out.writing || ours
		return ours
	}, "the handshake is sent")
	r := run{c: c}
	if !r.begin() {
		t.Fatal("connection is ending")
	}
	c.out.buf = append(c.out.buf, make([]byte, maxQueued+1)...)
	r.end()
	event := jute.AppendEvent(nil, 1, jute.EventNodeCreated, "/n")
	c.queueEvent(event)
	// What comes up to the limit behind it is still borne, and no more.
	c.queueEvent(make([]byte, maxQueued-len(event)))
	if gone(c) {
		t.Error("closed for what it asked for")
	}
	c.queueEvent(event)
	if !gone(c) {
		t.Error("the events behind a long reply have no limit")
	}
}

func gone(c *conn) bool {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	return c.gone
}

// An event is encoded once: everybody's queue is the same memory, and what one
// connection queues behind it does not show in another's.
func TestEventIsShared(t *testing.T) {
	s := startServer(t, nil)
	connect(t, s)
	connect(t, s)
	list := s.conns.list()
	for _, c := range list {
		// From here on somebody else is writing, and never done.
		must(t, func() bool {
			c.out.mu.Lock()
			defer c.out.mu.Unlock()
			ours := !c.out.writing && !c.dirty
			c.out.writing = c.out.writing || ours
			return ours
		}, "the handshake is sent")
	}
	event := jute.AppendEvent(nil, 1, jute.EventNodeCreated, "/n")
	before := slices.Clone(event)
	for _, c := range list {
		if !c.queueEvent(event) {
			t.Fatal("nobody is told that an event is queued")
		}
		if &queued(c)[0] != &event[0] {
			t.Error("an event that is alone in the queue was copied")
		}
	}
	next := jute.AppendEvent(nil, 2, jute.EventNodeDeleted, "/n")
	if list[0].queueEvent(next) {
		t.Error("a flusher is told twice")
	}
	if want := append(slices.Clone(before), next...); !slices.Equal(queued(list[0]), want) {
		t.Errorf("queued %q, want %q", queued(list[0]), want)
	}
	putBuffer(queued(list[1]))
	if b := getBuffer(); cap(b) < leastBuffer {
		t.Errorf("a buffer of %d bytes is kept", cap(b))
	}
	if !slices.Equal(queued(list[1]), before) || !slices.Equal(event, before) {
		t.Errorf("the event that others have is %q, was %q", event, before)
	}
}

// queued is what waits to be written, for tests in which nobody is about to.
func queued(c *conn) []byte {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	return c.out.buf
}

// Everybody who watches one znode hears of a change once, also when they are so
// many that the first are served before the last is found.
func TestManyWatchersHearOnce(t *testing.T) {
	s := startServer(t, nil)
	writer := connect(t, s)
	writer.create("/n", nil, 0)
	watchers := make([]*client, 3*s.flushers.share())
	for i := range watchers {
		watchers[i] = connect(t, s)
	}
	for range 3 {
		for _, c := range watchers {
			c.ok(wire.OpExists, wire.PathWatch{Path: "/n", Watch: true})
		}
		writer.ok(wire.OpSetData, wire.SetData{Path: "/n", Version: -1})
		for i, c := range watchers {
			e, _, err := c.Next(patience)
			if err != nil || e == nil {
				t.Fatalf("watcher %d: no event, %v", i, err)
			}
			if c.ok(wire.OpExists, wire.PathWatch{Path: "/n"}); len(c.events) > 0 {
				t.Fatalf("watcher %d: one event more: %+v", i, c.events)
			}
		}
	}
}
