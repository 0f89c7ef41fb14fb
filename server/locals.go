package server

import (
	"context"
	"crypto/subtle"
	"math"
	"sync"
	"time"

	"zkd/proto/jute"
	"zkd/session"
)

// localGeneration, as the generation of a request, says that its session is
// local: known to nobody but the server where the request began. It is part of
// the entry because the others cannot know, and must judge it alike.
const localGeneration = math.MaxUint32

// locals are the local sessions (LocalSessionTracker): no entry of the log makes
// or ends them, so they cost the ensemble nothing, and no other server knows
// them. This one expires them. They hold no ephemerals; whoever wants one is
// upgraded first, if that is allowed.
type locals struct {
	srv     *Server
	tracker *session.Tracker

	mu    sync.Mutex
	all   map[session.ID]session.Session
	conns map[session.ID]*conn // the newest connection of each
}

func newLocals(srv *Server) *locals {
	return &locals{
		srv: srv, tracker: session.NewTracker(srv.cfg.TickTime, srv.now()),
		all: map[session.ID]session.Session{}, conns: map[session.ID]*conn{},
	}
}

func (l *locals) len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.all)
}

func (l *locals) get(id session.ID) (session.Session, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	x, ok := l.all[id]
	return x, ok
}

// hold makes c the session's connection and ends the one it had. It returns
// false if c itself is ending, or the session has meanwhile.
func (l *locals) hold(x session.Session, c *conn, made bool) bool {
	old, ok := l.swap(x, c, made)
	if old != nil {
		old.abandon()
	}
	return ok
}

func (l *locals) swap(x session.Session, c *conn, made bool) (old *conn, ok bool) {
	c.out.mu.Lock() // as in sessions.hold
	defer c.out.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, lives := l.all[x.ID]; c.gone || !lives && !made {
		return nil, false
	}
	old = l.conns[x.ID]
	c.session = x
	c.entry = l.tracker.Track(x.ID, milliseconds(c.timeout), l.srv.now())
	l.all[x.ID], l.conns[x.ID] = x, c
	return old, true
}

// detach notes that a connection has ended; its session goes on.
func (l *locals) detach(c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conns[c.session.ID] == c {
		delete(l.conns, c.session.ID)
	}
}

// forget ends a session, or leaves it to the log, and returns its connection.
func (l *locals) forget(id session.ID) *conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.all[id]; !ok {
		return nil
	}
	c := l.conns[id]
	delete(l.all, id)
	delete(l.conns, id)
	l.tracker.Forget(id)
	return c
}

// expire is the goroutine that ends the sessions that are silent too long.
func (l *locals) expire(ctx context.Context) {
	for tickOf(ctx, l.srv) {
		now := l.srv.now()
		for _, id := range l.tracker.Expired(now) {
			if c := l.connOf(id); c != nil && c.waits() {
				l.tracker.Track(id, milliseconds(c.timeout), now) // see sessions.waiting
				continue
			}
			l.srv.stats.expired.Add(1)
			if c := l.forget(id); c != nil {
				c.abandon()
			}
		}
	}
}

func (l *locals) connOf(id session.ID) *conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.conns[id]
}

// local tells whether the connection's session is local. It is for the
// connection's goroutine.
func (c *conn) local() bool { return c.session.Generation == localGeneration }

// openLocal makes a local session for the connection.
func (c *conn) openLocal() bool {
	x := c.srv.sessions.make(c.timeout)
	x.Generation = localGeneration
	return c.srv.locals.hold(x, c, true) && c.enter(x)
}

// attachLocal makes the connection that of a local session.
func (c *conn) attachLocal(x session.Session) bool {
	s := c.srv
	if subtle.ConstantTimeCompare(x.Password[:], c.request.Password) != 1 {
		c.refuse()
		return false
	}
	if !s.cfg.LocalSessions && !c.readOnly {
		// Made while there was no leader, by a server that does not have local
		// sessions otherwise: now everybody shall know it.
		return c.globalize(x, jute.OpCreateSession)
	}
	if !s.locals.hold(x, c, false) {
		return false
	}
	// What the session's last connection still has in the log is not void, as
	// that of other sessions is: it must be over.
	if !c.readOnly && s.sync(s.gate.limit) != nil {
		return false
	}
	return c.enter(x)
}

// enter ends the handshake of a local session.
func (c *conn) enter(x session.Session) bool {
	frame := c.accept(x)
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	c.out.buf = append(c.out.buf, frame...)
	return !c.gone
}

// globalize submits the request that makes a local session one of all servers.
func (c *conn) globalize(x session.Session, op jute.Op) bool {
	c.head = newTxnHead(x.ID, 0, nil)
	body := jute.AppendInt32(nil, c.timeout)
	return c.submit(op, 0, append(body, x.Password[:]...))
}

// upgrade makes the connection's session one of all servers, and waits for it.
func (c *conn) upgrade() bool {
	ok := c.globalize(c.session, opUpgrade) && c.drain()
	if ok {
		c.head = newTxnHead(c.session.ID, c.session.Generation, c.who.Load().IDs)
	}
	return ok
}

// closeLocal ends the session at its client's wish. It leaves no trace.
func (c *conn) closeLocal(xid int32) bool {
	if !c.drain() {
		return false
	}
	c.srv.state.watches.Drop(c)
	c.srv.locals.forget(c.session.ID)
	return c.lastReply(xid, c.srv.zxid(), jute.OK)
}

// wantsEphemeral tells whether a request would make an ephemeral.
func wantsEphemeral(op jute.Op, request []byte) bool {
	r := jute.NewReader(request)
	switch op {
	case jute.OpCreate, jute.OpCreate2:
		c := jute.DecodeCreate(&r, op)
		return r.Err() == nil && c.Mode.Ephemeral()
	case jute.OpMulti:
		ops, is := decodeMulti(nil, &r)
		for i := range ops {
			if o := &ops[i]; is == wellFormed && (o.op == jute.OpCreate || o.op == jute.OpCreate2) && o.create.Mode.Ephemeral() {
				return true
			}
		}
	}
	return false
}

// tickOf waits for the next tick of the server's clock, where the buckets of
// its trackers end. It returns false when ctx ends.
func tickOf(ctx context.Context, s *Server) bool {
	tick := s.cfg.TickTime
	timer := time.NewTimer(tick - s.now()%tick)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
