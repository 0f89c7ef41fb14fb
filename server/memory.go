package server

import (
	"math"
	"runtime/debug"
	"sync/atomic"
	"syscall"
	"time"
)

// memory bounds what all clients together have this server keep for them,
// beside what they have stored and watch: requests that are coming in or wait
// for the log, and replies and events that are on their way out.
//
// A connection has a small buffer for each direction in any case. What is longer
// counts here.
type memory struct {
	requests lane // long requests, from when their length is known until they are in the log
	logged   lane // long requests in the log and not applied
	replies  lane // what is queued for clients
	// heavy has an element while somebody makes a long reply: writes wait for
	// that, so it is one at a time.
	heavy chan struct{}
	// loggedBytes of all requests, long or not, are in the log and not applied.
	loggedBytes atomic.Int64
	stall       time.Duration // stallTime, or less in tests
}

const (
	// longRequest and longReply are what counts as more than ordinary.
	longRequest = readBuffer - 4
	longReply   = bulkReply
	// mostLogged is how many bytes of long requests may wait for the log at a
	// time, and from how many of all requests on a connection has no more than
	// one: a few batches, so that the log is never idle, and what others write
	// does not come behind a hundred megabytes.
	mostLogged = 4 << 20

	leastMemory, mostMemory = 16 << 20, 256 << 20

	// stallTime is how long a client may take for a piece of its reply or of its
	// request while others wait for the memory that this takes.
	stallTime = 5 * time.Second
)

// newMemory divides what the process may have: an eighth of it for replies and a
// sixteenth for requests, which take up several times their length on their way.
func newMemory() *memory {
	share := int64(mostMemory)
	if limit := debug.SetMemoryLimit(-1); limit != math.MaxInt64 {
		share = min(max(limit/8, leastMemory), mostMemory)
	}
	return &memory{
		requests: lane{limit: share / 2}, logged: lane{limit: mostLogged}, replies: lane{limit: share},
		heavy: make(chan struct{}, 1), stall: stallTime,
	}
}

// mostParked is what the replies to parked reads of a connection may come to,
// but for the last of them.
func (m *memory) mostParked() int {
	if m.replies.full() {
		return longReply
	}
	return int(min(maxParkedReplies, m.replies.limit/2))
}

// waitsForRequest, waitsForLog and waitsForReply are for the lanes: they tell
// whether the connection still waits, and look for who holds the memory without
// using it. What waits for the log no client holds.
func (c *conn) waitsForRequest(first bool) bool {
	if first {
		c.srv.sweep(&c.srv.memory.requests, "request", func(o *conn, since time.Duration) bool { return o.in.stalled(since) })
	}
	return c.waitsForRoom()
}

func (c *conn) waitsForLog(bool) bool { return c.waitsForRoom() }

func (c *conn) waitsForReply(first bool) bool {
	if first {
		c.srv.sweep(&c.srv.memory.replies, "reply", func(o *conn, since time.Duration) bool { return o.out.stalled(since) })
	}
	return c.waitsForRoom()
}

func (c *conn) waitsForRoom() bool {
	if c.left() {
		c.abandon()
		return false
	}
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	return !c.gone && !c.out.dead
}

// take waits for a part of a lane.
func (c *conn) take(l *lane, n int64, goOn func(first bool) bool) int64 {
	c.keep()
	defer c.letGo()
	return l.take(n, goOn)
}

// left tells whether the client has ended the connection. Who waits does not
// read, and would hear of it only when he has made a reply for nobody.
func (c *conn) left() bool {
	if c.out.raw == nil {
		return false
	}
	left := false
	err := c.out.raw.Control(func(fd uintptr) {
		var b [1]byte
		n, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		left = n == 0 && err == nil || err == syscall.ECONNRESET || err == syscall.EPIPE
		if code, err := syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_ERROR); err == nil && code != 0 {
			left = true // with requests in front of it
		}
	})
	return left || err != nil
}

// shareLocked is how many bytes may be queued for the connection that it has
// not asked for one by one: when all connections together have more queued than
// there is memory for, its part of that memory. Others that take their events
// need not suffer for those who do not.
func (c *conn) shareLocked() int {
	m := c.srv.memory
	if !m.replies.full() {
		return maxQueued
	}
	return int(max(m.replies.limit/int64(c.srv.conns.len()+1), longReply))
}

func (c *conn) now() time.Duration { return c.srv.now() }

// takeRequest implements lender.
func (c *conn) takeRequest(n int64) int64 {
	return c.take(&c.srv.memory.requests, n, c.waitsForRequest)
}

// giveRequest implements lender.
func (c *conn) giveRequest(n int64) { c.srv.memory.requests.add(-n) }

// sweep ends the connections that hold memory of l which others wait for and
// have not got on for long: half a request, or a reply that is not taken.
func (s *Server) sweep(l *lane, what string, stalled func(c *conn, since time.Duration) bool) {
	now := s.now()
	if last := l.swept.Load(); now-time.Duration(last) < time.Second || !l.swept.CompareAndSwap(last, int64(now)) {
		return
	}
	for _, c := range s.conns.list() {
		if stalled(c, now-s.memory.stall) {
			s.log.Warn("client holds memory that others wait for and does not get on, closing", "peer", c.peer, "with", what)
			c.abandon()
		}
	}
}
