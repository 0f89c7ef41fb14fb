package server

import (
	"bytes"
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"math"
	"os"
	"time"

	"zkd/internal/mutant"
	"zkd/proto/jute"
	"zkd/session"
)

// handshake takes a connection from its first byte to an attached session
// (ZooKeeperServer.processConnectRequest). It returns false if the connection
// is to be closed once what is queued has been sent.
func (c *conn) handshake() bool {
	ok := c.shakeHands()
	if !ok {
		c.endAfterReplies()
	}
	return ok
}

func (c *conn) shakeHands() bool {
	if limit := c.srv.cfg.SessionlessCnxnTimeout; limit > 0 {
		// Both ways: the answer to a four-letter word may be long.
		_ = c.nc.SetDeadline(time.Now().Add(limit))
	}
	frame := c.firstFrame()
	if frame == nil {
		return false
	}
	r := jute.NewReader(frame)
	c.request = jute.DecodeConnect(&r)
	if r.Err() != nil {
		return false
	}
	if !c.srv.throttle.admit(c.srv.now()) {
		c.srv.stats.dropped.Add(1)
		return false
	}
	if !c.negotiate() {
		return false
	}
	_ = c.nc.SetDeadline(time.Time{})
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	for !c.attached && !c.refused && !c.gone {
		c.out.changed.Wait()
	}
	if !c.attached || c.gone { // one that was gone before has no entry (sessions.hold)
		return false
	}
	c.head = newTxnHead(c.session.ID, c.session.Generation, c.who.Load().IDs)
	return true
}

// firstFrame reads the ConnectRequest. What is not one, but begins with a
// four-letter word or looks like HTTP, is answered here.
func (c *conn) firstFrame() []byte {
	for {
		if n := c.in.end - c.in.begin; n >= 4 {
			first := c.in.buf[c.in.begin : c.in.begin+4]
			switch {
			case c.fourLetterWord(string(first)):
				return nil
			case isHTTP(first):
				c.answerHTTP()
				return nil
			case !c.srv.admits():
				return nil
			}
			frame, err := c.in.next()
			if frame != nil || err != nil {
				return frame
			}
		}
		if err := c.in.fill(); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				c.srv.stats.sessionless.Add(1)
			}
			return nil
		}
	}
}

func isHTTP(first []byte) bool {
	for _, method := range []string{"GET ", "HEAD", "POST", "PUT ", "DELE", "OPTI", "PATC"} {
		if bytes.Equal(first, []byte(method)) {
			return true
		}
	}
	return false
}

// answerHTTP tells somebody who took this port for a web server what it is.
func (c *conn) answerHTTP() {
	body := fmt.Sprintf("This is the client port (%d) of zkd, a ZooKeeper server: it speaks the ZooKeeper protocol, not HTTP.\n"+
		"Connect with a ZooKeeper client: zkCli.sh -server %s\n", c.srv.Port(), c.nc.LocalAddr())
	c.out.add(fmt.Sprintf("HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"+
		"Content-Length: %d\r\nConnection: close\r\n\r\n%s", len(body), body))
}

// negotiate decides about the request and, if it may succeed, submits what
// makes the session.
func (c *conn) negotiate() bool {
	s := c.srv
	lo, hi := int32(s.cfg.MinSessionTimeout/time.Millisecond), int32(s.cfg.MaxSessionTimeout/time.Millisecond)
	c.timeout = min(max(c.request.Timeout, lo), hi)
	switch {
	case s.gate.readOnly.Load():
		return c.negotiateReadOnly()
	case !c.caughtUp():
		s.log.Info("client has seen a newer state than this server's, refused", "peer", c.peer,
			"lastZxidSeen", hexZxid(c.request.LastZxidSeen))
		return false
	case c.request.SessionID == 0 && s.cfg.LocalSessions && s.cfg.EnsembleMode():
		return c.openLocal()
	case c.request.SessionID == 0:
		x := s.sessions.make(c.timeout)
		s.sessions.noteSeen(x.ID, c.request.LastZxidSeen)
		return c.globalize(x, jute.OpCreateSession)
	}
	id := session.ID(c.request.SessionID)
	if x, ok := s.locals.get(id); ok {
		return c.attachLocal(x)
	}
	x, known, err := s.lookUp(id)
	if err != nil {
		return false // nobody can tell now whether the session lives
	}
	if !known || subtle.ConstantTimeCompare(x.Password[:], c.request.Password) != 1 {
		// Unlike ZooKeeper, a wrong password does no harm to the connection
		// that the session has.
		c.refuse()
		return false
	}
	c.head = newTxnHead(x.ID, 0, nil)
	return c.submit(opAttach, 0, jute.AppendInt32(nil, c.timeout))
}

