package server

import (
	"errors"
	"net"
	"syscall"
	"testing"
	"time"

	"zkd/conf"
	"zkd/session"
	"zkd/test/wire"
)

// looked is a server whose slow clients the test looks after itself.
func looked(t *testing.T) *Server {
	t.Helper()
	return startServer(t, func(c *conf.Config) {
		c.TickTime, c.MinSessionTimeout, c.MaxSessionTimeout = time.Hour, time.Hour, time.Hour
	})
}

// narrow opens a session over a socket with little room for what comes.
func narrow(t *testing.T, s *Server, timeout time.Duration) (*client, net.Conn) {
	t.Helper()
	d := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) (err error) {
		return errors.Join(raw.Control(func(fd uintptr) {
			err = errors.Join(syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 8<<10),
				syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_MAXSEG, 1448)) // as on a link: less than its room
		}), err)
	}}
	nc, err := d.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	c := &client{Conn: wire.NewConn(nc), t: t}
	r, err := c.Connect(wire.ConnectRequest{TimeoutMs: int32(timeout.Milliseconds()), Password: make([]byte, 16)}, patience)
	if err != nil {
		t.Fatal(err)
	}
	c.session = r.Session
	if err := nc.SetDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	return c, nc
}

// connOf is the server's end of a client's connection.
func connOf(s *Server, c *client) *conn {
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	return s.sessions.conns[session.ID(c.session)]
}

// quiet has a client be quiet for too long at once. No tick comes that would end its session.
func quiet(s *Server, c *client) {
	s.sessions.tracker.Track(session.ID(c.session), time.Millisecond, s.now())
}

// asks sends reads whose replies no socket has room for.
func (c *client) asks(path string, n int) {
	c.t.Helper()
	for range n {
		c.send(wire.OpGetData, wire.PathWatch{Path: path})
	}
}

// A client that reads a long reply slowly, and does nothing else, keeps its session.
func TestSlowReaderIsAlive(t *testing.T) {
	const timeout = time.Second
	s := startServer(t, func(c *conf.Config) {
		c.TickTime, c.MinSessionTimeout = timeout/4, timeout/4
	})
	connect(t, s).create("/large", make([]byte, 1_000_000), 0)
	c, nc := narrow(t, s, timeout)
	c.asks("/large", 10)
	// The kernel of a reader tells of room when half of its buffer is free: that is to come several times within the
	// timeout, also on a busy machine.
	buf, total := make([]byte, 4<<10), 0
	for end := time.Now().Add(3 * timeout); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		n, err := nc.Read(buf)
		if err != nil {
			t.Fatalf("after %d bytes: %v", total, err)
		}
		total += n
	}
	if connOf(s, c) == nil {
		t.Error("its connection has ended")
	}
}

