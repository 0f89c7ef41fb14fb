package server

import (
	"context"
	"fmt"
	"testing"
	"time"

	"zkd/test/quick"
	"zkd/test/wire"
)

// What is parked and cannot be decoded is answered in its turn all the same.
func TestParkedGarbageBodies(t *testing.T) {
	s := startServer(t, nil)
	c := connect(t, s)
	c.create("/n", nil, 0)
	h := hold(t, s)
	c.sendSet("a")
	ops := []wire.Op{3, 4, 6, 8, 12, 11, 17, 18, 106, 107}
	bodies := []wire.Raw{nil, {0}, {0xff, 0xff, 0xff, 0xff}, {0x7f, 0xff, 0xff, 0xff}, {0x80, 0, 0, 0}, {0, 0, 0, 2, '/', 'n'}, {0, 0, 0, 2, '/', 'n', 0, 0, 0}, {0, 0, 0, 2, '/', 'n', 0xff, 0xff, 0xff, 0xff}, {0, 0, 0, 2, '/', 0, 1}, {0, 0, 0, 0, 1, 0, 0, 0}}
	var sent []int32
	for _, op := range ops {
		for _, b := range bodies {
			c.xid++
			if err := c.Write(wire.Frame(wire.Payload(c.xid, op, b))); err != nil {
				t.Fatal(err)
			}
			x := c.xid
			if op == 11 {
				x = -2
			}
			sent = append(sent, x)
		}
	}
	h.waits(c, 1, fewParked)
	h.goOn()
	c.reply()
	for i, x := range sent {
		f, err := c.ReadFrame(patience)
		if err != nil {
			t.Fatal(i, err)
		}
		got := int32(f[0])<<24 | int32(f[1])<<16 | int32(f[2])<<8 | int32(f[3])
		if got != x {
			t.Fatalf("%d: xid %d, want %d", i, got, x)
		}
	}
}

// A shutdown answers what is parked.
func TestShutdownAnswersParked(t *testing.T) {
	s := startServer(t, nil)
	c := connect(t, s)
	c.create("/n", nil, 0)
	h := hold(t, s)
	for range 3 {
		c.sendSet("a")
		c.sendGet()
		c.sendGet()
	}
	h.waits(c, 3, 6)
	down := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 4*time.Second)
		defer cancel()
		down <- s.Shutdown(ctx)
	}()
	must(t, func() bool {
		s.gate.mu.Lock()
		defer s.gate.mu.Unlock()
		return s.gate.ended
	}, "the shutdown to begin")
	h.goOn()
	for range 9 {
		c.reply()
	}
	if err := <-down; err != nil {
		t.Fatal(err)
	}
}

// A close comes behind what is parked; requests behind the close are not answered.
func TestCloseBehindParked(t *testing.T) {
	s := startServer(t, nil)
	c, o := connect(t, s), connect(t, s)
	c.create("/n", nil, 0)
	c.create("/e", nil, 1)
	o.ok(wire.OpExists, wire.PathWatch{Path: "/e", Watch: true})
	h := hold(t, s)
	c.sendSet("a")
	c.send(wire.OpGetData, wire.PathWatch{Path: "/e", Watch: true})
	c.send(wire.OpClose, nil)
	c.sendGet()
	h.waits(c, 2, 1)
	h.goOn()
	c.reply()
	if r := c.reply(); r.Err != 0 {
		t.Fatal(r.Err)
	}
	if r := c.reply(); r.Err != 0 || len(c.events) != 1 {
		t.Fatal(r.Err, c.events)
	}
	if b := closed(t, c.Conn); len(b) != 0 {
		t.Fatalf("%d bytes behind the last reply", len(b))
	}
	o.ok(wire.OpSync, wire.Path("/"))
	if len(o.events) != 1 {
		t.Fatal(o.events)
	}
	must(t, func() bool { return s.conns.len() == 1 && s.state.watches.Total() == 0 }, "clean")
}

// A read that cannot be parked, behind a write that is stuck: what was answered
// before the write must not wait for it.
func TestAnsweredReadsDoNotWaitForTheWrite(t *testing.T) {
	s := startServer(t, nil)
	c := connect(t, s)
	c.create("/n", nil, 0)
	var b []byte
	add := func(op wire.Op, body wire.Body) {
		c.xid++
		b = append(b, wire.Frame(wire.Payload(c.xid, op, body))...)
		c.Expect(c.xid, op)
	}
	add(wire.OpGetData, wire.PathWatch{Path: "/n"})
	add(wire.OpSync, wire.Path("/n"))
	add(wire.OpAllChildrenNumber, wire.Path("/n"))
	stuck := hold(t, s)
	if err := c.Write(b); err != nil {
		t.Fatal(err)
	}
	_, r, err := c.Next(patience)
	stuck.goOn()
	if err != nil || r.Xid != 2 {
		t.Fatalf("the read before the write: %v %v", r, err)
	}
	c.reply()
	if r := c.reply(); *r.Number != 0 {
		t.Error(*r.Number)
	}
}

// A client that reads many large znodes behind its first write is served.
func TestParkedLargeReadsOfANewConnection(t *testing.T) {
	quick.Skip(t)
	s := startServer(t, nil)
	c := connect(t, s)
	c.create("/n", make([]byte, 600_000), 0)
	for range 2 {
		err := func() error {
			c := connect(t, s)
			var b []byte
			add := func(op wire.Op, body wire.Body) {
				c.xid++
				b = append(b, wire.Frame(wire.Payload(c.xid, op, body))...)
				c.Expect(c.xid, op)
			}
			add(wire.OpSetData, wire.SetData{Path: "/n", Data: make([]byte, 600_000), Version: -1})
			for range maxParked {
				add(wire.OpGetData, wire.PathWatch{Path: "/n"})
			}
			h := hold(t, s)
			if err := c.Write(b); err != nil {
				return err
			}
			h.waits(c, 1, fewParked)
			h.goOn()
			for i := range maxParked + 1 {
				if _, _, err := c.Next(patience); err != nil {
					return fmt.Errorf("reply %d: %w", i, err)
				}
			}
			return nil
		}()
		if err != nil {
			t.Error(err)
		}
	}
}
