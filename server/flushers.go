package server

import (
	"runtime"
	"sync"
)

// flushers send what the apply goroutine has queued, so that it does not
// spend its time in system calls. None of them ever waits for a client.
type flushers struct {
	queue chan *batch
	n     int // of them
	done  sync.WaitGroup
}

// batch is a row of connections that have something to be sent. They are handed
// over together: to wake a flusher for each would cost as much as to send.
type batch struct {
	conns [flushBatch]*conn
	n     int
}

const (
	flushBatch = 64
	// flushQueue is how many batches may wait for a flusher. When there are
	// more, applying waits for the flushers, not for any client.
	flushQueue = 256
)

var batches = sync.Pool{New: func() any { return new(batch) }}

func (f *flushers) start() {
	f.queue = make(chan *batch, flushQueue)
	f.n = runtime.GOMAXPROCS(0)
	for range f.n {
		f.done.Add(1)
		go func() {
			defer f.done.Done()
			for b := range f.queue {
				b.flush()
			}
		}()
	}
}

func (b *batch) flush() {
	for i, c := range b.conns[:b.n] {
		c.flushQueued()
		b.conns[i] = nil
	}
	b.n = 0
	batches.Put(b)
}

// add hands connections over, in batches small enough for every processor to
// get one. A server that only recovers has no flushers, and no connections.
func (f *flushers) add(conns []*conn) {
	if len(conns) == 0 {
		return
	}
	size := min((len(conns)+f.n-1)/f.n, flushBatch)
	for len(conns) > 0 {
		b := batches.Get().(*batch)
		b.n = copy(b.conns[:size], conns)
		conns = conns[b.n:]
		f.queue <- b
	}
}

// share is how many connections give every flusher a whole batch.
func (f *flushers) share() int { return f.n * flushBatch }

func (f *flushers) stop() {
	close(f.queue)
	f.done.Wait()
}
