package server

import (
	"encoding/binary"
	"math"
	"sync"
	"time"

	"zkd/proto/jute"
)

// parked are the reads of a connection that stand behind writes of its own
// which are still in the log. The connection goes on taking in requests; the
// apply goroutine answers a parked read right behind the write that it follows,
// before anything else is applied: it sees all of its session's earlier writes
// and none of the later ones, and so does whoever watches.
type parked struct {
	frames []byte // each with its length in front
	begin  int    // of the oldest frame
	count  int
}

// Parked reads are answered whether the client takes the replies or not. So
// there are only so many, and none while the client reads znodes so large that
// those many would be much.
const (
	maxParked = 128
	// fewParked is how many of a connection that has not read small things yet;
	// with each that was answered there may be one more.
	fewParked      = 8
	maxParkedBytes = 16 << 10
	// bulkReply is the reply after which the next bulkReads reads of the
	// connection are not parked.
	bulkReply = 32 << 10
	bulkReads = 4 * maxParked
	// maxParkedReplies bounds what the first of such reads may come to.
	maxParkedReplies = 64 << 20
)

var parkedPool = sync.Pool{New: func() any { return &parked{frames: make([]byte, 0, 1<<10)} }}

// parks tells which reads may be answered by the apply goroutine: those that
// cost little, or no more than the length of their reply.
func parks(op jute.Op) bool {
	switch op {
	case jute.OpExists, jute.OpGetData, jute.OpGetACL, jute.OpGetChildren, jute.OpGetChildren2, jute.OpPing,
		jute.OpCheckWatches, jute.OpRemoveWatches, jute.OpAddWatch, jute.OpWhoAmI:
		return true
	}
	return false
}

// park keeps a read until the writes before it are answered. It returns false
// if none is unanswered, or the read has to be waited for.
func (c *conn) park(op jute.Op, frame []byte, now time.Duration) bool {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	if c.idleLocked() {
		c.behind = false
		return false
	}
	if c.bulk > 0 || c.gone || !parks(op) || c.srv.memory.replies.full() {
		return false
	}
	if c.parked == nil {
		c.parked = parkedPool.Get().(*parked)
	}
	if c.parked.count >= fewParked+c.room || !c.parked.add(frame) {
		return false
	}
	p := &c.pending[len(c.pending)-1]
	if p.reads == 0 {
		p.readsAt = now
	}
	p.reads++
	return true
}

// add keeps a copy of a frame, if there is room.
func (q *parked) add(frame []byte) bool {
	need := 4 + len(frame)
	if len(q.frames)+need > maxParkedBytes && q.begin > 0 {
		q.frames = q.frames[:copy(q.frames, q.frames[q.begin:])]
		q.begin = 0
	}
	if q.count == maxParked || len(q.frames)+need > maxParkedBytes {
		return false
	}
	q.frames = append(jute.AppendInt32(q.frames, int32(len(frame))), frame...)
	q.count++
	return true
}

// next takes the oldest frame. It is valid until add.
func (q *parked) next() []byte {
	n := int(binary.BigEndian.Uint32(q.frames[q.begin:]))
	frame := q.frames[q.begin+4 : q.begin+4+n]
	q.begin += 4 + n
	q.count--
	return frame
}

// answerParkedLocked answers the reads behind a write that has just been
// answered. It is called by the apply goroutine, which holds state.mu.
func (c *conn) answerParkedLocked(p *pendingReply, now time.Duration) {
	if c.srv.gate.lapsed(now, c.patience) {
		c.cutLocked()
	}
	if c.gone || c.out.dead {
		return
	}
	for range p.reads {
		if c.out.own > c.srv.memory.mostParked() {
			c.srv.log.Warn("client asks for more at once than can be kept for it, closing",
				"peer", c.peer, "session", hexID(c.session.ID), "queued", len(c.out.buf))
			c.cutLocked()
			return
		}
		body := jute.NewReader(c.parked.next())
		xid, op := body.Int32(), jute.Op(body.Int32())
		at := len(c.out.buf)
		c.answerRead(xid, op, &body, math.MaxInt)
		c.out.own += len(c.out.buf) - at
		c.out.countLocked()
	}
	if c.bulk == 0 {
		c.room = min(c.room+int(p.reads), maxParked-fewParked)
	}
	latency := now - p.readsAt
	c.srv.stats.answered(int(p.reads), latency)
	c.stats.answered(int(p.reads), latency)
}

// drainParked waits until no read is parked: the connection is to end behind
// what it has been asked so far.
func (c *conn) drainParked() {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	if c.parked != nil {
		c.drainLocked()
	}
}

// unparkLocked gives the memory of parked reads back when there are none.
func (c *conn) unparkLocked() {
	if q := c.parked; q != nil {
		c.parked = nil
		q.frames, q.begin, q.count = q.frames[:0], 0, 0
		parkedPool.Put(q)
	}
}