// What a client takes is a sign of life while the server waits for it to take more, and what it sends
// meanwhile though nobody reads it. That its kernel says its window is shut is none.
func TestSignsOfLifeOfABlockedClient(t *testing.T) {
	s := looked(t)
	connect(t, s).create("/large", make([]byte, 1_000_000), 0)
	c, nc := narrow(t, s, time.Hour)
	c.asks("/large", 10)
	on := connOf(s, c)
	must(t, func() bool { return on.out.moved.Load() != 0 }, "the server waits for the client")
	quiet(s, c)
	last := on.entry.Touched()
	alive := func() bool {
		on.look(s.now())
		was := last
		last = on.entry.Touched()
		return last > was
	}
	still := func(what string) {
		t.Helper()
		for range 20 { // what a socket of any size takes is taken soon
			signs := 0
			for range 3 {
				if alive() {
					signs++
				}
			}
			if signs == 0 {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Errorf("%s, and shows signs of life", what)
	}
	still("the client takes nothing")
	time.Sleep(300 * time.Millisecond) // its kernel is asked for its window, and answers
	still("only its kernel answers")
	buf := make([]byte, 64<<10)
	if n, err := nc.Read(buf); err != nil || n == 0 {
		t.Fatal(err)
	}
	must(t, alive, "the client takes something")
	still("the client has taken something, and takes no more")
	time.Sleep(20 * time.Millisecond) // the kernel tells times in milliseconds, or in some
	c.send(wire.OpPing, nil)
	must(t, alive, "a ping comes that nobody reads")
	still("the ping has come")
	if on.out.moved.Load() == 0 {
		t.Error("the server waits no more")
	}
}

// The kernel of a client that hangs takes the events that come: that is no sign of life.
func TestHangingWatcherIsNotAlive(t *testing.T) {
	s := looked(t)
	writer, c := connect(t, s), connect(t, s)
	writer.create("/w", nil, 0)
	c.ok(wire.OpAddWatch, wire.PathType{Path: "/w"})
	on := connOf(s, c)
	quiet(s, c)
	last := on.entry.Touched()
	for range 50 {
		writer.ok(wire.OpSetData, wire.SetData{Path: "/w", Version: -1})
		time.Sleep(2 * time.Millisecond)
		on.look(s.now())
		if heard := on.entry.Touched() - last; heard > 50*time.Millisecond { // the kernel's clock is coarse
			t.Fatalf("heard of %v after its last request", heard)
		}
	}
}

// A request that has come with others counts when its turn comes.
func TestRequestsCountWhenTheyAreTakenUp(t *testing.T) {
	s := looked(t)
	c := connect(t, s)
	c.create("/n", nil, 0)
	var b []byte
	for _, r := range []struct {
		op   wire.Op
		body wire.Body
	}{{wire.OpSync, wire.Path("/n")}, {wire.OpAllChildrenNumber, wire.Path("/n")}} {
		c.xid++
		b = append(b, wire.Frame(wire.Payload(c.xid, r.op, r.body))...)
		c.Expect(c.xid, r.op)
	}
	h := hold(t, s)
	if err := c.Write(b); err != nil {
		h.goOn()
		t.Fatal(err)
	}
	h.waits(c, 1, 0)
	later := s.now()
	h.goOn()
	c.reply()
	c.reply()
	if heard := connOf(s, c).entry.Touched(); heard < later {
		t.Errorf("heard of when the first of them came, %v before its turn", later-heard)
	}
}

// Each piece of a request counts.
func TestPiecesOfARequestCount(t *testing.T) {
	s := looked(t)
	c := connect(t, s)
	on := connOf(s, c)
	frame := wire.Frame(wire.Payload(1, wire.OpExists, wire.PathWatch{Path: "/"}))
	for i := range frame {
		before := s.now()
		if err := c.Write(frame[i : i+1]); err != nil {
			t.Fatal(err)
		}
		must(t, func() bool { return on.entry.Touched() >= before }, "byte %d is heard", i)
	}
}

// Who waits for memory, or for his turn to have a long reply made, waits for this server: it is heard of meanwhile, by
// the leader too, and when the wait is over.
func TestWhoWaitsForHisReplyIsAlive(t *testing.T) {
	for _, wait := range []struct {
		name          string
		begin, finish func(m *memory)
	}{
		{"memory", func(m *memory) { m.replies.add(m.replies.limit) }, func(m *memory) { m.replies.add(-m.replies.limit) }},
		{"turn", func(m *memory) { m.heavy <- struct{}{} }, func(m *memory) { <-m.heavy }},
	} {
		t.Run(wait.name, func(t *testing.T) {
			s := looked(t)
			c := connect(t, s)
			c.create("/large", make([]byte, 900_000), 0)
			on, id := connOf(s, c), session.ID(c.session)
			wait.begin(s.memory)
			c.asks("/large", 1)
			must(t, func() bool { _, waits := s.sessions.waiting(id); return waits }, "it waits")
			for range 3 {
				if got, ok := heardOf(t, s.sessions.report())[id]; !ok || got[1] > time.Second {
					t.Errorf("told: %v", got)
				}
			}
			later := s.now()
			wait.finish(s.memory)
			c.reply()
			if heard := on.entry.Touched(); heard < later {
				t.Errorf("heard of %v before the wait was over", later-heard)
			}
			must(t, func() bool { _, waits := s.sessions.waiting(id); return !waits }, "it waits no more")
		})
	}
}

// goodbye has a client leave with some long replies queued for it, and returns how many bytes those are at least.
func goodbye(t *testing.T, s *Server, c *client) int {
	t.Helper()
	c.create("/n", make([]byte, 1_000_000), 0)
	h := hold(t, s)
	c.send(wire.OpSync, wire.Path("/n"))
	for range fewParked {
		c.sendGet()
	}
	h.waits(c, 1, fewParked)
	h.goOn()
	c.send(wire.OpClose, nil)
	on := connOf(s, c)
	must(t, on.ending.Load, "its connection is ending")
	return fewParked * 1_000_000
}

func endsSoon(c *conf.Config) {
	c.TickTime, c.MinSessionTimeout = 100*time.Millisecond, 100*time.Millisecond
	c.SessionlessCnxnTimeout = 100 * time.Millisecond
}

// A client that takes slowly what is queued in front of the end of its session gets all of it; there is no session any
// more that would live as long as that takes.
func TestSlowReaderOfItsLastReplies(t *testing.T) {
	s := startServer(t, func(c *conf.Config) { endsSoon(c); c.SessionlessCnxnTimeout = time.Second })
	c, nc := narrow(t, s, time.Minute)
	want, total := goodbye(t, s, c), 0
	buf := make([]byte, 8<<10)
	for {
		n, err := nc.Read(buf)
		if total += n; err != nil {
			break
		}
		time.Sleep(2 * time.Millisecond)
	}
	if total < want {
		t.Errorf("the connection ended after %d of %d bytes", total, want)
	}
}

// One that takes it ever so slowly has no session that would be kept by that, and does not keep its connection.
func TestEndingConnectionIsNotKept(t *testing.T) {
	s := startServer(t, endsSoon)
	c, nc := narrow(t, s, time.Minute)
	want, total := goodbye(t, s, c), 0
	buf := make([]byte, 2<<10)
	for s.conns.len() > 0 {
		n, err := nc.Read(buf)
		if total += n; err != nil || total > want/2 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if total > want/2 {
		t.Errorf("it was waited for until it had taken %d of %d bytes", total, want)
	}
}
