package server

import (
	"context"
	"encoding/binary"
	"sync"
	"time"

	"zkd/internal/mutant"
	"zkd/proto/jute"
	"zkd/session"
)

// lead does what only the leader does, until ctx ends. It implements
// consensus.Config.Lead.
func (s *Server) lead(ctx context.Context, term uint64) {
	select {
	case <-s.opened:
	case <-ctx.Done():
		return
	}
	s.leadership.begin(s.now())
	s.sessions.startAll()
	defer s.sessions.resign()
	var duties sync.WaitGroup
	duties.Go(func() { s.sessions.expire(ctx, term) })
	duties.Go(func() { s.sessions.reap(ctx) })
	if s.cfg.MembershipByFile && s.cfg.EnsembleMode() {
		duties.Go(func() { s.followFiles(ctx) })
	}
	duties.Wait()
}

// startAll gives every session its full timeout: what was heard of them under
// another leader is not known here.
func (s *sessions) startAll() {
	s.srv.state.mu.RLock()
	defer s.srv.state.mu.RUnlock()
	now := s.srv.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leading = true
	s.relay.parted = nil // there is nobody to be told
	for _, x := range s.srv.state.table.All() {
		if s.conns[x.ID] == nil { // else it is tracked, with the timeout of its connection
			s.tracker.Track(x.ID, milliseconds(x.Timeout), now)
		}
	}
	s.tracker.Restart(now)
	if mutant.Is(mutant.FreshClock) {
		for _, x := range s.srv.state.table.All() {
			if s.conns[x.ID] == nil {
				s.tracker.Track(x.ID, milliseconds(x.Timeout), 0)
			}
		}
	}
}

// resign leaves the sessions to another leader; here only those matter that
// this server reports to it.
func (s *sessions) resign() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leading = false
	clear(s.left)
	s.tracker.Retain(func(id session.ID) bool { return s.conns[id] != nil })
}

// expire ends sessions that were not heard of for their timeout. The proposal
// names the generation that was silent: a client that comes back meanwhile
// keeps its session. It names the term as well, since requests outlive their
// leader: one that was cut off has not heard of clients that the next one has.
func (s *sessions) expire(ctx context.Context, term uint64) {
	body := binary.BigEndian.AppendUint64(nil, term)
	for tickOf(ctx, s.srv) {
		for _, x := range s.silent() {
			if ctx.Err() != nil {
				return
			}
			s.srv.log.Info("session expired", append([]any{"session", hexID(x.ID), "timeout", milliseconds(x.Timeout)}, x.last...)...)
			s.srv.stats.expired.Add(1)
			s.srv.node.Submit(nil, newTxnHead(x.ID, x.Generation, nil).with(jute.OpCloseSession, 0), body)
		}
	}
}

// silentSession is a session whose time is up, and for the log what is known of
// its client.
type silentSession struct {
	session.Session
	last []any
}

// silent returns the sessions whose time is up. No attach is applied
// meanwhile: one before has restarted the timer, one after has another
// generation.
func (s *sessions) silent() (list []silentSession) {
	s.srv.state.mu.RLock()
	defer s.srv.state.mu.RUnlock()
	now := s.srv.now()
	for _, id := range s.tracker.Expired(now) {
		x, ok := s.srv.state.table.Get(id)
		if !ok {
			continue
		}
		if timeout, waits := s.waiting(id); waits && !mutant.Is(mutant.Waiting) {
			s.tracker.Track(id, timeout, now)
			continue
		}
		list = append(list, silentSession{x, s.lastKnown(id, now)})
	}
	return list
}

// lastKnown says for the log how long a session was silent, where its client was,
// and whether it has a connection here still. Of one that was on another server
// that has the address.
func (s *sessions) lastKnown(id session.ID, now time.Duration) []any {
	at, from := s.tracker.Last(id)
	silent := []any{"silent", (now - at).Round(time.Millisecond)}
	s.mu.Lock()
	defer s.mu.Unlock()
	c, left := s.conns[id], s.left[id]
	switch {
	case c != nil:
		return append(silent, "client", c.peer, "connection", "open")
	case left.IsValid():
		return append(silent, "client", left, "connection", "ended")
	case from != 0:
		return append(silent, "server", from)
	}
	return append(silent, "client", "not known to this leader")
}

// waiting tells whether a session's connection waits for the log. It is the
// server then that keeps silent: where no more reads can be parked, pings behind a
// write are not read before it is answered, and a slow disk must not end a session.
func (s *sessions) waiting(id session.ID) (timeout time.Duration, waits bool) {
	s.mu.Lock()
	c := s.conns[id]
	s.mu.Unlock()
	if c == nil {
		return 0, false
	}
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	return milliseconds(c.timeout), c.waitsLocked()
}

// reap removes containers and TTL znodes that nobody needs any more, not more
// than maxPerMinute (ContainerManager). What is proposed here may be applied
// under another leader: it names the version that was seen, and the tree looks
// for children again.
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
		due := s.srv.state.tree.Due(s.srv.world.now().UnixMilli(), cfg.ContainerMaxNeverUsed.Milliseconds(), max(budget, 1))
		s.srv.state.mu.RUnlock()
		for _, d := range due {
			body := jute.AppendInt64(jute.AppendString(nil, d.Path), d.Mzxid)
			s.srv.node.Submit(nil, newTxnHead(0, 0, nil).with(jute.OpDeleteContainer, 0), body)
		}
	}
}
