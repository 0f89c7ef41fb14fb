package server

import (
	"math"
	"time"

	"zkd/internal/mutant"
	"zkd/proto/jute"
)

// kind is what becomes of a request.
type kind uint8

const (
	unknown kind = iota
	read         // answered from this server's state
	logged       // goes through the log
	auth         // about the connection itself
	closing
)

// kindOf sorts the requests that a client may send. What ZooKeeper's servers
// use among themselves (createSession, deleteContainer) and a check outside a
// multi are as unknown as a number never given out.
func kindOf(op jute.Op) kind {
	switch op {
	case jute.OpExists, jute.OpGetData, jute.OpGetACL, jute.OpGetChildren, jute.OpGetChildren2, jute.OpPing,
		jute.OpMultiRead, jute.OpCheckWatches, jute.OpRemoveWatches, jute.OpAddWatch, jute.OpSetWatches,
		jute.OpSetWatches2, jute.OpGetEphemerals, jute.OpGetAllChildrenNumber, jute.OpWhoAmI:
		return read
	case jute.OpCreate, jute.OpCreate2, jute.OpCreateContainer, jute.OpCreateTTL, jute.OpDelete, jute.OpSetData,
		jute.OpSetACL, jute.OpMulti, jute.OpReconfig, jute.OpSync:
		return logged
	case jute.OpAuth, jute.OpSASL:
		return auth
	case jute.OpCloseSession:
		return closing
	}
	return unknown
}

// run is a row of reads that are answered under one hold of the locks.
type run struct {
	c      *conn
	held   bool
	count  int
	began  time.Duration
	before int // length of the queue when it began
}

const (
	maxRun      = 64
	maxRunBytes = 128 << 10
)

// begin takes the locks in their order: state, then outbox. The state cannot
// move before what was read is queued, so an event never comes after a reply
// that shows its change. It returns false if the connection is ending.
func (r *run) begin() bool {
	if r.held {
		return true
	}
	c := r.c
	c.srv.state.mu.RLock()
	c.out.mu.Lock()
	if c.gone || c.out.dead { // what is answered now would only pile up
		c.out.mu.Unlock()
		c.srv.state.mu.RUnlock()
		return false
	}
	c.out.openLocked()
	r.held, r.count, r.before = true, 0, len(c.out.buf)
	c.warmReads()
	return true
}

func (r *run) end() {
	if !r.held {
		return
	}
	c := r.c
	c.out.own += len(c.out.buf) - r.before
	latency := c.srv.now() - r.began
	c.stats.answered(r.count, latency)
	c.out.mu.Unlock()
	c.srv.state.mu.RUnlock()
	c.srv.stats.answered(r.count, latency)
	r.held = false
}

// full tells that others should get a turn, or the client its replies.
func (r *run) full() bool {
	return r.held && (r.count >= maxRun || len(r.c.out.buf) > r.c.out.most())
}

// long answers a read whose reply is long: by itself, since nobody can write
// meanwhile, when what is before it has been sent, and when there is memory for
// it. It returns false if the connection is ending.
func (r *run) long(frame []byte, need int) bool {
	r.end()
	c, m := r.c, r.c.srv.memory
	c.out.flush()
	part := c.take(&m.replies, int64(need), c.waitsForReply)
	if part == 0 {
		return false
	}
	c.keep()
	m.heavy <- struct{}{}
	c.letGo()
	ok := c.resume() && r.begin()
	if ok {
		r.count++
		body := jute.NewReader(frame)
		xid, op := body.Int32(), jute.Op(body.Int32())
		c.answerRead(xid, op, &body, math.MaxInt)
		c.out.countLocked()
		r.end()
	}
	<-m.heavy
	m.replies.add(-part)
	if ok {
		c.out.flush()
	}
	return ok && c.resume()
}

