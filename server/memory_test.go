package server

import (
	"encoding/binary"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"zkd/test/quick"
	"zkd/test/wire"
)

// tight is a server with little memory for what clients have it keep.
func tight(t *testing.T, stall time.Duration) *Server {
	t.Helper()
	s := startServer(t, nil)
	s.memory.requests.limit, s.memory.logged.limit, s.memory.replies.limit = 4<<20, 2<<20, 4<<20
	s.memory.stall = stall
	return s
}

// unused waits until all memory that was lent is back.
func unused(t *testing.T, s *Server) {
	t.Helper()
	m := s.memory
	must(t, func() bool {
		return m.requests.used.Load() == 0 && m.logged.used.Load() == 0 && m.replies.used.Load() == 0 && m.loggedBytes.Load() == 0
	}, "all memory is given back: requests %d, logged %d, replies %d", m.requests.used.Load(), m.logged.used.Load(), m.replies.used.Load())
}

// Long requests that never end wait for each other and not for memory without
// end; who finishes his has his turn, since they are sent away.
func TestUnfinishedRequestsAreBounded(t *testing.T) {
	quick.Skip(t)
	s := tight(t, 200*time.Millisecond)
	honest := connect(t, s)
	honest.create("/a", nil, 0)
	const clients = 30
	for range clients {
		c := connect(t, s)
		if err := c.Write(append(binary.BigEndian.AppendUint32(nil, 1_000_000), make([]byte, 100_000)...)); err != nil {
			t.Fatal(err)
		}
	}
	must(t, func() bool { return s.memory.requests.used.Load() > 3<<20 }, "the memory for requests is used up")
	honest.ok(wire.OpSetData, wire.SetData{Path: "/a", Data: make([]byte, 100), Version: -1})
	honest.ok(wire.OpSetData, wire.SetData{Path: "/a", Data: make([]byte, 1_000_000), Version: -1})
	if used := s.memory.requests.used.Load(); used > s.memory.requests.limit {
		t.Errorf("%d bytes of requests kept, the limit is %d", used, s.memory.requests.limit)
	}
	must(t, func() bool { return s.conns.len() < 1+clients }, "who does not get on is sent away")
	s.conns.drop(func(*conn) bool { return true })
	unused(t, s)
}

// Who has sent only as much of a long request as tells its length, or goes on
// byte by byte, holds its memory no longer than one who sends nothing of it.
func TestRequestsThatHardlyGetOn(t *testing.T) {
	quick.Skip(t)
	for name, more := range map[string]int{"silent": 0, "byte by byte": 1} {
		t.Run(name, func(t *testing.T) {
			s := tight(t, time.Second)
			honest := connect(t, s)
			honest.create("/a", nil, 0)
			ended := make(chan struct{})
			defer close(ended)
			for range 4 {
				c := connect(t, s)
				if err := c.Write(append(binary.BigEndian.AppendUint32(nil, 1_000_000), make([]byte, readBuffer-4)...)); err != nil {
					t.Fatal(err)
				}
				go func() {
					for c.Write(make([]byte, more)) == nil {
						select {
						case <-ended:
							return
						case <-time.After(100 * time.Millisecond):
						}
					}
				}()
			}
			must(t, func() bool { return s.memory.requests.used.Load() > 3<<20 }, "the memory for requests is used up")
			honest.ok(wire.OpSetData, wire.SetData{Path: "/a", Data: make([]byte, 1_000_000), Version: -1})
			s.conns.drop(func(*conn) bool { return true })
			unused(t, s)
		})
	}
}

