package server

import (
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// outbox is the one ordered queue of bytes on their way to a client: replies
// from the connection's own goroutine, replies and events from the apply
// goroutine. Whoever flushes writes what everybody has queued.
type outbox struct {
	nc  net.Conn
	raw syscall.RawConn // nil where the bytes cannot go straight to a socket

	ended  func()      // called before the client sees the end
	blocks func()      // called when something has to wait for the client
	took   func()      // called when the client has taken something that had to wait
	counts func() bool // whether the kernel counts what the client takes

	mu      sync.Mutex
	changed sync.Cond // on mu; also for what conn guards with it
	buf     []byte    // queued, not yet being written
	own     int       // bytes of buf that the client has asked for: replies, not events
	writing bool      // somebody is writing and will look at buf again
	sending int       // length of what is being written
	held    int64     // part of lane that buf and sending take
	last    bool      // end the connection once buf is written
	dead    bool      // nothing will be written any more

	lane  *lane // what all connections together may have queued; nil: any amount
	clock func() time.Duration
	moved atomic.Int64 // when the client last took something of what is being written, 0: nothing is

	// Of whoever has set writing, for one system call (writeSome).
	take  func(fd uintptr) bool // takeNow, made once
	offer []byte
	taken int
	err   error
}

// lingerTime is how long a client has to take the last reply and close. A
// socket closed at once, with requests in it that nobody read, would be reset,
// and the reply lost.
const lingerTime = 500 * time.Millisecond

// maxQueued bounds what may wait for a client that does not read. Its own
// replies cannot get there, since its requests are not read while a reply
// cannot be written; only events and the replies of what it has outstanding
// can.
const maxQueued = 16 << 20

// Buffers from leastBuffer to keepBuffer are kept for the next replies.
const (
	leastBuffer = 4 << 10
	keepBuffer  = 16 << 10
)

// openLocked makes buf a buffer of its own to append to. It may be a frame that
// others are sending too (queueEvent), which is shorter than any buffer.
func (o *outbox) openLocked() {
	if cap(o.buf) < leastBuffer {
		o.buf = append(getBuffer(), o.buf...)
	}
}

// add queues bytes for the next flush.
func (o *outbox) add(b string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.buf = append(o.buf, b...)
}

// flush writes what is queued, blocking the caller if the socket does. It is
// for the connection's own goroutine.
func (o *outbox) flush() {
	o.mu.Lock()
	// While somebody else writes to a slow client, its own goroutine must not
	// go on and make ever more replies.
	for o.writing && !o.dead && len(o.buf) > o.most() {
		o.changed.Wait()
	}
	o.writeLocked(o.writeAll)
}

// tryFlush writes what the socket takes at once. If that is not all, a
// goroutine of its own writes the rest: a slow client delays nobody else.
func (o *outbox) tryFlush() {
	o.mu.Lock()
	o.writeLocked(o.writeNow)
}

// writeLocked writes what is queued unless somebody does already. It releases mu.
func (o *outbox) writeLocked(send func([]byte) (handedOver bool, err error)) {
	if o.writing || o.dead {
		o.mu.Unlock()
		return
	}
	o.writing = true
	o.drainLocked(send)
}

// drainLocked writes until nothing is queued. It is called with mu held and
// writing set, and returns with mu released.
func (o *outbox) drainLocked(send func([]byte) (bool, error)) {
	for len(o.buf) > 0 && !o.dead {
		b := o.buf
		o.buf, o.own, o.sending = nil, 0, cap(b)
		o.mu.Unlock()
		handedOver, err := send(b)
		if handedOver {
			return // the other goroutine goes on with writing set
		}
		putBuffer(b)
		o.mu.Lock()
		o.sending = 0
		o.countLocked()
		if err != nil {
			o.dead = true
		}
		o.changed.Broadcast()
	}
	if o.dead || cap(o.buf) > 0 && len(o.buf) == 0 {
		putBuffer(o.buf)
		o.buf = nil
	}
	o.countLocked()
	o.writing = false
	last, dead := o.last, o.dead
	o.dead = o.dead || o.last
	o.mu.Unlock()
	// Either way the connection's goroutine wakes up and cleans up.
	if dead {
		_ = o.nc.Close()
	} else if last {
		o.ended()
		o.closeWrite()
	}
}

// closeWrite tells the client that nothing more will come.
func (o *outbox) closeWrite() {
	w, ok := o.nc.(interface{ CloseWrite() error })
	if !ok || w.CloseWrite() != nil || o.nc.SetReadDeadline(time.Now().Add(lingerTime)) != nil {
		_ = o.nc.Close()
	}
}

// writeAll waits until the socket has taken everything.
func (o *outbox) writeAll(b []byte) (bool, error) {
	n, err := o.writeSome(b)
	if err == nil && n < len(b) {
		err = o.writeRest(b[n:])
	}
	return false, err
}

// writeNow leaves what the socket does not take at once to a goroutine.
func (o *outbox) writeNow(b []byte) (bool, error) {
	n, err := o.writeSome(b)
	if err == nil && n < len(b) {
		go o.finish(b, b[n:])
		return true, nil
	}
	return false, err
}

// piece is how much has to be taken or sent by a client within stallTime, if
// others wait for the memory.
const piece = 256 << 10

// smallPiece is a piece where the kernel does not count what a client takes
// (progress.Meter): that is seen by how much can be written.
const smallPiece = 16 << 10

// leastWait is how long a write takes at least that has waited for the client.
const leastWait = 10 * time.Millisecond

// writeRest waits until the socket has taken everything.
func (o *outbox) writeRest(b []byte) error {
	defer o.moved.Store(0)
	o.mu.Lock()
	o.countLocked() // it is kept for as long as the client likes
	o.mu.Unlock()
	most := piece
	if !o.counts() {
		most = smallPiece
	}
	begun := max(o.clock(), 1)
	o.moved.Store(int64(begun))
	o.blocks()
	for done := 0; len(b) > 0; {
		n := min(len(b), most)
		if _, err := o.nc.Write(b[:n]); err != nil {
			return err
		}
		b = b[n:]
		now := o.clock()
		if now-begun >= leastWait {
			o.took()
		}
		begun = now
		if done += n; done >= piece {
			done = 0
			o.moved.Store(int64(now))
		}
	}
	return nil
}

// stalled tells whether the client keeps much waiting and has taken little of
// it since then. Any goroutine may ask.
func (o *outbox) stalled(since time.Duration) bool {
	moved := o.moved.Load()
	if moved == 0 || time.Duration(moved) >= since {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.held > 0
}

// most is how long the queue may get before the client has to take of it: no
// more than counts, while there is no memory for more.
func (o *outbox) most() int {
	if o.lane != nil && o.lane.full() {
		return longReply / 2
	}
	return maxRunBytes
}

// countLocked takes part of the lane for what is queued, or gives it back.
func (o *outbox) countLocked() {
	held := int64(cap(o.buf) + o.sending)
	if held <= longReply || o.lane == nil {
		held = 0
	}
	o.lane.add(held - o.held)
	o.held = held
}

// forgetLocked lets go of what is queued and will not be sent.
func (o *outbox) forgetLocked() {
	o.buf, o.own = nil, 0
	o.countLocked()
}

// writeSome writes what the socket takes at once. It is for whoever has set
// writing.
func (o *outbox) writeSome(b []byte) (int, error) {
	if o.raw == nil {
		return 0, nil
	}
	if o.take == nil {
		o.take = o.takeNow
	}
	o.offer = b
	err := o.raw.Write(o.take)
	n := o.taken
	if err == nil && o.err != syscall.EAGAIN {
		err = o.err
	}
	o.offer, o.taken, o.err = nil, 0, nil
	return n, err
}

// takeNow is called by the runtime, once.
func (o *outbox) takeNow(fd uintptr) bool {
	o.taken, o.err = writeSocket(fd, o.offer)
	return true
}

// finish writes the rest of b and whatever was queued since. It ends when the
// client has taken it or the connection is closed.
func (o *outbox) finish(b, rest []byte) {
	err := o.writeRest(rest)
	putBuffer(b)
	o.mu.Lock()
	o.sending = 0
	if err != nil {
		o.dead = true
	}
	o.drainLocked(o.writeAll)
}

// buffers keeps write buffers, so that an idle connection holds none.
var buffers bufferPool

func getBuffer() []byte {
	if b := buffers.get(); b != nil {
		return b
	}
	return make([]byte, 0, leastBuffer)
}

// putBuffer keeps a buffer unless it is so long that memory would be wasted, or
// so short that it is none of these: an event that others send too (queueEvent).
func putBuffer(b []byte) {
	if cap(b) >= leastBuffer && cap(b) <= keepBuffer {
		buffers.put(b[:0])
	}
}

// bufferPool keeps slices in a sync.Pool, which takes pointers: those are kept,
// too, so that putting a slice back allocates nothing.
type bufferPool struct{ full, empty sync.Pool }

// get returns nil if there is none.
func (p *bufferPool) get() []byte {
	at, ok := p.full.Get().(*[]byte)
	if !ok {
		return nil
	}
	b := *at
	*at = nil
	p.empty.Put(at)
	return b
}

func (p *bufferPool) put(b []byte) {
	at, ok := p.empty.Get().(*[]byte)
	if !ok {
		at = new([]byte)
	}
	*at = b
	p.full.Put(at)
}