// caughtUp tells whether this server has applied what the client has seen, or
// may let it in all the same. One that lags has a tick to catch up.
func (c *conn) caughtUp() bool {
	s := c.srv
	applied := func() bool { return s.zxid() >= c.request.LastZxidSeen }
	if applied() || mutant.Is(mutant.Seen) {
		return true
	}
	if !s.cfg.EnsembleMode() {
		return c.beginsAnew()
	}
	return s.sync(s.cfg.TickTime) == nil && applied()
}

// beginsAnew tells whether a client may be let in that has seen more than there
// is. This server is alone, so nobody has it: its data was lost, or an older
// copy was put in its place. To be turned away for ever would not help the
// client, so one whose session is not here either is told so, and gets a new
// one if it asks. A session that is here has seen what is gone, and must not
// go back in time, unless it was made since and has seen nothing yet: some
// clients go on with the zxid of their last session until the first reply.
func (c *conn) beginsAnew() bool {
	s, id := c.srv, session.ID(c.request.SessionID)
	s.state.mu.RLock()
	_, known := s.state.table.Get(id)
	s.state.mu.RUnlock()
	if known && s.sessions.seenBefore(id) != c.request.LastZxidSeen && !mutant.Is(mutant.Lost) {
		return false
	}
	// A client may come as often as it likes: what it says is told now and then.
	if !known && s.anew.due(s.now()) {
		s.log.Warn("client has seen a newer state than this server's, which is alone: data was lost, or replaced by an older copy; "+
			"the client begins anew", "peer", c.peer, "lastZxidSeen", hexZxid(c.request.LastZxidSeen), "zxid", hexZxid(s.zxid()))
	}
	return true
}

// lookUp finds a session, after a sync if it seems not to be there: it may
// just have been made on another server, and to call it expired would end it.
func (s *Server) lookUp(id session.ID) (x session.Session, known bool, err error) {
	get := func() {
		s.state.mu.RLock()
		defer s.state.mu.RUnlock()
		x, known = s.state.table.Get(id)
	}
	if get(); known || !s.cfg.EnsembleMode() || mutant.Is(mutant.Unknown) {
		return x, known, nil
	}
	if err := s.sync(s.gate.limit); err != nil {
		return x, false, err
	}
	get()
	return x, known, nil
}

// sync waits until everything committed so far is applied here.
func (s *Server) sync(limit time.Duration) error {
	ctx, cancel := context.WithTimeout(s.life, limit)
	defer cancel()
	return s.node.Sync(ctx)
}

// welcome ends the handshake: the session is there, and this connection is its
// newest. The apply goroutine calls it.
func (c *conn) welcome(s session.Session) (dirty bool) {
	dirty, _ = c.answer(0, 0, c.accept(s))
	return dirty
}

// accept makes the connection the session's and returns the reply that says so.
func (c *conn) accept(s session.Session) []byte {
	patience := c.srv.gate.patience(milliseconds(c.timeout))
	switch {
	case c.readOnly:
		patience = math.MaxInt64
	case s.Generation == localGeneration:
		patience = c.srv.gate.limit // nobody else expires it
	}
	c.out.mu.Lock()
	c.session, c.attached, c.patience = s, true, patience
	c.out.mu.Unlock()
	return jute.AppendConnectResponse(nil, &jute.ConnectResponse{
		Timeout: c.timeout, SessionID: int64(s.ID), Password: s.Password,
		ReadOnly: c.readOnly, HasReadOnly: c.request.HasReadOnly,
	})
}

// refuse queues the reply that means: no such session.
func (c *conn) refuse() (dirty bool) {
	frame := jute.AppendConnectResponse(nil, &jute.ConnectResponse{HasReadOnly: c.request.HasReadOnly})
	c.out.mu.Lock()
	c.refused, c.out.last = true, true
	if c.idleLocked() {
		defer c.out.mu.Unlock()
		return c.queueLocked(frame)
	}
	c.out.mu.Unlock()
	dirty, _ = c.answer(0, 0, frame)
	return dirty
}

func hexID(id session.ID) string { return fmt.Sprintf("%#x", uint64(id)) }

func hexZxid(zxid int64) string { return fmt.Sprintf("%#x", uint64(zxid)) }
