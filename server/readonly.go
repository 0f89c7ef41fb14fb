package server

import (
	"time"

	"zkd/proto/jute"
	"zkd/session"
)

// A server that has found no leader for a while serves clients that ask for no
// more than to read, if readonlymode.enabled (ReadOnlyZooKeeperServer). Their
// sessions are local, whether the configuration has local sessions or not.

// leaderless is how long a server waits for a leader before it only reads.
const leaderless = 2 * time.Second

// readOnlyDue tells whether this server should read only: there is no contact
// with a leader since at, and there is something to read.
func (g *gate) readOnlyDue(now, at time.Duration) bool {
	cfg := g.srv.cfg
	return cfg.ReadOnlyMode && now-at > max(leaderless, cfg.TickTime) && g.srv.zxid() > 0
}

// setReadOnly begins and ends the service for those who only read.
func (g *gate) setReadOnly(on bool) {
	if g.readOnly.Swap(on) == on {
		return
	}
	if on {
		g.srv.log.Warn("no leader, serving clients that only read")
		return
	}
	g.srv.conns.drop(func(c *conn) bool {
		c.out.mu.Lock()
		defer c.out.mu.Unlock()
		return c.readOnly
	})
}

// admits tells whether clients may connect.
func (s *Server) admits() bool { return s.serving.Load() || s.gate.readOnly.Load() }

// negotiateReadOnly is negotiate while there is no leader.
func (c *conn) negotiateReadOnly() bool {
	s := c.srv
	id := session.ID(c.request.SessionID)
	c.out.mu.Lock()
	c.readOnly = true
	c.out.mu.Unlock()
	// A leader found before the line above would not have ended this connection.
	if !c.request.ReadOnly || !s.gate.readOnly.Load() || s.zxid() < c.request.LastZxidSeen {
		return false
	}
	if id == 0 {
		return c.openLocal()
	}
	if x, ok := s.locals.get(id); ok {
		return c.attachLocal(x)
	}
	s.state.mu.RLock()
	_, global := s.state.table.Get(id)
	s.state.mu.RUnlock()
	if !global {
		c.refuse()
	}
	return false
}

// handleReadOnly deals with what would change something.
func (c *conn) handleReadOnly(k kind, xid int32, op jute.Op) bool {
	switch {
	case k == closing:
		return c.closeLocal(xid)
	case k == logged, op == jute.OpCheck, op == jute.OpDeleteContainer:
		return c.reply(xid, c.srv.zxid(), jute.ErrNotReadOnly)
	}
	return c.lastReply(xid, -1, jute.ErrUnimplemented)
}

// zxid returns that of the last transaction applied here.
func (s *Server) zxid() int64 {
	s.state.mu.RLock()
	defer s.state.mu.RUnlock()
	return s.state.zxid
}