// Who waits for the log waits for no client: none is sent away for that.
func TestNobodyIsSentAwayForTheLog(t *testing.T) {
	quick.Skip(t)
	s := tight(t, 100*time.Millisecond)
	slow, writer := connect(t, s), connect(t, s)
	slow.create("/large", make([]byte, 1_000_000), 0)
	var requests []byte
	for xid := range int32(40) { // more than a socket takes
		requests = append(requests, wire.Frame(wire.Payload(1+xid, wire.OpGetData, wire.PathWatch{Path: "/large"}))...)
	}
	if err := slow.Write(requests); err != nil {
		t.Fatal(err)
	}
	stalled := func() bool {
		for _, c := range s.conns.list() {
			if c.out.stalled(s.now() - s.memory.stall) {
				return true
			}
		}
		return false
	}
	must(t, stalled, "a client takes nothing of its replies")
	s.memory.logged.add(s.memory.logged.limit)
	go func() {
		time.Sleep(2 * time.Second)
		s.memory.logged.add(-s.memory.logged.limit)
	}()
	writer.ok(wire.OpSetData, wire.SetData{Path: "/large", Data: make([]byte, 100_000), Version: -1})
	if !stalled() {
		t.Error("it was sent away")
	}
	s.conns.drop(func(*conn) bool { return true })
	unused(t, s)
}

// Short replies that nobody reads are not many of them at once when there is
// no memory for that, and count as long ones do.
func TestUnreadShortReplies(t *testing.T) {
	s := tight(t, time.Minute)
	s.memory.replies.limit = 1 << 20
	connect(t, s).create("/short", make([]byte, 20_000), 0)
	var requests []byte
	for xid := range int32(1000) { // more than a socket takes
		requests = append(requests, wire.Frame(wire.Payload(1+xid, wire.OpGetData, wire.PathWatch{Path: "/short"}))...)
	}
	const clients = 50
	for range clients {
		if err := connect(t, s).Write(requests); err != nil {
			t.Fatal(err)
		}
	}
	blocked := func() (n, kept int) {
		for _, c := range s.conns.list() {
			c.out.mu.Lock()
			kept += cap(c.out.buf) + c.out.sending
			c.out.mu.Unlock()
			if c.out.moved.Load() > 0 {
				n++
			}
		}
		return n, kept
	}
	must(t, func() bool { n, _ := blocked(); return n == clients }, "nobody takes anything")
	_, kept := blocked()
	if used := s.memory.replies.used.Load(); used < int64(kept)/2 {
		t.Errorf("%d bytes of replies kept, %d are counted", kept, used)
	}
	if most := int(s.memory.replies.limit) + clients*2*longReply; kept > most {
		t.Errorf("%d bytes of replies kept, want %d at most", kept, most)
	}
	s.conns.drop(func(*conn) bool { return true })
	unused(t, s)
}

// Many large writes at once are in the log a few at a time, and all succeed.
func TestLoggedRequestsAreBounded(t *testing.T) {
	s := tight(t, time.Minute)
	connect(t, s).create("/a", nil, 0)
	const clients, each = 10, 5
	all := make([]*client, clients)
	for i := range all {
		all[i] = connect(t, s)
		go func() {
			for xid := range int32(each) {
				_ = all[i].Conn.Write(wire.Frame(wire.Payload(1000+xid, wire.OpSetData,
					wire.SetData{Path: "/a", Data: make([]byte, 1_000_000), Version: -1})))
			}
		}()
	}
	for _, c := range all {
		for xid := range int32(each) {
			c.Expect(1000+xid, wire.OpSetData)
			if _, r, err := c.Next(patience); err != nil || r.Err != 0 || r.Xid != 1000+xid {
				t.Fatalf("%+v, %v", r, err)
			}
			if used := s.memory.logged.used.Load(); used > s.memory.logged.limit {
				t.Errorf("%d bytes in the log, the limit is %d", used, s.memory.logged.limit)
			}
		}
	}
	unused(t, s)
}

