package server

import (
	"bytes"
	"testing"
	"time"

	"zkd/conf"
	"zkd/proto/jute"
	"zkd/session"
	"zkd/test/wire"
)

// A server that was without contact for too long, or stopped for so long that
// it cannot know, sends everybody away and comes back when it has caught up.
func TestGateCloses(t *testing.T) {
	s := startServer(t, loneEnsemble(t, ""))
	c := connect(t, s)
	s.gate.look(t.Context(), s.now()+s.gate.limit+time.Second, 0)
	cutOff(t, c)
	must(t, s.serving.Load, "serving again")
	attach(t, s, c).create("/a", nil, 0)
}

// What was before a server lets clients in for the first time is no gap: they
// need not be sent away again at once.
func TestGateOpens(t *testing.T) {
	s := startServer(t, loneEnsemble(t, ""))
	g := newGate(s)
	later := s.now() + 2*g.limit
	g.look(t.Context(), later, later) // no contact yet
	if !s.serving.Load() {
		t.Error("closed before it was opened")
	}
	g.open()
	if g.lapsed(s.now(), time.Minute) || g.contact.Load() == 0 {
		t.Error("opened with the gap of the time before")
	}
}

// A leader sends clients to the others with leaderServes=no.
func TestLeaderDoesNotServe(t *testing.T) {
	lone := loneEnsemble(t, "")
	s := startServer(t, func(c *conf.Config) {
		lone(c)
		c.LeaderServes = false
	})
	must(t, func() bool { return !s.serving.Load() }, "closed")
	s.gate.look(t.Context(), s.now(), 0)
	if s.serving.Load() {
		t.Error("a leader that must not serve has opened again")
	}
}

// A server that has stopped does not come back because there is a leader.
func TestGateStaysClosed(t *testing.T) {
	s := startServer(t, loneEnsemble(t, ""))
	s.gate.end()
	s.gate.reopen(t.Context())
	if s.serving.Load() {
		t.Error("a server that shuts down serves again")
	}
}

// A connection is served without contact no longer than a leader surely keeps
// its session.
func TestGatePatience(t *testing.T) {
	s := startServer(t, loneEnsemble(t, ""))
	long := connect(t, s)
	short := attach(t, s, &client{timeout: 1200})
	gap := s.gate.patience(s.cfg.MinSessionTimeout) + 100*time.Millisecond
	if gap >= s.gate.limit {
		t.Fatalf("no connection is less patient than %v", s.gate.limit)
	}
	s.gate.look(t.Context(), s.now()+gap, 0)
	cutOff(t, short)
	long.exists("/")
}

// What comes in after a pause of the whole process is not answered, whoever
// wakes up first.
func TestNoAnswerAfterAPause(t *testing.T) {
	s := startServer(t, loneEnsemble(t, ""))
	c := connect(t, s)
	s.gate.contact.Store(int64(s.now() - s.gate.limit - time.Second))
	cutOff(t, c)
	must(t, func() bool { return !s.gate.lapsed(s.now(), time.Second) && s.serving.Load() }, "serving again")
	attach(t, s, c).exists("/")
}

// The server that is its whole cluster needs no contact.
func TestNoGateAlone(t *testing.T) {
	s := startServer(t, nil)
	if s.gate.lapsed(s.now()+1000*time.Hour, 0) {
		t.Error("it waits for itself")
	}
}

// A state installed on a running server ends all connections and watches;
// sessions live on if they are in it.
func TestInstalledSnapshotDropsClients(t *testing.T) {
	s := startServer(t, nil)
	c := connect(t, s)
	c.create("/a", []byte("x"), 0)
	c.ok(wire.OpGetData, wire.PathWatch{Path: "/a", Watch: true})
	image := persisted(t, s.state)
	if err := s.node.Close(); err != nil { // the state is the test's now
		t.Fatal(err)
	}
	if err := newMachine(s).Restore(bytes.NewReader(image)); err != nil {
		t.Fatal(err)
	}
	cutOff(t, c)
	settled(t, s, 0)
	if n := s.state.watches.Total(); n != 0 {
		t.Errorf("%d watches", n)
	}
	if x, ok := s.state.table.Get(session.ID(c.session)); !ok || s.zxid() == 0 {
		t.Errorf("the session is %+v, at zxid %#x", x, s.zxid())
	}
}

// awaitLead waits until a server expires sessions.
func awaitLead(t *testing.T, s *Server) {
	t.Helper()
	must(t, func() bool {
		s.sessions.mu.Lock()
		defer s.sessions.mu.Unlock()
		return s.sessions.leading
	}, "leading")
}

