package server

import (
	"runtime"
	"sync"
)

// flushers send what the apply goroutine has queued, so that it does not
// spend its time in system calls. None of them ever waits for a client.
type flushers struct {
	queue chan *conn
	done  sync.WaitGroup
}

// flushQueue is how many connections may wait for a flusher. When there are
// more, applying waits for the flushers, not for any client.
const flushQueue = 1024

func (f *flushers) start() {
	f.queue = make(chan *conn, flushQueue)
	for range runtime.GOMAXPROCS(0) {
		f.done.Add(1)
		go func() {
			defer f.done.Done()
			for c := range f.queue {
				c.flushQueued()
			}
		}()
	}
}

func (f *flushers) add(c *conn) { f.queue <- c }

func (f *flushers) stop() {
	close(f.queue)
	f.done.Wait()
}
