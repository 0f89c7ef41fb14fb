package consensus

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
)

// A batch, the data of one raft entry, big-endian:
//
//	u8   format 1
//	u64  origin: id of the server whose clients asked
//	u64  incarnation of that server's process
//	u64  seq of the first request; they count on by one
//	i64  time, ms since the epoch, decided by the leader
//	u16  length, preamble
//	then for each request: u32 length, bytes
const (
	batchFormat = 1
	batchHeader = 1 + 8 + 8 + 8 + 8 + 2
)

const (
	// maxInFlight entries are proposed and not yet applied. Two keep the disk
	// busy; what comes in meanwhile makes the next batch larger, which costs
	// less than more entries.
	maxInFlight = 2
	// batchTarget is where a batch is closed even though the next request
	// waits; one request longer than that still makes a batch.
	batchTarget = 1 << 20
)

// Waiter is who submitted a request and is to get its result; the node only
// carries it.
type Waiter any

// stream numbers this server's requests and gathers them into batches.
type stream struct {
	origin      uint64
	preamble    []byte
	incarnation uint64

	mu       sync.Mutex
	seq      uint64   // of the last request submitted
	filling  batch    // what Submit adds to
	full     []batch  // closed by size, oldest first
	waiters  []Waiter // of all requests submitted and not applied, oldest first
	applied  uint64   // seq before that of waiters[0]
	closed   bool
	wake     chan struct{} // has one element when there is something to propose
	requests atomic.Int64
	entries  atomic.Int64
}

type batch struct {
	data  []byte
	first uint64 // seq
}

func (s *stream) init(origin uint64, preamble []byte) {
	s.origin, s.preamble = origin, preamble
	s.wake = make(chan struct{}, 1)
}

// begin opens the stream: no request was submitted before. It does nothing the
// second time, since the requests go on counting under the same incarnation.
func (s *stream) begin(incarnation uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.incarnation == 0 {
		s.incarnation = incarnation
	}
}

// Submit puts one request, head followed by body, into the log. It does not
// wait. The state machine gets it together with w; if the node fails first, w
// never hears of it. Requests are applied in the order of Submit.
func (n *Node) Submit(w Waiter, head, body []byte) {
	s := &n.stream
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.seq++
	b := &s.filling
	if len(b.data)+len(head)+len(body) > batchTarget && len(b.data) > 0 {
		s.full = append(s.full, *b)
		*b = batch{}
	}
	if len(b.data) == 0 {
		b.first = s.seq
		b.data = s.header(b.data)
	}
	b.data = binary.BigEndian.AppendUint32(b.data, uint32(len(head)+len(body)))
	b.data = append(append(b.data, head...), body...)
	s.waiters = append(s.waiters, w)
	s.mu.Unlock()
	s.signal()
}

func (s *stream) header(dst []byte) []byte {
	be := binary.BigEndian
	dst = append(dst, batchFormat)
	dst = be.AppendUint64(dst, s.origin)
	dst = be.AppendUint64(dst, s.incarnation)
	dst = be.AppendUint64(dst, 0) // seq and time are filled in by the proposer
	dst = be.AppendUint64(dst, 0)
	dst = be.AppendUint16(dst, uint16(len(s.preamble)))
	return append(dst, s.preamble...)
}

func (s *stream) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// next returns the oldest batch, or one without data.
func (s *stream) next(sizeHint int) (b batch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.full) > 0 {
		b = s.full[0]
		s.full = s.full[1:]
		return b
	}
	if len(s.filling.data) > 0 {
		b, s.filling = s.filling, batch{data: make([]byte, 0, sizeHint)}
	}
	return b
}

// propose turns batches into entries, a few at a time.
func (n *Node) propose(ctx context.Context) {
	defer n.proposer.Done()
	var inFlight []raft.ApplyFuture
	var last int64
	size := 4096
	for ctx.Err() == nil {
		if len(inFlight) == maxInFlight {
			if !n.settle(inFlight[0]) {
				return
			}
			inFlight = append(inFlight[:0], inFlight[1:]...)
		}
		b := n.stream.next(size)
		if len(b.data) == 0 {
			select {
			case <-ctx.Done():
				return
			case <-n.stream.wake:
				continue
			}
		}
		size = min(max(len(b.data)+len(b.data)/4, 512), batchTarget)
		last = max(last, time.Now().UnixMilli())
		binary.BigEndian.PutUint64(b.data[17:], b.first)
		binary.BigEndian.PutUint64(b.data[25:], uint64(last))
		n.stream.entries.Add(1)
		inFlight = append(inFlight, n.raft.Apply(b.data, 0))
	}
}

// settle waits for an entry to be applied. In a cluster of one nothing but a
// failure of this server keeps it from that, and then what became of the
// entry is not known: nobody may get an answer any more.
func (n *Node) settle(f raft.ApplyFuture) bool {
	err := await(f, n.failed)
	if err != nil && !errors.Is(err, raft.ErrRaftShutdown) && !errors.Is(err, errAbandoned) {
		n.fatal(fmt.Errorf("consensus: append to the log: %w", err))
	}
	return err == nil
}

// errAbandoned is what await returns when it gives up.
var errAbandoned = errors.New("consensus: not waited for any longer")

// await waits for a future, or until stop is closed. Raft never answers for
// what it accepted but had not begun when it was shut down, so every wait
// needs another way out.
func await(f raft.Future, stop <-chan struct{}) error {
	done := make(chan error, 1)
	go func() { done <- f.Error() }()
	select {
	case err := <-done:
		return err
	case <-stop:
		return errAbandoned
	}
}

// take returns the waiter of the request with that seq, which is the oldest.
func (s *stream) take(seq uint64) Waiter {
	s.mu.Lock()
	defer s.mu.Unlock()
	if seq != s.applied+1 || len(s.waiters) == 0 {
		return nil
	}
	s.applied = seq
	w := s.waiters[0]
	s.waiters[0] = nil
	s.waiters = s.waiters[1:]
	s.requests.Add(1)
	return w
}

func (s *stream) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
}

func (s *stream) figures() Figures {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Figures{Entries: s.entries.Load(), Requests: s.requests.Load(), Waiting: len(s.waiters)}
}
