package consensus

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
)

// A batch, the data of one raft entry, big-endian:
//
//	u8   format 1
//	u64  origin: id of the server whose clients asked
//	u64  incarnation of that server's process
//	u64  seq of the first request; they count on by one
//	i64  time, ms since the epoch, decided by the leader
//	u16  length, preamble, decided by the leader
//	then for each request: u32 length, bytes
//
// A request of length 0 is a sync: it changes nothing, and who waits for it
// knows that everything before it is applied.
const (
	batchFormat = 1
	batchHeader = 1 + 8 + 8 + 8 + 8 + 2
)

const (
	// maxInFlight batches of a server are sent and not yet applied; what comes
	// in meanwhile makes the next one larger.
	maxInFlight = 2
	// batchTarget is where a batch is closed even though the next request
	// waits; one request longer than that still makes a batch.
	batchTarget = 1 << 20
)

// Waiter is who submitted a request and is to get its result; the node only
// carries it.
type Waiter any

// stream numbers this server's requests and gathers them into batches, which
// it keeps until they are applied here: whoever leads then may need them again.
type stream struct {
	origin   uint64
	preamble []byte
	// incarnation of this process; 0 until requests may leave it.
	incarnation atomic.Uint64

	mu      sync.Mutex
	seq     uint64   // of the last request submitted
	filling *batch   // what Submit adds to, nil if there is nothing
	queue   []*batch // closed and not applied, oldest first
	sent    int      // how many of queue the current leader has been given
	waiters []Waiter // of all requests submitted and not applied, oldest first
	applied uint64   // seq before that of waiters[0]
	closed  bool
	wake    chan struct{} // has one element when there may be something to send

	requests atomic.Int64
	entries  atomic.Int64
}

type batch struct {
	data        []byte
	first, last uint64 // seq
	entered     bool   // data is in this server's raft log, and not to be changed
}

func (s *stream) init(origin uint64, preamble []byte) {
	s.origin, s.preamble = origin, preamble
	s.wake = make(chan struct{}, 1)
}

// begin opens the stream: no request was sent before. It does nothing the
// second time, since the requests go on counting under the same incarnation.
func (s *stream) begin(incarnation uint64) {
	if s.incarnation.CompareAndSwap(0, incarnation) {
		s.signal()
	}
}

// Submit puts one request, head followed by body, into the log. It does not
// wait. The state machine gets it together with w; if the node fails first, w
// never hears of it. Requests are applied in the order of Submit.
func (n *Node) Submit(w Waiter, head, body []byte) { n.stream.submit(w, head, body) }

func (s *stream) submit(w Waiter, head, body []byte) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.seq++
	b := s.filling
	if b != nil && len(b.data)+len(head)+len(body) > batchTarget {
		s.queue = append(s.queue, b)
		b = nil
	}
	if b == nil {
		b = &batch{data: s.header(make([]byte, 0, s.sizeHint(len(head)+len(body)))), first: s.seq}
		s.filling = b
	}
	b.last = s.seq
	b.data = binary.BigEndian.AppendUint32(b.data, uint32(len(head)+len(body)))
	b.data = append(append(b.data, head...), body...)
	s.waiters = append(s.waiters, w)
	s.mu.Unlock()
	s.signal()
}

// sizeHint is how much memory a new batch begins with: as much as the one
// before has come to, since load changes slowly.
func (s *stream) sizeHint(request int) int {
	size := 512
	if n := len(s.queue); n > 0 {
		size = len(s.queue[n-1].data)
	}
	return max(min(size+size/4, batchTarget), batchHeader+len(s.preamble)+4+request)
}

func (s *stream) header(dst []byte) []byte {
	be := binary.BigEndian
	dst = append(dst, batchFormat)
	dst = be.AppendUint64(dst, s.origin)
	dst = append(dst, make([]byte, 24)...) // incarnation, seq and time come when it leaves
	dst = be.AppendUint16(dst, uint16(len(s.preamble)))
	return append(dst, s.preamble...)
}

func (s *stream) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// next returns the oldest batch that the leader has not been given, nil if
// there is none or enough is under way, and counts it as given.
func (s *stream) next(limit int) *batch {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sent >= limit {
		return nil
	}
	if s.sent == len(s.queue) {
		if s.filling == nil {
			return nil
		}
		s.queue = append(s.queue, s.filling)
		s.filling = nil
	}
	b := s.queue[s.sent]
	s.sent++
	return b
}

