package server

import (
	"strings"
	"testing"
	"time"

	"zkd/conf"
	"zkd/session"
	"zkd/test/wire"
)

// localEnsemble makes a server an ensemble of one with local sessions.
func localEnsemble(t testing.TB, upgrading bool) func(*conf.Config) {
	lone := loneEnsemble(t, "")
	return func(c *conf.Config) {
		lone(c)
		c.LocalSessions, c.LocalSessionsUpgrading = true, upgrading
	}
}

// A local session takes no zxid, can write, and may come back to its server.
func TestLocalSession(t *testing.T) {
	s := startServer(t, localEnsemble(t, false))
	before := s.zxid()
	c := connect(t, s)
	if c.session>>56 != s.cfg.ServerID || s.locals.len() != 1 {
		t.Errorf("session %#x, %d local sessions", c.session, s.locals.len())
	}
	if s.zxid() != before {
		t.Error("its creation took a zxid")
	}
	c.create("/a", nil, 0)
	if got, want := saysTo(t, s, "dump"), "SessionTracker dump:\nLocal Session Sets (1)/(1):\n"; !strings.HasPrefix(got, want) || !strings.Contains(got, "\nGlobal Session Sets (0)/(0):\n") {
		t.Errorf("dump says %q", got)
	}
	before = s.zxid()
	now := attach(t, s, c)
	closed(t, c.Conn)
	if now.session != c.session || !now.exists("/a") {
		t.Error("another session, or without /a")
	}
	wrong := *now
	wrong.password = make([]byte, 16)
	if _, err := tryAttach(t, s, &wrong); err != errRefused {
		t.Errorf("a wrong password: %v", err)
	}
	if r := now.ok(wire.OpClose, nil); r.Zxid != before {
		t.Errorf("closed with zxid %#x, want %#x", r.Zxid, before)
	}
	closed(t, now.Conn)
	if s.zxid() != before || s.locals.len() != 0 {
		t.Errorf("zxid %#x, was %#x; %d local sessions", s.zxid(), before, s.locals.len())
	}
	if _, err := tryAttach(t, s, now); err != errRefused {
		t.Errorf("a closed session: %v", err)
	}
}

// Local sessions end when they are silent.
func TestLocalSessionExpires(t *testing.T) {
	s := startServer(t, func(c *conf.Config) {
		localEnsemble(t, false)(c)
		c.TickTime, c.SyncLimit = 5*time.Millisecond, 1000
		c.MinSessionTimeout = time.Millisecond
	})
	c := attach(t, s, &client{timeout: 10})
	closed(t, c.Conn)
	must(t, func() bool { return s.locals.len() == 0 }, "it is forgotten")
	if _, err := tryAttach(t, s, c); err != errRefused {
		t.Errorf("an expired session: %v", err)
	}
}

// Without upgrading a local session has no ephemerals; all else it has.
func TestNoEphemeralOnLocalSession(t *testing.T) {
	s := startServer(t, localEnsemble(t, false))
	c := connect(t, s)
	if r := c.call(wire.OpCreate, wire.Create{Path: "/e", ACL: wire.OpenACL, Flags: 1}); r.Err != -120 {
		t.Errorf("an ephemeral: %v", r.Err)
	}
	r := c.ok(wire.OpMulti, wire.Multi{Ops: []wire.SubOp{
		{Op: wire.OpCreate, Body: wire.Create{Path: "/p", ACL: wire.OpenACL}},
		{Op: wire.OpCreate, Body: wire.Create{Path: "/e", ACL: wire.OpenACL, Flags: 3}},
	}})
	if len(r.Results) != 2 || r.Results[0].Err != 0 || r.Results[1].Err != -120 {
		t.Errorf("an ephemeral in a multi: %+v", r.Results)
	}
	c.create("/p", nil, 2)
	c.create("/p", nil, 0)
}

// A local session that wants an ephemeral becomes one of all servers first, at
// the price of one zxid, under the same id.
func TestUpgrade(t *testing.T) {
	s := startServer(t, localEnsemble(t, true))
	for name, create := range map[string]func(*client){
		"create": func(c *client) { c.create("/create", nil, 1) },
		"create2": func(c *client) {
			c.ok(wire.OpCreate2, wire.Create{Path: "/create2", ACL: wire.OpenACL, Flags: 1})
		},
		"multi": func(c *client) {
			c.ok(wire.OpMulti, wire.Multi{Ops: []wire.SubOp{{Op: wire.OpCreate, Body: wire.Create{Path: "/multi", ACL: wire.OpenACL, Flags: 1}}}})
		},
	} {
		c := connect(t, s)
		c.create("/"+name+"-plain", nil, 0)
		before := s.zxid()
		create(c)
		if got := s.zxid() - before; got != 2 {
			t.Errorf("%s: %d zxids", name, got)
		}
		if r := c.ok(wire.OpExists, wire.PathWatch{Path: "/" + name}); r.Stat.EphemeralOwner != c.session {
			t.Errorf("%s: owner %#x, session %#x", name, r.Stat.EphemeralOwner, c.session)
		}
		s.state.mu.RLock()
		_, global := s.state.table.Get(session.ID(c.session))
		s.state.mu.RUnlock()
		if !global || s.locals.len() != 0 {
			t.Errorf("%s: not one of all servers; %d local", name, s.locals.len())
		}
		c = attach(t, s, c)
		if !c.exists("/" + name) {
			t.Errorf("%s: the ephemeral is gone", name)
		}
		before = s.zxid()
		c.ok(wire.OpClose, nil)
		if got := s.zxid() - before; got != 1 {
			t.Errorf("%s: %d zxids to close", name, got)
		}
	}
	if n := s.outstanding.Load(); n != 0 {
		t.Errorf("%d requests outstanding", n)
	}
}

// What a local session's old connection has in the log is over when the new
// one is welcome.
func TestLocalAttachWithRequestsInFlight(t *testing.T) {
	s := startServer(t, localEnsemble(t, false))
	c := connect(t, s)
	c.create("/c", nil, 0)
	for range 20 {
		for range 100 {
			c.send(wire.OpSetData, wire.SetData{Path: "/c", Version: -1})
		}
		c = attach(t, s, c)
		version := c.ok(wire.OpExists, wire.PathWatch{Path: "/c"}).Stat.Version
		c.ok(wire.OpSync, wire.Path("/c"))
		if later := c.ok(wire.OpExists, wire.PathWatch{Path: "/c"}).Stat.Version; later != version {
			t.Fatalf("version %d became %d", version, later)
		}
	}
}

// A standalone server has no local sessions, as ZooKeeper's has none.
func TestNoLocalSessionsAlone(t *testing.T) {
	s := startServer(t, func(c *conf.Config) { c.LocalSessions = true })
	before := s.zxid()
	connect(t, s)
	if s.zxid() != before+1 || s.locals.len() != 0 {
		t.Errorf("zxid %#x, was %#x; %d local sessions", s.zxid(), before, s.locals.len())
	}
}
