package server

import (
	"context"
	"errors"
	"testing"
	"time"

	"zkd/conf"
	"zkd/test/ports"
	"zkd/test/quick"
	"zkd/test/wire"
)

// lines lists servers.
func lines(t testing.TB, n int) (list []conf.Server) {
	for id := range int64(n) {
		addr := conf.PeerAddr{Host: "127.0.0.1", QuorumPort: ports.For(t), ElectionPort: ports.For(t)}
		list = append(list, conf.Server{ID: id + 1, Addrs: []conf.PeerAddr{addr}})
	}
	return list
}

// pair starts an ensemble of two servers.
func pair(t *testing.T, change func(*conf.Config)) (servers [2]*Server) {
	t.Helper()
	list := lines(t, len(servers))
	started := make(chan *Server)
	for i := range servers {
		dir := t.TempDir()
		go func() {
			cfg := testConfig(t, dir, func(c *conf.Config) {
				c.TickTime, c.InitLimit, c.SyncLimit, c.PeerDialTimeout = 100*time.Millisecond, 10, 5, time.Second
				c.Servers, c.ServerID = list, int64(i+1)
				change(c)
			})
			s, err := Start(t.Context(), cfg, quietLog())
			if err != nil {
				t.Error(err)
			}
			started <- s
		}()
	}
	for range servers {
		s := <-started
		if s == nil {
			t.FailNow()
		}
		t.Cleanup(func() { leave(t, s) })
		servers[s.cfg.ServerID-1] = s
	}
	return servers
}

// leave ends a server of an ensemble; the others may go on.
func leave(t *testing.T, s *Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Second)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		t.Error(err)
	}
}

// hello connects as a client that is content with reading, or not.
func hello(t *testing.T, s *Server, of *client, readOnly bool) (*client, *wire.ConnectResponse, error) {
	t.Helper()
	nc := dial(t, s)
	request := wire.ConnectRequest{TimeoutMs: 60_000, Password: make([]byte, 16), ReadOnly: &readOnly}
	if of != nil {
		request.Session, request.Password = of.session, of.password
	}
	r, err := nc.Connect(request, patience)
	if err != nil {
		return nil, nil, err
	}
	return &client{Conn: nc, t: t, session: r.Session, password: r.Password, timeout: r.TimeoutMs}, r, nil
}

// Without a leader a server lets those read who want no more, and sends them
// away when there is one.
func TestReadOnly(t *testing.T) {
	quick.Skip(t)
	servers := pair(t, func(c *conf.Config) { c.ReadOnlyMode, c.FourLetterWords = true, allWords(t) })
	s, other := servers[0], servers[1]
	writer := connect(t, s)
	writer.create("/a", []byte("x"), 0)
	if got := saysTo(t, s, "isro"); got != "rw" {
		t.Errorf("isro: %q", got)
	}
	before := s.zxid()

	leave(t, other)
	closed(t, writer.Conn)
	must(t, s.gate.readOnly.Load, "read-only")
	if got := saysTo(t, s, "isro"); got != "ro" {
		t.Errorf("isro: %q", got)
	}

	if _, r, err := hello(t, s, nil, false); err == nil {
		t.Errorf("a client that wants to write: %+v", r)
	}
	if _, r, err := hello(t, s, writer, true); err == nil {
		t.Errorf("a session of all servers: %+v", r)
	}
	if _, r, err := hello(t, s, &client{session: 99, password: make([]byte, 16)}, true); err != nil || r.Session != 0 || r.TimeoutMs != 0 {
		t.Errorf("an unknown session: %+v, %v", r, err)
	}
	// The others have what such a client has seen: it must not be told that its session has ended, nor shown less.
	for _, of := range []wire.ConnectRequest{{}, {Session: 99}} {
		of.ReadOnly = new(true)
		if r, err := comeWith(t, s, of, 1); !errors.Is(err, wire.ErrClosed) {
			t.Errorf("a client with session %d that has seen more: %+v, %v", of.Session, r, err)
		}
	}
	reader, r, err := hello(t, s, nil, true)
	if err != nil || r.Session == 0 || r.ReadOnly == nil || !*r.ReadOnly {
		t.Fatalf("%+v, %v", r, err)
	}
	for op, body := range map[wire.Op]wire.Body{
		wire.OpCreate:  wire.Create{Path: "/b", ACL: wire.OpenACL},
		wire.OpCreate2: wire.Create{Path: "/b", ACL: wire.OpenACL},
		wire.OpDelete:  wire.PathVersion{Path: "/a", Version: -1},
		wire.OpCheck:   wire.PathVersion{Path: "/a", Version: -1},
		wire.OpSetData: wire.SetData{Path: "/a", Version: -1},
		wire.OpSync:    wire.Path("/"),
		wire.OpMulti:   wire.Multi{Ops: []wire.SubOp{{Op: wire.OpDelete, Body: wire.PathVersion{Path: "/a", Version: -1}}}},
	} {
		if r := reader.call(op, body); r.Err != -119 {
			t.Errorf("op %d: %v", op, r.Err)
		}
	}
	if r := reader.ok(wire.OpGetData, wire.PathWatch{Path: "/a", Watch: true}); string(r.Data) != "x" || r.Zxid != before {
		t.Errorf("%q at %#x", r.Data, r.Zxid)
	}
	again, _, err := hello(t, s, reader, true)
	if err != nil || again.session != reader.session {
		t.Fatalf("it comes back: %+v, %v", again, err)
	}
	closed(t, reader.Conn)
	leaving, _, err := hello(t, s, nil, true)
	if err != nil {
		t.Fatal(err)
	}
	leaving.ok(wire.OpClose, nil)
	closed(t, leaving.Conn)

	other, err = Start(t.Context(), other.cfg, quietLog())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { leave(t, other) })
	closed(t, again.Conn)
	must(t, s.serving.Load, "serving")
	// What was a session for reading becomes one of all servers.
	now := attach(t, s, again)
	now.create("/mine", nil, 1)
	if now.session != again.session || s.locals.len() != 0 {
		t.Errorf("session %#x, was %#x; %d local ones", now.session, again.session, s.locals.len())
	}
	attach(t, s, writer)
}