// waits tells whether there is something that the leader has not been given.
func (s *stream) waits() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.filling != nil || s.sent < len(s.queue)
}

// resend has everything that is not applied sent again. What was applied
// without our knowing it will be skipped.
func (s *stream) resend() {
	s.mu.Lock()
	s.sent = 0
	s.mu.Unlock()
	s.signal()
}

// entry returns the batch as an entry of the log of this server, which leads.
func (s *stream) entry(b *batch, now int64) []byte {
	data := b.data
	if b.entered {
		// Raft has this slice and may still be sending it.
		data = append([]byte(nil), data...)
	}
	b.entered = true
	be := binary.BigEndian
	be.PutUint64(data[9:], s.incarnation.Load())
	be.PutUint64(data[17:], b.first)
	be.PutUint64(data[25:], uint64(now))
	return data
}

// A batch on its way to the leader, which adds the rest of an entry's header:
// u64 origin, incarnation and seq, then the requests.
const forwardHeader = 8 + 8 + 8

// forward returns the batch as a message to the leader, in two parts.
func (s *stream) forward(b *batch) (head, requests []byte) {
	be := binary.BigEndian
	head = be.AppendUint64(make([]byte, 0, forwardHeader), s.origin)
	head = be.AppendUint64(head, s.incarnation.Load())
	head = be.AppendUint64(head, b.first)
	return head, b.data[batchHeader+len(s.preamble):]
}

// room is how many bytes more the header of an entry has than that of a
// forwarded batch.
func (s *stream) room() int { return batchHeader + len(s.preamble) - forwardHeader }

// adopt turns a forwarded batch, behind room bytes, into an entry in place.
func (s *stream) adopt(b []byte, now int64) (origin uint64, ok bool) {
	if len(b) < s.room()+forwardHeader+4 {
		return 0, false
	}
	be := binary.BigEndian
	head := [forwardHeader]byte(b[s.room():])
	b[0] = batchFormat
	copy(b[1:], head[:])
	be.PutUint64(b[25:], uint64(now))
	be.PutUint16(b[33:], uint16(len(s.preamble)))
	copy(b[batchHeader:], s.preamble)
	if _, err := countRequests(b[batchHeader+len(s.preamble):]); err != nil {
		return 0, false
	}
	return be.Uint64(head[:]), true
}

// take returns the waiter of the request with that seq, which is the oldest.
func (s *stream) take(seq uint64) Waiter {
	s.mu.Lock()
	defer s.mu.Unlock()
	if seq != s.applied+1 || len(s.waiters) == 0 {
		return nil
	}
	return s.takeLocked()
}

func (s *stream) takeLocked() Waiter {
	s.applied++
	w := s.waiters[0]
	s.waiters[0] = nil
	s.waiters = s.waiters[1:]
	if _, sync := w.(syncWaiter); !sync {
		s.requests.Add(1)
	}
	return w
}

// done lets go of the batches up to seq, which are applied.
func (s *stream) done(seq uint64) {
	s.mu.Lock()
	for len(s.queue) > 0 && s.queue[0].last <= seq {
		s.queue[0] = nil
		s.queue = s.queue[1:]
		s.sent = max(s.sent-1, 0)
	}
	s.mu.Unlock()
	s.signal()
}

// skip returns the waiters of the requests up to seq, which were applied on
// another server and came here as part of a snapshot.
func (s *stream) skip(seq uint64) (dropped []Waiter) {
	s.mu.Lock()
	for s.applied < seq && len(s.waiters) > 0 {
		dropped = append(dropped, s.takeLocked())
	}
	s.mu.Unlock()
	s.done(seq)
	return dropped
}

func (s *stream) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
}

// Figures are counters of the write path.
type Figures struct {
	Entries  int64 // raft entries proposed
	Requests int64 // requests in them
	Waiting  int   // requests submitted and not yet applied
}

func (s *stream) figures() Figures {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Figures{Entries: s.entries.Load(), Requests: s.requests.Load(), Waiting: len(s.waiters)}
}