// process handles the requests that have arrived whole. It returns false if
// the connection is to end.
func (c *conn) process() bool {
	r := run{c: c, began: c.srv.now()}
	if c.lapsed(r.began) {
		return false
	}
	defer r.end()
	touched := false
	for {
		frame, err := c.in.next()
		if err != nil || frame != nil && len(frame) < jute.HeaderSize {
			r.end()
			c.drainParked()
			c.endAfterReplies()
			return false
		}
		if frame == nil {
			arriving := c.in.begin < c.in.end
			if arriving && !touched {
				c.entry.Touch(r.began)
			}
			c.arriving.Store(arriving)
			return true
		}
		body := jute.NewReader(frame)
		xid, op := body.Int32(), jute.Op(body.Int32())
		k := kindOf(op)
		if !touched && k != auth && k != unknown {
			// Whatever waits behind a slow disk, the client was heard from.
			c.entry.Touch(r.began)
			touched = true
		}
		if mutant.Is(mutant.SyncLog) && op == jute.OpSync {
			k = read
		}
		if mutant.Is(mutant.OwnWrites) {
			c.behind = false
		}
		if k == read && c.lawful() {
			if c.behind && c.park(op, frame, r.began) {
				c.srv.stats.received.Add(1)
				continue
			}
			if c.behind {
				c.out.flush() // what is before the write does not wait for it
				if !c.drain() || !c.resume() {
					return false
				}
				c.behind = false
			}
			if r.held && r.full() {
				r.end()
				c.out.flush()
				if !c.resume() { // a slow client may have taken its time
					return false
				}
			}
			if !r.held && op != jute.OpPing {
				c.srv.node.AwaitKnown()
			}
			if !r.begin() {
				return false
			}
			c.srv.stats.received.Add(1)
			r.count++
			if need := c.answerRead(xid, op, &body, longReply); need > 0 {
				r.count--
				if !r.long(frame, need) {
					return false
				}
			}
			continue
		}
		r.end()
		c.srv.stats.received.Add(1)
		if !c.handle(k, xid, op, &body) {
			return false
		}
	}
}

// resume notes, after what may have taken long, that the next request is taken up
// now. It returns false if this server may not answer it any more.
func (c *conn) resume() bool { return c.resumeAt(c.srv.now()) }

func (c *conn) resumeAt(now time.Duration) bool {
	if c.lapsed(now) {
		return false
	}
	c.entry.Touch(now)
	return true
}

// lapsed ends a connection that this server may not answer any more.
func (c *conn) lapsed(now time.Duration) bool {
	if !c.srv.gate.lapsed(now, c.patience) {
		return false
	}
	c.abandon()
	return true
}

// handle deals with everything but reads.
func (c *conn) handle(k kind, xid int32, op jute.Op, body *jute.Reader) bool {
	switch {
	case k == auth:
		return c.authenticate(xid, op, body)
	case !c.lawful():
		return c.lastReply(xid, 0, jute.ErrSessionClosedAuth)
	case c.readOnly:
		return c.handleReadOnly(k, xid, op)
	case k == unknown:
		return c.lastReply(xid, -1, jute.ErrUnimplemented)
	}
	if !c.srv.serving.Load() {
		return false // what is in the log already gets its answer
	}
	rest := body.Rest()
	if k == closing {
		rest = nil
	}
	switch c.waitTurn(len(rest)) {
	case turnNever:
		return false
	case turnLate:
		return c.reply(xid, 0, jute.ErrThrottledOp)
	}
	if c.local() {
		switch {
		case k == closing:
			return c.closeLocal(xid)
		case c.srv.cfg.LocalSessionsUpgrading && wantsEphemeral(op, rest) && !c.upgrade():
			return false
		}
	}
	if op == jute.OpReconfig {
		// Its reply comes long after it was applied: what is behind it must not
		// be applied, and answered, before.
		c.out.flush()
		return c.submit(op, xid, rest) && c.drain()
	}
	if mutant.Is(mutant.Committed) && op == jute.OpDelete && c.foretell(xid, rest) {
		return true
	}
	return c.submit(op, xid, rest) && k != closing
}

// foretell answers a delete when it is proposed. Only a mutant does that.
func (c *conn) foretell(xid int32, body []byte) bool {
	r := jute.NewReader(body)
	path := jute.DecodePathVersion(&r).Path
	c.srv.state.mu.RLock()
	stat, exists := c.srv.state.tree.Stat(path)
	zxid := c.srv.state.zxid
	c.srv.state.mu.RUnlock()
	if !exists || stat.NumChildren > 0 {
		return false
	}
	c.srv.node.Submit(nil, c.head.with(jute.OpDelete, xid), body)
	return c.reply(xid, zxid+1, jute.OK)
}

// reply queues a reply without a body, behind those of earlier requests.
func (c *conn) reply(xid int32, zxid int64, code jute.Code) bool {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	if !c.drainLocked() {
		return false
	}
	start := len(c.out.buf)
	c.out.buf = jute.EndReply(jute.BeginReply(c.out.buf, xid, zxid, code), start)
	c.srv.stats.answered(1, 0)
	c.stats.answered(1, 0)
	return true
}

// lastReply queues a reply and ends the connection behind it.
func (c *conn) lastReply(xid int32, zxid int64, code jute.Code) bool {
	c.reply(xid, zxid, code)
	c.endAfterReplies()
	return false
}
