package server

import (
	"sync"
	"sync/atomic"
	"time"
)

// lane is an amount of memory that connections take parts of: who came first
// gets his part first, and waits until there is room. Nobody is refused, so an
// overload makes those wait who cause it, and only them: what is as small as
// most requests and replies are takes no part of any lane.
type lane struct {
	limit int64
	used  atomic.Int64 // changed under mu
	swept atomic.Int64 // when sweep last looked, on the server's clock

	mu    sync.Mutex
	queue []*place // waiting, oldest first
}

type place struct {
	n     int64
	ready chan struct{} // closed when the part is his
}

// laneCheck is how often somebody who waits sees whether he still has to.
const laneCheck = 100 * time.Millisecond

// take waits for a part of n bytes and returns how many it is: no part is
// longer than half of the lane, so that whatever is allowed fits. While it waits
// it calls goOn at intervals, and gives up, with 0, when that returns false.
func (l *lane) take(n int64, goOn func(first bool) bool) int64 {
	n = max(min(n, l.limit/2), 1)
	l.mu.Lock()
	if len(l.queue) == 0 && l.used.Load()+n <= l.limit {
		l.used.Add(n)
		l.mu.Unlock()
		return n
	}
	p := &place{n, make(chan struct{})}
	l.queue = append(l.queue, p)
	l.mu.Unlock()
	tick := time.NewTicker(laneCheck)
	defer tick.Stop()
	for {
		select {
		case <-p.ready:
			return n
		case <-tick.C:
		}
		if !goOn(l.first(p)) {
			l.leave(p)
			return 0
		}
	}
}

// add takes n bytes without waiting, also more than there is room for, or gives
// them back if n is negative.
func (l *lane) add(n int64) {
	if n == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.used.Add(n)
	l.serveLocked()
}

// serveLocked gives parts to those who wait, as far as there is room.
func (l *lane) serveLocked() {
	for len(l.queue) > 0 && l.used.Load()+l.queue[0].n <= l.limit {
		p := l.queue[0]
		l.queue[0] = nil
		l.queue = l.queue[1:]
		l.used.Add(p.n)
		close(p.ready)
	}
}

func (l *lane) first(p *place) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.queue) > 0 && l.queue[0] == p
}

// leave gives up the place, or the part if it was just given.
func (l *lane) leave(p *place) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, q := range l.queue {
		if q == p {
			l.queue = append(l.queue[:i], l.queue[i+1:]...)
			l.serveLocked()
			return
		}
	}
	l.used.Add(-p.n)
	l.serveLocked()
}

// full tells whether more is used than there is.
func (l *lane) full() bool { return l.used.Load() > l.limit }
