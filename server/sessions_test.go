package server

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"zkd/conf"
	"zkd/test/wire"
)

// A client that comes back while its old connection has writes in flight: of
// these a prefix is applied, exactly the answered ones or more, and nothing
// after the new connection is welcome.
func TestAttachWithRequestsInFlight(t *testing.T) {
	s := startServer(t, func(c *conf.Config) { c.LargeRequestThreshold = 100 })
	old := connect(t, s)
	old.create("/c", []byte("0"), 0)
	const rounds, burst = 30, 300
	version := int32(0)
	for round := range rounds {
		// Versioned writes: one that is lost in the middle stops all behind it.
		var b []byte
		for i := range burst {
			b = append(b, wire.Frame(wire.Payload(int32(i+1), wire.OpSetData,
				wire.SetData{Path: "/c", Data: make([]byte, 200), Version: version + int32(i)}))...)
			old.Expect(int32(i+1), wire.OpSetData)
		}
		answered := make(chan int32)
		go func() {
			_ = old.Write(b)
			n := int32(0)
			for {
				_, r, err := old.Next(patience)
				if err != nil {
					answered <- n
					return
				}
				if n++; r.Err != 0 || r.Xid != n || r.Stat.Version != version+n {
					t.Errorf("round %d, reply %d: %+v", round, n, r)
				}
			}
		}()
		now := attach(t, s, old)
		if now.session != old.session {
			t.Fatal("another session")
		}
		applied := now.ok(wire.OpGetData, wire.PathWatch{Path: "/c"}).Stat.Version
		got := <-answered // the old connection is closed by the server
		now.ok(wire.OpSync, wire.Path("/c"))
		if later := now.ok(wire.OpGetData, wire.PathWatch{Path: "/c"}).Stat.Version; later != applied {
			t.Errorf("round %d: version %d became %d after the new connection was welcome", round, applied, later)
		}
		if got > applied-version {
			t.Errorf("round %d: %d acknowledged, %d applied", round, got, applied-version)
		}
		old, version = now, applied
	}
	settled(t, s, 1)
	if n, large := s.outstanding.Load(), s.throttle.largeBytes.Load(); n != 0 || large != 0 {
		t.Errorf("%d requests and %d large bytes outstanding at the end", n, large)
	}
}

// A session whose client comes back just when its time is up either is refused
// or lives on. Many try it at once, at every moment around the end.
func TestExpiryAgainstAttach(t *testing.T) {
	s := startServer(t, func(c *conf.Config) {
		c.TickTime = 2 * time.Millisecond
		c.MinSessionTimeout, c.MaxSessionTimeout = time.Millisecond, time.Hour
	})
	var refused, kept int
	var mu sync.Mutex
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for i := range 60 {
				c, err := tryAttach(t, s, &client{timeout: 4})
				if err != nil {
					t.Errorf("new session: %v", err)
					return
				}
				c.Close()
				time.Sleep(time.Duration(i%12) * time.Millisecond) // not waited for: it spreads the attempts
				c.timeout = 3_600_000
				c, err = tryAttach(t, s, c)
				mu.Lock()
				if err == nil {
					kept++
				} else {
					refused++
				}
				mu.Unlock()
				if err != nil {
					continue
				}
				// Welcome for an hour, so nothing may end it now.
				path := fmt.Sprintf("/e%d-%d", worker, i)
				if err := c.Send(1, wire.OpCreate, wire.Create{Path: path, ACL: wire.OpenACL, Flags: 1}); err != nil {
					t.Errorf("write after attach: %v", err)
					continue
				}
				if _, r, err := c.Next(patience); err != nil || r.Err != 0 {
					t.Errorf("reply after attach: %+v, %v", r, err)
				}
				c.Close()
			}
		})
	}
	all.Wait()
	if kept == 0 || refused == 0 {
		t.Skipf("the race was not met: %d kept, %d refused", kept, refused)
	}
	// As many sessions as were welcome are there, each with its znode.
	observer := connect(t, s)
	if r := observer.ok(wire.OpGetChildren, wire.PathWatch{Path: "/"}); len(r.Names) != kept+1 {
		t.Errorf("%d ephemerals of %d sessions", len(r.Names)-1, kept)
	}
}

