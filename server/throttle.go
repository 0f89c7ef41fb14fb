package server

import (
	"sync"
	"sync/atomic"
	"time"

	"zkd/conf"
)

// throttle holds the limits that are shared by all connections.
type throttle struct {
	cfg        *conf.Config
	largeBytes atomic.Int64 // of large requests in flight

	mu     sync.Mutex
	tokens int
	filled time.Duration
}

func newThrottle(cfg *conf.Config) *throttle {
	return &throttle{cfg: cfg, tokens: cfg.ConnectionThrottleTokens}
}

// admit takes a token for a new session, if connections are throttled
// (BlueThrottle). It returns false if there is none.
func (t *throttle) admit(now time.Duration) bool {
	if t.cfg.ConnectionThrottleTokens <= 0 {
		return true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	every := time.Duration(max(t.cfg.ConnectionThrottleFillTime, 1)) * time.Millisecond
	if n := (now - t.filled) / every; n > 0 {
		t.filled += n * every
		t.tokens = min(t.cfg.ConnectionThrottleTokens, t.tokens+int(n)*t.cfg.ConnectionThrottleFillCount)
	}
	if t.tokens == 0 {
		return false
	}
	t.tokens--
	return true
}

// large counts a request in flight, if it is so long that it counts, and
// returns its length then.
func (t *throttle) large(size int) int32 {
	if t.cfg.LargeRequestThreshold <= 0 || int64(size) <= t.cfg.LargeRequestThreshold {
		return 0
	}
	t.largeBytes.Add(int64(size))
	return int32(size)
}

func (t *throttle) release(large int32) {
	if large > 0 {
		t.largeBytes.Add(-int64(large))
	}
}

// tooMuch tells whether one more request of that size would be more than all
// large requests together may take.
func (t *throttle) tooMuch(size int) bool {
	return t.cfg.LargeRequestThreshold > 0 && int64(size) > t.cfg.LargeRequestThreshold &&
		t.cfg.LargeRequestMaxBytes > 0 && t.largeBytes.Load()+int64(size) > t.cfg.LargeRequestMaxBytes
}

// turn is whether a request may go on.
type turn uint8

const (
	turnNow turn = iota
	turnLate
	turnNever
)

// waitTurn holds a connection back while the server has more requests
// outstanding than it is configured for (ZooKeeperServer.shouldThrottle): one
// that has unanswered requests waits for them, and its socket is not read
// meanwhile. Nothing is refused, unless it has waited longer than is allowed.
func (c *conn) waitTurn(size int) turn {
	s := c.srv
	if s.throttle.tooMuch(size) {
		s.log.Warn("too many large requests outstanding, closing", "peer", c.peer, "bytes", size)
		c.drainParked()
		c.endAfterReplies()
		return turnNever
	}
	n := int(s.outstanding.Load())
	if s.memory.loggedBytes.Load() < mostLogged && n < s.cfg.GlobalOutstandingLimit && (s.cfg.RequestThrottleMaxRequests <= 0 || n < s.cfg.RequestThrottleMaxRequests) {
		return turnNow
	}
	began := s.now()
	c.out.flush()
	if !c.drain() {
		return turnNever
	}
	if limit := s.cfg.ThrottledOpWaitTime; limit > 0 && s.now()-began > limit {
		s.stats.throttled.Add(1)
		return turnLate
	}
	return turnNow
}
