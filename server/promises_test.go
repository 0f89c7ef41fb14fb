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

// A client that has seen more than this server has applied is turned away.
func TestClientThatHasSeenMore(t *testing.T) {
	for name, set := range map[string]func(*conf.Config){"alone": nil, "in an ensemble": loneEnsemble(t, "")} {
		t.Run(name, func(t *testing.T) {
			s := startServer(t, set)
			for ahead, want := range map[int64]error{0: nil, 1 << 20: wire.ErrClosed} {
				nc := dial(t, s)
				r, err := nc.Connect(wire.ConnectRequest{TimeoutMs: 60_000, Password: make([]byte, 16), LastZxid: s.zxid() + ahead}, patience)
				if !errors.Is(err, want) {
					t.Errorf("%d transactions ahead: answered %+v, %v", ahead, r, err)
				}
			}
		})
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