// Expired sessions lose their ephemerals, watchers hear of it, and the client
// is told when it comes back.
func TestExpiry(t *testing.T) {
	s := startServer(t, func(c *conf.Config) {
		c.TickTime = 5 * time.Millisecond
		c.MinSessionTimeout, c.MaxSessionTimeout = time.Millisecond, time.Hour
	})
	watcher := connect(t, s)
	short, err := tryAttach(t, s, &client{timeout: 3_600_000})
	if err != nil {
		t.Fatal(err)
	}
	short.create("/e", nil, 1)
	watcher.ok(wire.OpExists, wire.PathWatch{Path: "/e", Watch: true})
	short.timeout = 10
	short = attach(t, s, short) // now for 10 ms, and silent
	must(t, func() bool { return !watcher.exists("/e") }, "end of the ephemeral")
	if e := watcher.events; len(e) != 1 || e[0].Type != 2 || e[0].Path != "/e" {
		t.Fatalf("events %+v before the reply that shows the end", e)
	}
	closed(t, short.Conn)
	if _, err := tryAttach(t, s, short); !errors.Is(err, errRefused) {
		t.Errorf("attach to an expired session: %v", err)
	}
}

// While the server owes a session an answer it is the server that is slow: the
// session is not expired for pings that wait unread behind the answer.
func TestNoExpiryWhileTheLogIsSlow(t *testing.T) {
	s := startServer(t, func(c *conf.Config) {
		c.TickTime = 2 * time.Millisecond
		c.MinSessionTimeout, c.MaxSessionTimeout = time.Millisecond, time.Hour
	})
	nc, err := tryAttach(t, s, &client{timeout: 3_600_000})
	if err != nil {
		t.Fatal(err)
	}
	c := s.conns.list()[0]
	owe := func(delta int) {
		c.out.mu.Lock()
		defer c.out.mu.Unlock()
		if delta > 0 {
			c.pending = append(c.pending, pendingReply{})
		} else {
			c.popLocked()
		}
	}
	owe(1) // as if a write were in the log and not answered
	s.sessions.tracker.Track(c.session.ID, 4*time.Millisecond, s.now())
	c.out.mu.Lock()
	c.timeout = 4
	c.out.mu.Unlock()
	before := s.now()
	must(t, func() bool { return s.now()-before > 100*time.Millisecond }, "many timeouts")
	if n := s.stats.expired.Load(); n != 0 {
		t.Fatalf("%d sessions expired", n)
	}
	owe(-1)
	closed(t, nc.Conn) // now it is the client that is silent
	if n := s.stats.expired.Load(); n != 1 {
		t.Errorf("%d sessions expired", n)
	}
}

// A session that is closed takes its connection with it even if the client
// does not read what is on its way: nothing is left that could expire.
func TestCloseOfUnreadingClient(t *testing.T) {
	s := startServer(t, func(c *conf.Config) { c.SessionlessCnxnTimeout = 200 * time.Millisecond })
	c := connect(t, s)
	// More than the sockets take, and less than closes the connection.
	if on := s.conns.list()[0]; on.queueEvent(make([]byte, maxQueued-1000)) {
		s.flushers.add([]*conn{on})
	}
	c.send(wire.OpClose, nil)
	settled(t, s, 0)
}

// A session is taken over by another connection; what its old one asked for
// just then comes into the log behind that, and does not end it.
func TestCloseBehindAMove(t *testing.T) {
	s := startServer(t, nil)
	c := connect(t, s)
	c.create("/e", nil, 1)
	h := hold(t, s)
	nc := dial(t, s)
	moved := make(chan error, 1)
	go func() {
		r, err := nc.Connect(wire.ConnectRequest{TimeoutMs: c.timeout, Session: c.session, Password: c.password}, patience)
		if err == nil && r.Session != c.session {
			err = fmt.Errorf("attached to %#x", r.Session)
		}
		moved <- err
	}()
	ok := eventually(func() bool { return s.outstanding.Load() == 1 })
	c.send(wire.OpClose, nil)
	h.waits(c, 1, 0)
	h.goOn()
	if err := <-moved; err != nil || !ok {
		t.Fatal(err, ok)
	}
	if b := closed(t, c.Conn); len(b) != 0 {
		t.Errorf("%d bytes over the old connection", len(b))
	}
	now := &client{Conn: nc, t: t}
	if !now.exists("/e") {
		t.Error("the session and its ephemeral have gone")
	}
}
