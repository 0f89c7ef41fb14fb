package server

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"zkd/proto/jute"
)

// serverStats are the counters behind srvr, stat and mntr (ServerStats).
type serverStats struct {
	received, sent atomic.Int64 // packets
	latency        latency

	connects, rejected, dropped, sessionless atomic.Int64
	expired, authFailed, throttled           atomic.Int64
}

// latency sums up how long requests took, in ms as ZooKeeper does.
type latency struct {
	mu           sync.Mutex
	count, sum   int64
	minMs, maxMs int64
}

func (s *serverStats) answered(n int, took time.Duration) {
	if n == 0 {
		return
	}
	s.sent.Add(int64(n))
	s.latency.add(n, took.Milliseconds())
}

func (l *latency) add(n int, ms int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.count == 0 {
		l.minMs = ms
	}
	l.count += int64(n)
	l.sum += int64(n) * ms
	l.minMs, l.maxMs = min(l.minMs, ms), max(l.maxMs, ms)
}

func (l *latency) figures() (minMs int64, avg float64, maxMs int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.count > 0 {
		avg = math.Round(float64(l.sum)/float64(l.count)*1e4) / 1e4
	}
	return l.minMs, avg, l.maxMs
}

func (l *latency) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count, l.sum, l.minMs, l.maxMs = 0, 0, 0, 0
}

// connStats are the counters of one connection, shown by cons. The
// connection's out.mu guards them.
type connStats struct {
	received, sent     int64
	lastOp             jute.Op
	lastXid            int32
	lastZxid           int64
	lastReply          time.Duration // on the server's clock
	count, sum         int64
	last, minMs, maxMs int64
}

func (s *connStats) reset() { *s = connStats{lastZxid: -1, lastXid: -1, minMs: math.MaxInt64} }

// request notes what the next reply answers.
func (s *connStats) request(op jute.Op, xid int32, zxid int64) {
	s.received++
	s.lastOp, s.lastXid, s.lastZxid = op, xid, zxid
}

func (s *connStats) answered(n int, took time.Duration) {
	if n == 0 {
		return
	}
	ms := took.Milliseconds()
	s.sent += int64(n)
	s.count += int64(n)
	s.sum += int64(n) * ms
	s.last, s.minMs, s.maxMs = ms, min(s.minMs, ms), max(s.maxMs, ms)
}

func (s *connStats) average() int64 {
	if s.count == 0 {
		return 0
	}
	return s.sum / s.count
}

func (s *connStats) least() int64 {
	if s.count == 0 {
		return 0
	}
	return s.minMs
}
