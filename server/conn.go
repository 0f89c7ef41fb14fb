package server

import (
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"

	"zkd/internal/mutant"
	"zkd/internal/progress"
	"zkd/proto/jute"
	"zkd/session"
	"zkd/znode"
)

// conn is one client connection. Its goroutine (serve) reads requests, answers
// reads itself and submits writes; the apply goroutine answers those, and the
// reads that came in while a write before them was unanswered (parked.go).
// Replies leave in the order of the requests because the goroutine itself
// answers nothing while a write is unanswered.
type conn struct {
	srv  *Server
	nc   net.Conn
	peer netip.AddrPort
	in   inbox
	out  outbox // out.mu also guards what is marked so below

	meter  progress.Meter // of rounds
	round  int64          // rounds.mu: the one in which it is looked at next, 0 if none
	kept   atomic.Bool    // the client waits for memory, or for its turn
	ending atomic.Bool    // what is queued is the last
	// arriving is set while a part of a request is here, and the rest is not.
	arriving atomic.Bool

	who  atomic.Pointer[znode.Actor] // replaced, never changed
	head txnHead                     // only the conn's goroutine uses it
	// behind is set if a write may be unanswered. Only the conn's goroutine uses it.
	behind bool
	since  time.Time
	endBy  time.Time // set before ending: no client gets more time than that

	// Set by the apply goroutine under out.mu before attached becomes true.
	session session.Session
	entry   *session.Entry
	timeout int32 // negotiated, ms
	// patience is how long the connection is served without contact to a leader.
	patience time.Duration

	request   jute.ConnectRequest
	uncounted bool // conns.mu: no longer one of its address's connections

	readOnly bool // out.mu for others: served without a leader
	attached bool // out.mu: the handshake has succeeded
	refused  bool // out.mu: the handshake has failed
	closing  bool // out.mu: the next reply is the last
	gone     bool // out.mu: the connection is being closed
	dirty    bool // out.mu: queued for a flusher
	pending  []pendingReply
	answered int       // pending[:answered] are done
	parked   *parked   // out.mu: nil if there are none
	bulk     int       // out.mu: how many of the reads to come are not parked
	room     int       // out.mu: how many more than fewParked may be parked
	stats    connStats // out.mu
}

// pendingReply is a request in the log.
type pendingReply struct {
	op    jute.Op
	large int32         // length, if that counts as large
	size  int32         // length
	part  int32         // of memory.logged
	reads int32         // parked behind it, before the next
	at    time.Duration // when it came in, on the server's clock
	// readsAt is when the first of reads came in.
	readsAt time.Duration
}

func newConn(srv *Server, nc net.Conn) *conn {
	c := &conn{srv: srv, nc: nc, since: time.Now()}
	if a, err := netip.ParseAddrPort(nc.RemoteAddr().String()); err == nil {
		c.peer = netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
	}
	var raw syscall.RawConn
	if sc, ok := nc.(syscall.Conn); ok {
		raw, _ = sc.SyscallConn()
	}
	c.in = newInbox(nc, raw, min(srv.cfg.JuteMaxBuffer, maxRequest))
	c.in.from = c
	c.out.nc, c.out.raw = nc, raw
	c.out.lane, c.out.clock = &srv.memory.replies, srv.now
	c.meter = progress.New(nc)
	c.out.ended = func() { srv.conns.uncount(c) }
	c.out.took, c.out.counts = c.took, c.meter.Able
	c.out.blocks = func() { srv.rounds.enter(c, srv.now()) }
	c.out.changed.L = &c.out.mu
	c.stats.reset()
	c.who.Store(&znode.Actor{
		IDs:     []jute.ID{{Scheme: "ip", ID: c.peer.Addr().String()}},
		SkipACL: srv.cfg.SkipACL,
	})
	return c
}