// applied has a request applied that nobody waits for, as if it came from
// another server.
func applied(t *testing.T, s *Server, id session.ID, generation uint32, op jute.Op, body []byte) {
	t.Helper()
	s.node.Submit(nil, newTxnHead(id, generation, nil).with(op, 0), body)
	if err := s.sync(patience); err != nil {
		t.Fatal(err)
	}
}

// lives tells whether a session is in the replicated table.
func lives(s *Server, id session.ID) bool {
	s.state.mu.RLock()
	defer s.state.mu.RUnlock()
	_, ok := s.state.table.Get(id)
	return ok
}

// A session that attaches elsewhere loses its connection here, and what is
// still under way over that is void.
func TestMoveAway(t *testing.T) {
	s := startServer(t, nil)
	c := connect(t, s)
	id := session.ID(c.session)
	awaitLead(t, s)
	applied(t, s, id, 0, opAttach, jute.AppendInt32(nil, 5_000))
	cutOff(t, c)
	settled(t, s, 0)
	before := s.zxid()
	applied(t, s, id, 0, jute.OpDelete, nil)
	if s.zxid() != before {
		t.Error("a request of the old connection was applied")
	}
	if d := s.sessions.tracker.Deadlines()[id] - s.now(); d > 5*time.Second+s.cfg.TickTime {
		t.Errorf("expires in %v: its new connection has another timeout", d)
	}
	c.timeout = 60_000
	attach(t, s, c)
}

// What a leader has judged counts only as long as it leads.
func TestExpiryOfADeposedLeader(t *testing.T) {
	s := startServer(t, nil)
	c := connect(t, s)
	id := session.ID(c.session)
	term := s.node.Status().Term
	for _, wrong := range []uint64{term - 1, term + 1} {
		applied(t, s, id, 0, jute.OpCloseSession, jute.AppendInt64(nil, int64(wrong)))
		if !lives(s, id) {
			t.Fatalf("in term %d a session was ended by who led in term %d", term, wrong)
		}
	}
	c.create("/alive", nil, 1)
	applied(t, s, id, 0, jute.OpCloseSession, jute.AppendInt64(nil, int64(term)))
	closed(t, c.Conn)
	if connect(t, s).exists("/alive") {
		t.Error("its ephemeral is there")
	}
}

// Only a leader follows sessions that have no connection to it.
func TestTrackedSessions(t *testing.T) {
	s := startServer(t, func(c *conf.Config) {
		c.TickTime, c.MaxSessionTimeout = 5*time.Millisecond, time.Hour
	})
	here, gone := attach(t, s, &client{timeout: 3_600_000}), attach(t, s, &client{timeout: 3_600_000})
	gone.Close()
	settled(t, s, 1)
	tracked := func() int { return s.sessions.tracker.Len() }
	must(t, func() bool { return tracked() == 2 }, "two sessions")
	s.sessions.resign()
	if tracked() != 1 {
		t.Errorf("%d sessions on a follower with one connection", tracked())
	}
	applied(t, s, 77, 0, jute.OpCreateSession, append(jute.AppendInt32(nil, 1000), make([]byte, 16)...))
	if tracked() != 1 {
		t.Errorf("%d sessions on a follower: it follows one of another server", tracked())
	}
	must(t, func() bool { return s.now() > 50*time.Millisecond }, "a clock that does not begin with this leader")
	began := s.now()
	s.sessions.startAll()
	if tracked() != 3 {
		t.Errorf("%d sessions on a leader", tracked())
	}
	for id, end := range s.sessions.tracker.Deadlines() {
		if left := end - began; left < time.Second {
			t.Errorf("session %#x may be silent for %v, under a leader that has just begun", uint64(id), left)
		}
	}
	s.sessions.resign()
	here.Close()
	settled(t, s, 0)
	if tracked() != 0 {
		t.Errorf("%d sessions on a follower without connections", tracked())
	}
}

// A session that goes on over another connection is not ended by what comes
// from the one before, neither by the client nor because that was silent.
func TestCloseSessionOfAnOldConnection(t *testing.T) {
	s := startServer(t, nil)
	c := connect(t, s)
	id := session.ID(c.session)
	awaitLead(t, s)
	applied(t, s, id, 0, opAttach, jute.AppendInt32(nil, 5_000))
	closed(t, c.Conn)
	for name, body := range map[string][]byte{"a client": nil, "a leader": jute.AppendInt64(nil, int64(s.node.Status().Term))} {
		applied(t, s, id, 0, jute.OpCloseSession, body)
		if !lives(s, id) {
			t.Fatalf("%s has ended the session over its old connection", name)
		}
	}
	applied(t, s, id, 1, jute.OpCloseSession, nil)
	if lives(s, id) {
		t.Error("the session goes on when its newest connection has closed it")
	}
}
