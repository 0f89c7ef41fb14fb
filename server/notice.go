package server

import (
	"sync/atomic"
	"time"
)

// noticeEvery is the least time between two messages of a kind: clients can give
// reason for any number of them.
const noticeEvery = time.Minute

// notice is a kind of message. Any goroutine may log it.
type notice struct{ told atomic.Int64 } // on the server's clock, 0: never

// due tells whether it is to be logged now, which counts as done.
func (n *notice) due(now time.Duration) bool {
	last := n.told.Load()
	return (last == 0 || now-time.Duration(last) >= noticeEvery) && n.told.CompareAndSwap(last, max(int64(now), 1))
}