// serve runs the connection until it ends. It is the connection's goroutine.
func (c *conn) serve() {
	defer c.cleanUp()
	if c.handshake() {
		for c.process() {
			c.out.flush()
			if c.in.fill() != nil {
				return
			}
		}
	}
	// What is queued goes out, and what still comes in is not read any more
	// than it takes to see the client's end. No session will expire that would
	// end the wait for a client that takes nothing.
	c.endBy = time.Now().Add(endingTimes * c.srv.cfg.SessionlessCnxnTimeout)
	c.limitWrites()
	c.ending.Store(true)
	c.srv.rounds.enter(c, c.srv.now())
	c.out.flush()
	for {
		c.in.begin = c.in.end
		if c.in.fill() != nil {
			return
		}
	}
}

// endingTimes bounds the time in which a client has to take what is left for it
// when its connection ends, however slow it is, in SessionlessCnxnTimeouts: by
// default 16 MiB, the most there may be, at some 50 kB a second.
const endingTimes = 32

// limitWrites gives a client that may have no session some time to take the next
// of what is queued for it.
func (c *conn) limitWrites() {
	limit := c.srv.cfg.SessionlessCnxnTimeout
	if limit <= 0 {
		return
	}
	by := time.Now().Add(limit)
	if by.After(c.endBy) {
		by = c.endBy
	}
	_ = c.nc.SetWriteDeadline(by)
}

// endAfterReplies ends the connection once everything queued is sent.
func (c *conn) endAfterReplies() {
	c.out.mu.Lock()
	c.out.last = true
	c.out.mu.Unlock()
}

// cleanUp forgets the connection. The session, if there is one, goes on.
func (c *conn) cleanUp() {
	c.abandon()
	c.srv.state.watches.Drop(c)
	c.srv.sessions.detach(c)
	c.srv.locals.detach(c)
	c.in.drop()
	c.srv.rounds.leave(c)
	c.srv.conns.remove(c)
}

// abandon closes the connection without another word. It may be called from
// any goroutine, any number of times.
func (c *conn) abandon() {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	c.cutLocked()
}

func (c *conn) cutLocked() {
	c.gone, c.out.dead = true, true
	c.out.forgetLocked()
	c.out.changed.Broadcast()
	_ = c.nc.Close() // what the client has not taken by now it will not get
}

// drop abandons the connection instead of answering its oldest request.
func (c *conn) drop() {
	c.abandon() // first: what is behind that request is not answered either
	c.settle()
}

// submit puts a request into the log. It returns false if the connection is
// ending.
func (c *conn) submit(op jute.Op, xid int32, body []byte) bool {
	var part int64
	if len(body) > longRequest {
		if part = c.take(&c.srv.memory.logged, int64(len(body)), c.waitsForLog); part == 0 {
			return false
		}
	}
	// Held until it is in: who has abandoned the connection knows that nothing
	// comes any more, and what a sync then waits for (attachLocal).
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	if c.gone {
		c.srv.memory.logged.add(-part)
		return false
	}
	if n := len(c.pending); n == cap(c.pending) && c.answered > n/2 {
		// A pipeline that never ends must not make the list ever longer.
		c.pending, c.answered = c.pending[:copy(c.pending, c.pending[c.answered:])], 0
	}
	now := c.srv.now()
	c.pending = append(c.pending, pendingReply{
		op: op, large: c.srv.throttle.large(len(body)), size: int32(len(body)), part: int32(part), at: now,
	})
	if c.attached {
		c.entry.Touch(now)
	}
	c.srv.memory.loggedBytes.Add(int64(len(body)))
	c.behind = true
	c.srv.outstanding.Add(1)
	c.srv.node.Submit(c, c.head.with(op, xid), body)
	return true
}

// idleLocked tells whether every request so far has been answered: who holds
// out.mu sees no parked read without the write before it.
func (c *conn) idleLocked() bool { return c.answered == len(c.pending) }

// waitsLocked tells whether it is this server that lets the client wait: for the
// log, or for memory that others have.
func (c *conn) waitsLocked() bool { return !c.gone && (!c.idleLocked() || c.kept.Load()) }

