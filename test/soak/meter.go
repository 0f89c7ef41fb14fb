package soak

import (
	"math/bits"
	"sync"
	"time"
)

// Second is what clients had in a second of the run.
type Second struct {
	Count         int
	P50, P99, Max time.Duration
}

// meter takes the latencies of one sort of request and keeps a line for each second, and a histogram of all. Its memory
// is a few bytes a second. Safe for concurrent use.
type meter struct {
	mu      sync.Mutex
	current int
	within  latencies // of the current second
	all     latencies
	seconds []Second
}

// note counts an answer that came at a time of the run. Answers of one second come in any order; one of a second that
// is past counts for the current one.
func (m *meter) note(at, took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.advance(int(at / time.Second))
	m.within.note(took)
	m.all.note(took)
}

func (m *meter) advance(second int) {
	for ; m.current < second; m.current++ {
		m.seconds = append(m.seconds, m.within.second())
		m.within = latencies{}
	}
}

// until is all seconds before a time, and the histogram.
func (m *meter) until(now time.Duration) ([]Second, latencies) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.advance(int(now / time.Second))
	return append([]Second(nil), m.seconds...), m.all
}

// latencies is a histogram with 32 buckets for each power of two of microseconds: what it tells is within 1/32.
type latencies struct {
	count   int
	max     time.Duration
	buckets [32 * 32]uint32
}

func bucketOf(d time.Duration) int {
	us := uint64(max(d.Microseconds(), 0))
	if us < 32 {
		return int(us)
	}
	shift := bits.Len64(us) - 6
	return min((shift+1)*32+int(us>>shift)-32, 32*32-1)
}

func valueOf(bucket int) time.Duration {
	if bucket < 64 {
		return time.Duration(bucket) * time.Microsecond
	}
	shift := bucket/32 - 1
	return time.Duration((bucket%32+32)<<shift) * time.Microsecond
}

func (l *latencies) note(took time.Duration) {
	l.count++
	l.max = max(l.max, took)
	l.buckets[bucketOf(took)]++
}

// quantile is the latency that a part of all do not exceed, 0 when there are none.
func (l *latencies) quantile(part float64) time.Duration {
	left := int(part * float64(l.count))
	for i, n := range l.buckets {
		if left -= int(n); left < 0 {
			return min(valueOf(i), l.max)
		}
	}
	return l.max
}

func (l *latencies) second() Second {
	if l.count == 0 {
		return Second{}
	}
	return Second{Count: l.count, P50: l.quantile(0.5), P99: l.quantile(0.99), Max: l.max}
}
