package server

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	"zkd/conf"
	"zkd/test/wire"
)

// patience bounds every wait of these tests; it only matters when one fails.
const patience = 30 * time.Second

// testConfig is a server of its own on a port of the kernel's choice. It does
// not sync: nothing here takes the power away.
func testConfig(t testing.TB, dir string, change func(*conf.Config)) *conf.Config {
	cfg := conf.Default()
	cfg.ClientAddr, cfg.DataDir, cfg.DataLogDir = "127.0.0.1:0", dir, dir
	cfg.LogStore, cfg.UnsafeNoSync, cfg.MaxClientCnxns = "wal", true, 0
	cfg.MinSessionTimeout, cfg.MaxSessionTimeout = 4*time.Second, 40*time.Second // whatever the tick is
	if change != nil {
		change(cfg)
	}
	return cfg
}

// startServer runs a server until the test ends. The test fails if a goroutine
// outlives it.
func startServer(t testing.TB, change func(*conf.Config)) *Server {
	t.Helper()
	return startIn(t, t.TempDir(), change)
}

func startIn(t testing.TB, dir string, change func(*conf.Config)) *Server {
	t.Helper()
	level := slog.LevelError
	log := slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: level}))
	s, err := Start(t.Context(), testConfig(t, dir, change), log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopServer(t, s) })
	return s
}

// quietLog is for servers of which one is missing now and then.
func quietLog() *slog.Logger { return slog.New(slog.DiscardHandler) }

// testWriter writes to the test's log.
type testWriter struct{ t testing.TB }

func (w testWriter) Write(b []byte) (int, error) {
	w.t.Log(strings.TrimSuffix(string(b), "\n"))
	return len(b), nil
}

// stopServer shuts down, twice to show that it may be, and looks for goroutines
// of this module and of raft that are still there.
func stopServer(t testing.TB, s *Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Second)
	defer cancel()
	began := time.Now()
	for range 2 {
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("shutdown took %v", took)
	}
	var left string
	if !eventually(func() bool { left = leaked(); return left == "" }) {
		t.Errorf("goroutines left behind:\n%s", left)
	}
}

// leaked returns the stacks of goroutines that belong to a server.
func leaked() string {
	buf := make([]byte, 8<<20)
	buf = buf[:runtime.Stack(buf, true)]
	var left []string
	for _, g := range strings.Split(string(buf), "\n\n") {
		for _, mine := range []string{"zkd/server.(*", "zkd/consensus.(*", "zkd/consensus/store.(*", "hashicorp/raft"} {
			if strings.Contains(g, mine) && !strings.Contains(g, "testing.tRunner") && !strings.Contains(g, "_test.go") {
				left = append(left, g)
				break
			}
		}
	}
	return strings.Join(left, "\n\n")
}

// eventually waits until cond holds.
func eventually(cond func() bool) bool {
	deadline := time.Now().Add(patience)
	for !cond() {
		if time.Now().After(deadline) {
			return false
		}
		time.Sleep(2 * time.Millisecond)
	}
	return true
}

func must(t testing.TB, cond func() bool, what string, args ...any) {
	t.Helper()
	if !eventually(cond) {
		t.Fatalf("never happened: "+what, args...)
	}
}

// client is a raw connection with a session.
type client struct {
	*wire.Conn
	t        testing.TB
	xid      int32
	session  int64
	password []byte
	timeout  int32
	events   []wire.Event
}

func dial(t testing.TB, s *Server) *wire.Conn {
	t.Helper()
	c, err := wire.Dial(s.Addr().String(), patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// connect opens a session that outlives any test.
func connect(t testing.TB, s *Server) *client {
	t.Helper()
	return attach(t, s, &client{timeout: 60_000})
}

// attach opens the session of a client on a new connection.
func attach(t testing.TB, s *Server, of *client) *client {
	t.Helper()
	c, err := tryAttach(t, s, of)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var errRefused = errors.New("session refused")

func tryAttach(t testing.TB, s *Server, of *client) (*client, error) {
	nc, err := wire.Dial(s.Addr().String(), patience)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { nc.Close() })
	password := of.password
	if password == nil {
		password = make([]byte, 16)
	}
	r, err := nc.Connect(wire.ConnectRequest{TimeoutMs: of.timeout, Session: of.session, Password: password}, patience)
	switch {
	case err != nil:
		return nil, err
	case r.Session == 0:
		return nil, errRefused
	}
	return &client{Conn: nc, t: t, session: r.Session, password: r.Password, timeout: of.timeout}, nil
}

// send sends a request and returns its xid.
func (c *client) send(op wire.Op, body wire.Body) int32 {
	c.t.Helper()
	c.xid++
	if err := c.Send(c.xid, op, body); err != nil {
		c.t.Fatal(err)
	}
	return c.xid
}

// reply returns the next reply; events on the way are kept.
func (c *client) reply() *wire.Reply {
	c.t.Helper()
	for {
		e, r, err := c.Next(patience)
		switch {
		case err != nil:
			c.t.Fatalf("no reply: %v", err)
		case r != nil:
			return r
		}
		c.events = append(c.events, *e)
	}
}

// call sends a request and waits for its reply.
func (c *client) call(op wire.Op, body wire.Body) *wire.Reply {
	c.t.Helper()
	xid := c.send(op, body)
	r := c.reply()
	if r.Xid != xid {
		c.t.Fatalf("op %d under xid %d was answered under %d", op, xid, r.Xid)
	}
	return r
}

// ok is call for what must succeed.
func (c *client) ok(op wire.Op, body wire.Body) *wire.Reply {
	c.t.Helper()
	r := c.call(op, body)
	if r.Err != 0 {
		c.t.Fatalf("op %d %+v: %v", op, body, r.Err)
	}
	return r
}

func (c *client) create(path string, data []byte, flags int32) string {
	c.t.Helper()
	return *c.ok(wire.OpCreate, wire.Create{Path: path, Data: data, ACL: wire.OpenACL, Flags: flags}).Path
}

func (c *client) exists(path string) bool {
	c.t.Helper()
	return c.call(wire.OpExists, wire.PathWatch{Path: path}).Err == 0
}

// closed waits for the server to close the connection.
func closed(t testing.TB, c *wire.Conn) []byte {
	t.Helper()
	b, err := c.ReadAll(patience)
	if err != nil {
		t.Fatalf("connection is still open: %v", err)
	}
	return b
}

// cutOff checks that the server has closed a connection, or does so instead of
// answering the next request.
func cutOff(t testing.TB, c *client) {
	t.Helper()
	c.xid++
	_ = c.Send(c.xid, wire.OpExists, wire.PathWatch{Path: "/"})
	for {
		switch _, r, err := c.Next(patience); {
		case errors.Is(err, wire.ErrClosed):
			return
		case err != nil:
			t.Fatalf("connection is still open: %v", err)
		case r != nil:
			t.Fatalf("connection is still open, and a request was answered: %+v", *r)
		}
	}
}

// settled waits until only want connections are left on the server.
func settled(t testing.TB, s *Server, want int) {
	t.Helper()
	must(t, func() bool { return s.conns.len() == want }, "%d connections", want)
}