func (c *conn) waits() bool {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	return c.waitsLocked()
}

// impatient tells whether a client may not be answered after so long a time
// without contact to a leader.
func (c *conn) impatient(gap time.Duration) bool {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	return c.attached && gap > c.patience
}

// drain waits until every request so far has been answered. It returns false
// if the connection is ending.
func (c *conn) drain() bool {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	return c.drainLocked()
}

func (c *conn) drainLocked() bool {
	if !c.idleLocked() && !c.gone {
		for !c.idleLocked() && !c.gone {
			c.out.changed.Wait()
		}
		c.heardLocked() // it could not be, all the while
	}
	return !c.gone && !c.out.dead
}

// answer queues the reply of the oldest request in the log, and those of the
// reads parked behind it, which it counts. dirty tells whether the connection
// has to be handed to a flusher. The apply goroutine calls it and holds state.mu.
func (c *conn) answer(xid int32, zxid int64, frame []byte) (dirty bool, reads int) {
	defer c.srv.outstanding.Add(-1) // a shutdown waits for what is queued
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	p := c.popLocked()
	now := c.srv.now()
	latency := now - p.at
	c.srv.stats.answered(1, latency)
	c.stats.request(p.op, xid, zxid)
	c.stats.answered(1, latency)
	if c.closing {
		c.out.last = true
	}
	c.out.own += len(frame)
	if !mutant.Is(mutant.ParkedOrder) {
		dirty = c.queueLocked(frame)
	}
	if p.reads > 0 {
		c.answerParkedLocked(&p, now)
	}
	if mutant.Is(mutant.ParkedOrder) {
		dirty = c.queueLocked(frame)
	}
	if c.idleLocked() {
		c.unparkLocked()
	}
	return dirty, int(p.reads)
}

// settle takes the oldest request in the log off the list without a reply: it
// was the server's own.
func (c *conn) settle() {
	c.srv.outstanding.Add(-1)
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	c.popLocked()
	if c.idleLocked() {
		c.unparkLocked()
	}
}

// popLocked takes the oldest request in the log off the list.
func (c *conn) popLocked() pendingReply {
	p := c.pending[c.answered]
	c.srv.throttle.release(p.large)
	c.srv.memory.loggedBytes.Add(-int64(p.size))
	c.srv.memory.logged.add(-int64(p.part))
	if c.answered++; c.idleLocked() {
		c.pending, c.answered = c.pending[:0], 0
		c.out.changed.Broadcast()
	}
	return p
}

// queueEvent queues a notification, as answer does. The frame is never changed
// afterwards: many connections send the same.
func (c *conn) queueEvent(frame []byte) bool {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	c.stats.sent++
	c.srv.stats.sent.Add(1)
	if c.out.buf == nil && !c.out.dead && len(frame) < leastBuffer {
		c.out.buf = frame[:len(frame):len(frame)] // a copy once more is queued, see openLocked
		return c.dirtyLocked()
	}
	return c.queueLocked(frame)
}

func (c *conn) queueLocked(frame []byte) bool {
	if c.out.dead {
		return false
	}
	if len(c.out.buf)+len(frame)-c.out.own > c.shareLocked() {
		c.srv.log.Warn("client does not take its events, closing", "peer", c.peer, "session", hexID(c.session.ID), "queued", len(c.out.buf))
		c.cutLocked()
		return false
	}
	c.out.openLocked()
	c.out.buf = append(c.out.buf, frame...)
	c.out.countLocked()
	return c.dirtyLocked()
}

// dirtyLocked tells whether a flusher has to be told: once is enough.
func (c *conn) dirtyLocked() bool {
	was := c.dirty
	c.dirty = true
	return !was
}

// flushQueued is called by a flusher.
func (c *conn) flushQueued() {
	c.out.mu.Lock()
	c.dirty = false
	c.out.writeLocked(c.out.writeNow)
}

// closeAfterReply makes the reply that is about to be queued the last.
func (c *conn) closeAfterReply() {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	c.closing = true
}
