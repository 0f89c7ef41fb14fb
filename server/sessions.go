package server

import (
	"crypto/rand"
	"net/netip"
	"sync"
	"time"

	"zkd/internal/mutant"
	"zkd/session"
)

// sessions joins the replicated sessions with this server's connections and
// its expiry clock. What a leader does with them is in leader.go, what a
// follower tells it in relay.go.
type sessions struct {
	srv *Server
	// tracker has the sessions of the connections here. On a leader, which
	// expires them, it has all.
	tracker *session.Tracker

	mu      sync.Mutex
	lastID  session.ID
	conns   map[session.ID]*conn          // the newest connection of each session
	seen    map[session.ID]int64          // see noteSeen
	left    map[session.ID]netip.AddrPort // on a leader: whence sessions came whose connection here has ended
	leading bool                          // see tracker
	relay   relay
}

func newSessions(srv *Server) *sessions {
	return &sessions{
		srv: srv, tracker: session.NewTracker(srv.cfg.TickTime, srv.now()),
		lastID: firstID(srv.cfg.ServerID, srv.world.now()), conns: map[session.ID]*conn{}, seen: map[session.ID]int64{}, left: map[session.ID]netip.AddrPort{},
	}
}

// firstID is where a server's session ids start: the server in the top byte,
// then five bytes of the clock, then room to count
// (SessionTrackerImpl.initializeNextSessionId).
func firstID(server int64, now time.Time) session.ID {
	return session.ID(uint64(now.UnixMilli())<<24>>8 | uint64(server)<<56)
}

func (s *sessions) newID() session.ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastID++
	return s.lastID
}

// noteSeen remembers for a session that is made that its client had seen a zxid
// that this server does not have: what it saw before the session.
func (s *sessions) noteSeen(id session.ID, zxid int64) {
	if zxid <= s.srv.zxid() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen[id] = zxid
}

// seenBefore returns what noteSeen was told of the session, or 0.
func (s *sessions) seenBefore(id session.ID) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen[id]
}

// make returns a session that nobody has.
func (s *sessions) make(timeout int32) session.Session {
	x := session.Session{ID: s.newID(), Timeout: timeout}
	_, _ = rand.Read(x.Password[:]) // never fails, see crypto/rand
	return x
}

func milliseconds(n int32) time.Duration { return time.Duration(n) * time.Millisecond }

// attached makes c the session's connection, nil for one on another server,
// and ends the one it had here.
func (s *sessions) attached(x session.Session, c *conn, timeout time.Duration) {
	if old := s.hold(x, c, timeout); old != nil && !mutant.Is(mutant.Elsewhere) {
		old.abandon()
	}
}

// hold notes a session's newest connection and returns the one before.
func (s *sessions) hold(x session.Session, c *conn, timeout time.Duration) (old *conn) {
	if c != nil {
		// Either it is known here before detach, or it is not made known any more.
		c.out.mu.Lock()
		defer c.out.mu.Unlock()
		if c.gone {
			c = nil
		} else {
			c.session = x
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old = s.conns[x.ID]
	delete(s.conns, x.ID)
	delete(s.left, x.ID)
	if c == nil && !s.leading {
		s.tracker.Forget(x.ID)
		return old
	}
	entry := s.tracker.Track(x.ID, timeout, s.srv.now())
	if c != nil {
		c.entry, s.conns[x.ID] = entry, c
	}
	return old
}

// ended forgets a session and returns the connection it had here.
func (s *sessions) ended(id session.ID) *conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tracker.Forget(id)
	c := s.conns[id]
	delete(s.conns, id)
	delete(s.seen, id)
	delete(s.left, id)
	return c
}

// detach notes that a connection has ended; its session goes on.
func (s *sessions) detach(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := c.session.ID
	if s.conns[id] != c {
		return
	}
	delete(s.conns, id)
	if s.leading {
		s.left[id] = c.peer
		return
	}
	s.tracker.Forget(id)
	if !mutant.Is(mutant.Parted) {
		s.relay.parted = append(s.relay.parted, parted{id, c.entry, s.srv.now()})
	}
}
