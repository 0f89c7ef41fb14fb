package server

import (
	"errors"
	"testing"

	"zkd/conf"
	"zkd/proto/jute"
	"zkd/session"
	"zkd/test/wire"
)

// What comes from a session that has ended, over a server that has yet to hear
// of it, changes nothing: an ephemeral made so would have nobody to end it.
func TestRequestsOfAnEndedSession(t *testing.T) {
	s := startServer(t, nil)
	c, other := connect(t, s), connect(t, s)
	c.ok(wire.OpClose, nil)
	body := wire.Payload(0, wire.OpCreate, wire.Create{Path: "/late", ACL: wire.OpenACL, Flags: 1})[8:]
	before := s.zxid()
	applied(t, s, session.ID(c.session), 0, jute.OpCreate, body)
	if other.exists("/late") || s.zxid() != before {
		t.Errorf("an ended session has made an ephemeral: %v, zxid %#x after %#x", other.exists("/late"), s.zxid(), before)
	}
}

// A server that cannot catch up lets nobody in: what it has may be old.
func TestGateOpensBehindASync(t *testing.T) {
	s := startServer(t, loneEnsemble(t, ""))
	if err := s.node.Close(); err != nil { // no sync comes back any more
		t.Fatal(err)
	}
	s.gate.close("for a test")
	s.gate.reopen(t.Context())
	if s.serving.Load() {
		t.Error("clients are let in without a sync")
	}
}

// A session that this server does not know may have been made elsewhere a moment
// ago. Who cannot make sure does not say that it has expired.
func TestUnknownSessionIsLookedFor(t *testing.T) {
	s := startServer(t, loneEnsemble(t, ""))
	if err := s.node.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := tryAttach(t, s, &client{timeout: 60_000, session: 77}); !errors.Is(err, wire.ErrClosed) {
		t.Errorf("attached to a session that may be there: %v, want an end without an answer", err)
	}
}

// A client that has seen more than a server of an ensemble has applied is
// turned away, whatever session it has, also by one that is the only member, and
// where sessions are local.
func TestClientThatHasSeenMore(t *testing.T) {
	for name, set := range map[string]func(*conf.Config){"global": loneEnsemble(t, ""), "local": localEnsemble(t, true)} {
		t.Run(name, func(t *testing.T) { seenMore(t, startServer(t, set)) })
	}
}

func seenMore(t *testing.T, s *Server) {
	c := connect(t, s)
	for name, r := range map[string]wire.ConnectRequest{
		"no session":         {},
		"an unknown session": {Session: 77},
		"a session":          {Session: c.session, Password: c.password},
	} {
		if _, err := comeWith(t, s, r, 1<<20); !errors.Is(err, wire.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := comeWith(t, s, wire.ConnectRequest{}, 0); err != nil {
		t.Error("one that has seen just as much:", err)
	}
}

// comeWith connects as a client that has seen so much more than the server has.
func comeWith(t *testing.T, s *Server, r wire.ConnectRequest, ahead int64) (*wire.ConnectResponse, error) {
	r.TimeoutMs, r.LastZxid = 60_000, s.zxid()+ahead
	if r.Password == nil {
		r.Password = make([]byte, 16)
	}
	return dial(t, s).Connect(r, patience)
}

// A server that is alone and has lost its data tells its clients of before that
// their sessions have ended, and serves them when they come without one.
func TestClientThatHasSeenWhatIsLost(t *testing.T) {
	s := startServer(t, nil)
	c := connect(t, s)
	if r, err := comeWith(t, s, wire.ConnectRequest{Session: 77}, 1<<40); err != nil || r.Session != 0 || r.TimeoutMs != 0 {
		t.Errorf("unknown session: %+v, %v, want that it has expired", r, err)
	}
	if r, err := comeWith(t, s, wire.ConnectRequest{Session: c.session, Password: c.password}, 1<<40); !errors.Is(err, wire.ErrClosed) {
		t.Errorf("session that has seen what is gone: %+v, %v", r, err)
	}
	if !c.exists("/") {
		t.Error("its other connection has ended")
	}
	ahead := s.zxid() + 1<<40
	made, err := comeWith(t, s, wire.ConnectRequest{}, ahead-s.zxid())
	if err != nil || made.Session == 0 {
		t.Fatalf("new session: %+v, %v", made, err)
	}
	// It may come back before it has had a reply, and then remembers what it saw before.
	for _, tt := range []struct {
		ahead int64
		want  error
	}{{ahead - s.zxid(), nil}, {ahead - s.zxid() + 1, wire.ErrClosed}, {0, nil}, {ahead - s.zxid(), nil}} {
		r, err := comeWith(t, s, wire.ConnectRequest{Session: made.Session, Password: made.Password}, tt.ahead)
		if !errors.Is(err, tt.want) || err == nil && r.Session != made.Session {
			t.Errorf("%d ahead: %+v, %v", tt.ahead, r, err)
		}
	}
	s.sessions.ended(session.ID(made.Session))
	if len(s.sessions.seen) != 0 {
		t.Error("what its client had seen is kept of a session that has ended")
	}
}

// A sync is worth something because it goes through the log.
func TestSyncIsInTheLog(t *testing.T) {
	s := startServer(t, nil)
	c := connect(t, s)
	before := s.node.Figures().Requests
	if r := c.ok(wire.OpSync, wire.Path("/")); *r.Path != "/" {
		t.Errorf("path %q", *r.Path)
	}
	if n := s.node.Figures().Requests - before; n != 1 {
		t.Errorf("a sync was answered, and %d requests came back from the log", n)
	}
}

// A reply names the last transaction of the state that it shows; a request that
// fails is a transaction as well.
func TestReplyHasTheZxidOfItsState(t *testing.T) {
	s := startServer(t, nil)
	c := connect(t, s)
	made := c.ok(wire.OpCreate2, wire.Create{Path: "/a", ACL: wire.OpenACL})
	if made.Zxid != made.Stat.Czxid {
		t.Errorf("made by %#x, the reply says %#x", made.Stat.Czxid, made.Zxid)
	}
	refused := c.call(wire.OpSetData, wire.SetData{Path: "/a", Version: 7})
	read := c.call(wire.OpGetData, wire.PathWatch{Path: "/a"})
	if refused.Err == 0 || refused.Zxid != made.Zxid+1 || read.Zxid != refused.Zxid {
		t.Errorf("made by %#x, then %v by %#x, then read up to %#x", made.Zxid, refused.Err, refused.Zxid, read.Zxid)
	}
}