// Long replies that nobody reads are as many as there is memory for, whatever
// was asked. Others get theirs: who takes nothing is sent away.
func TestUnreadRepliesAreBounded(t *testing.T) {
	quick.Skip(t)
	for _, read := range []struct {
		name string
		op   wire.Op
		body wire.Body
	}{
		{"getData", wire.OpGetData, wire.PathWatch{Path: "/large"}},
		{"getChildren", wire.OpGetChildren, wire.PathWatch{Path: "/list"}},
		{"multiRead", wire.OpMultiRead, wire.Multi{Ops: []wire.SubOp{{Op: wire.OpGetData, Body: wire.PathWatch{Path: "/large"}}}}},
	} {
		t.Run(read.name, func(t *testing.T) {
			s := tight(t, 200*time.Millisecond)
			honest := connect(t, s)
			honest.create("/large", make([]byte, 1_000_000), 0)
			honest.create("/list", nil, 0)
			name := strings.Repeat("n", 1000)
			for i := range 1000 {
				honest.create(fmt.Sprint("/list/", name, i), nil, 0)
			}
			const clients = 30
			for range clients {
				c := connect(t, s)
				var requests []byte
				for xid := range int32(40) { // more than a socket takes
					requests = append(requests, wire.Frame(wire.Payload(1+xid, read.op, read.body))...)
				}
				if err := c.Write(requests); err != nil {
					t.Fatal(err)
				}
			}
			must(t, func() bool { return s.memory.replies.used.Load() > 1<<20 }, "replies wait")
			for range 3 {
				honest.ok(read.op, read.body)
				// What somebody has just made counts twice until it is sent.
				if used := s.memory.replies.used.Load(); used > 2*s.memory.replies.limit {
					t.Errorf("%d bytes of replies kept, the limit is %d", used, s.memory.replies.limit)
				}
			}
			s.conns.drop(func(*conn) bool { return true })
			unused(t, s)
		})
	}
}

// Watchers that do not take their events are sent away when all of them together
// keep too much; one that does stays.
func TestUnreadEventsAreBounded(t *testing.T) {
	s := tight(t, time.Minute)
	path := "/" + strings.Repeat("w", 100_000)
	honest, writer := connect(t, s), connect(t, s)
	honest.create(path, nil, 0)
	const deaf = 20
	for range deaf {
		connect(t, s).ok(wire.OpAddWatch, wire.PathType{Path: path})
	}
	honest.ok(wire.OpAddWatch, wire.PathType{Path: path})
	for range 400 {
		writer.ok(wire.OpSetData, wire.SetData{Path: path, Version: -1})
		if event, _, err := honest.Next(patience); err != nil || event == nil {
			t.Fatalf("the one who takes his events: %+v, %v", event, err)
		}
		if s.conns.len() == 2 {
			break
		}
	}
	settled(t, s, 2)
	s.conns.drop(func(*conn) bool { return true })
	unused(t, s)
}

// Who has gone does not wait for his turn: others would wait for a reply that nobody takes.
func TestWhoHasGoneDoesNotWaitForMemory(t *testing.T) {
	for name, linger := range map[string]int{"closed": -1, "reset": 0} {
		t.Run(name, func(t *testing.T) { goesWhileItWaits(t, linger) })
	}
}

func goesWhileItWaits(t *testing.T, linger int) {
	s := tight(t, time.Minute)
	connect(t, s).create("/large", make([]byte, 1_000_000), 0)
	s.memory.replies.add(s.memory.replies.limit)
	nc, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c := wire.NewConn(nc)
	if _, err := c.Connect(wire.ConnectRequest{TimeoutMs: 60_000, Password: make([]byte, 16)}, patience); err != nil {
		t.Fatal(err)
	}
	if err := c.Send(1, wire.OpGetData, wire.PathWatch{Path: "/large"}); err != nil {
		t.Fatal(err)
	}
	must(t, func() bool {
		s.memory.replies.mu.Lock()
		defer s.memory.replies.mu.Unlock()
		return len(s.memory.replies.queue) == 1
	}, "it waits")
	if err := nc.(*net.TCPConn).SetLinger(linger); err != nil {
		t.Fatal(err)
	}
	nc.Close()
	settled(t, s, 1)
	s.memory.replies.add(-s.memory.replies.limit)
	s.conns.drop(func(*conn) bool { return true })
	unused(t, s)
}

// A connection that says little and then nothing does not keep a buffer.
func TestUnfinishedHandshakesKeepLittle(t *testing.T) {
	in := newInbox(nil, nil, 100)
	in.borrow()
	in.end = copy(in.buf, "\x00\x00\x00\x10abc")
	in.setAside()
	in.release()
	if in.buf != nil || cap(in.few) != 7 {
		t.Fatalf("a buffer of %d bytes, %d aside", len(in.buf), cap(in.few))
	}
	in.borrow()
	if got := string(in.buf[in.begin:in.end]); got != "\x00\x00\x00\x10abc" {
		t.Errorf("got %q back", got)
	}
}
