package server

import (
	"context"
	"sync"
	"time"

	"zkd/proto/jute"
	"zkd/session"
)

// sessions joins the replicated sessions with this server's connections and
// its expiry clock.
type sessions struct {
	srv     *Server
	tracker *session.Tracker

	mu     sync.Mutex
	lastID session.ID
	conns  map[session.ID]*conn // the newest connection of each session
}

func newSessions(srv *Server) *sessions {
	return &sessions{
		srv: srv, tracker: session.NewTracker(srv.cfg.TickTime, srv.now()),
		lastID: firstID(srv.cfg.ServerID, time.Now()), conns: map[session.ID]*conn{},
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

// started notes a new session and who asked for it, if that is here.
func (s *sessions) started(x session.Session, c *conn) {
	timeout := time.Duration(x.Timeout) * time.Millisecond
	entry := s.tracker.Track(x.ID, timeout, s.srv.now())
	if c != nil {
		c.entry = entry
		s.mu.Lock()
		s.conns[x.ID] = c
		s.mu.Unlock()
	}
}

// attached makes c the session's connection and ends the one it had.
func (s *sessions) attached(x session.Session, c *conn) {
	c.entry = s.tracker.Track(x.ID, time.Duration(c.timeout)*time.Millisecond, s.srv.now())
	s.mu.Lock()
	old := s.conns[x.ID]
	s.conns[x.ID] = c
	s.mu.Unlock()
	if old != nil {
		old.abandon()
	}
}

// ended forgets a session and returns the connection it had here.
func (s *sessions) ended(id session.ID) *conn {
	s.tracker.Forget(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.conns[id]
	delete(s.conns, id)
	return c
}

// detach notes that a connection has ended; its session goes on.
func (s *sessions) detach(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conns[c.session.ID] == c {
		delete(s.conns, c.session.ID)
	}
}

// startAll gives every session its full timeout, before the first client is
// served.
func (s *sessions) startAll() {
	for _, x := range s.srv.state.table.All() {
		s.started(x, nil)
	}
}

// expire ends sessions that were not heard of for their timeout. The proposal
// names the generation that was silent: a client that comes back meanwhile
// keeps its session.
func (s *sessions) expire(ctx context.Context) {
	tick := s.srv.cfg.TickTime
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		// Buckets end at multiples of the tick on the server's clock.
		timer.Reset(tick - s.srv.now()%tick)
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		for _, x := range s.silent() {
			s.srv.log.Info("session expired", "session", hexID(x.ID), "timeout", x.Timeout)
			s.srv.stats.expired.Add(1)
			s.srv.node.Submit(nil, newTxnHead(x.ID, x.Generation, nil).with(jute.OpCloseSession, 0), nil)
		}
	}
}

// silent returns the sessions whose time is up. No attach is applied
// meanwhile: one before has restarted the timer, one after has another
// generation.
func (s *sessions) silent() (list []session.Session) {
	s.srv.state.mu.RLock()
	defer s.srv.state.mu.RUnlock()
	now := s.srv.now()
	for _, id := range s.tracker.Expired(now) {
		x, ok := s.srv.state.table.Get(id)
		if !ok {
			continue
		}
		if timeout, waits := s.waiting(id); waits {
			s.tracker.Track(id, timeout, now)
			continue
		}
		list = append(list, x)
	}
	return list
}

// waiting tells whether a session's connection waits for the log. It is the
// server then that keeps silent: pings behind a write are not read before the
// write is answered, and a slow disk must not end a session.
func (s *sessions) waiting(id session.ID) (timeout time.Duration, waits bool) {
	s.mu.Lock()
	c := s.conns[id]
	s.mu.Unlock()
	if c == nil {
		return 0, false
	}
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	return time.Duration(c.timeout) * time.Millisecond, !c.gone && !c.idleLocked()
}

// reap removes containers and TTL znodes that nobody needs any more, not more
// than maxPerMinute (ContainerManager).
func (s *sessions) reap(ctx context.Context) {
	cfg := s.srv.cfg
	tick := time.NewTicker(cfg.ContainerCheckInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		budget := int(cfg.ContainerCheckInterval * time.Duration(cfg.ContainerMaxPerMinute) / time.Minute)
		s.srv.state.mu.RLock()
		due := s.srv.state.tree.Due(time.Now().UnixMilli(), cfg.ContainerMaxNeverUsed.Milliseconds(), max(budget, 1))
		s.srv.state.mu.RUnlock()
		for _, d := range due {
			body := jute.AppendInt64(jute.AppendString(nil, d.Path), d.Mzxid)
			s.srv.node.Submit(nil, newTxnHead(0, 0, nil).with(jute.OpDeleteContainer, 0), body)
		}
	}
}
