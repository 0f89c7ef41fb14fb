package peer

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hashicorp/raft"
)

// stream is the first port as raft's transport knows it: where connections of
// peers come from and go to. Addresses are raft IDs.
type stream struct {
	n         *Network
	id        string
	transport *Transport
	incoming  chan net.Conn
	ctx       context.Context // ends with Close
	done      <-chan struct{} // of ctx
	cancel    context.CancelFunc
	once      sync.Once
	handlers  sync.WaitGroup // of connections given to raft's transport

	mu     sync.Mutex
	closed bool
	conns  map[*raftConn]struct{}
	held   map[holder]int // of conns, those accepted
}

// holder is one process of a peer. Connections of one that has died without a
// word do not count against its successor's.
type holder struct {
	raftID  string
	process [8]byte
}

// maxRaftConns bounds what one peer may have open. Raft uses about 10. While it
// cannot serve them, because it takes over a snapshot, the leader would open
// one after the other.
const maxRaftConns = 24

// forSnapshot marks the address of a connection that is to carry a snapshot.
const forSnapshot = "#snapshot"

func newStream(n *Network, id string) *stream {
	s := &stream{n: n, id: id, incoming: make(chan net.Conn), conns: map[*raftConn]struct{}{}, held: map[holder]int{}}
	s.ctx, s.cancel = context.WithCancel(n.ctx)
	s.done = s.ctx.Done()
	return s
}

// raftAddr is a raft ID as the address that it is to raft.
type raftAddr string

func (raftAddr) Network() string  { return "raft" }
func (a raftAddr) String() string { return string(a) }

// Addr implements net.Listener.
func (s *stream) Addr() net.Addr { return raftAddr(s.id) }

// Accept implements net.Listener.
func (s *stream) Accept() (net.Conn, error) {
	select {
	case c := <-s.incoming:
		return c, nil
	case <-s.done:
		return nil, ErrClosed
	}
}

// takesRaft tells whether raft takes one more connection of that process.
func (n *Network) takesRaft(h *hello) bool {
	n.mu.Lock()
	s := n.stream
	n.mu.Unlock()
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.closed && s.held[h.holder()] < maxRaftConns
}

func (h *hello) holder() holder { return holder{h.from.RaftID, h.process} }

// deliver hands an open connection to raft, or serves it if it is for entries.
func (n *Network) deliver(c net.Conn, h *hello) {
	n.mu.Lock()
	s := n.stream
	n.mu.Unlock()
	rc := &raftConn{Conn: c, s: s, peer: h.from.RaftID, accepted: true, from: h.holder()}
	if s == nil || !s.add(rc) {
		n.figures.overload.Add(1)
		_ = n.drop(c, true)
		return
	}
	if h.purpose == forEntries {
		if err := s.transport.follow(rc); errors.Is(err, errEntries) || errors.Is(err, ErrTooLong) {
			n.complain(c, err)
		}
		return
	}
	select {
	case s.incoming <- rc: // raft's transport closes it
	case <-s.done:
		_ = rc.Close()
	}
}

// Dial implements raft.StreamLayer.
func (s *stream) Dial(address raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	c, err := s.dial(address, forRaft, timeout)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// probes find out soon that the other end of a connection is not there any
// more: when it could not send an answer for so long that its kernel gave the
// connection up, nothing tells this end, which has nothing to send and awaits
// the answer. A process may be busy; its kernel never is.
var probes = net.KeepAliveConfig{Enable: true, Idle: 2 * time.Second, Interval: time.Second, Count: int(unacknowledged / time.Second)}

// dial opens a connection to a member, for raft's transport or for entries.
func (s *stream) dial(address raft.ServerAddress, what purpose, timeout time.Duration) (*raftConn, error) {
	id, snapshot := strings.CutSuffix(string(address), forSnapshot)
	server, ok := ServerOf(id)
	if !ok {
		return nil, notRaftID(id)
	}
	ctx, cancel := context.WithTimeout(s.ctx, timeout)
	defer cancel()
	c, _, err := s.n.dial(ctx, hello{purpose: what, wantServer: server, wantID: id})
	if err != nil {
		return nil, err
	}
	rc := &raftConn{Conn: c, s: s, peer: id, snapshot: snapshot}
	if t, ok := c.(*net.TCPConn); ok {
		if snapshot {
			// A receiver may well be busy with its disk for longer.
			setUserTimeout(t, 0)
		}
		// It works without where that fails.
		_ = t.SetKeepAliveConfig(probes)
	}
	if !s.add(rc) {
		_ = s.n.drop(c, false)
		return nil, ErrClosed
	}
	return rc, nil
}

func (s *stream) add(c *raftConn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	if c.accepted {
		if s.held[c.from] >= maxRaftConns {
			return false
		}
		s.held[c.from]++
		s.handlers.Add(1)
	}
	s.conns[c] = struct{}{}
	return true
}

func (s *stream) remove(c *raftConn) {
	s.mu.Lock()
	delete(s.conns, c)
	if c.accepted {
		if s.held[c.from]--; s.held[c.from] == 0 {
			delete(s.held, c.from)
		}
		s.handlers.Done()
	}
	s.mu.Unlock()
}

// Close implements net.Listener. It ends the connections as well, which raft's
// transport leaves to themselves.
func (s *stream) Close() error {
	s.once.Do(func() {
		s.n.mu.Lock()
		if s.n.stream == s {
			s.n.stream = nil
		}
		s.n.mu.Unlock()
		s.cancel()
		s.mu.Lock()
		s.closed = true
		for c := range s.conns {
			if c.accepted {
				_ = c.Conn.Close() // its handler hears of that, and closes c
				continue
			}
			delete(s.conns, c)
			_ = s.n.drop(c.Conn, false) // nobody may be using it
		}
		s.mu.Unlock()
	})
	return nil
}

// raftConn is a connection of raft's. Raft sets no deadlines for a request that
// it receives, and for one that it sends a single one for the whole. Here there
// is none for a whole: as long as there is progress, a long log or snapshot may
// take its time.
type raftConn struct {
	net.Conn
	s        *stream
	peer     string
	accepted bool
	from     holder // if accepted
	once     sync.Once
	err      error

	// Of an accepted connection. Its reads and writes take turns.
	within bool // in the middle of a request, or one is being answered
	timed  bool // there is a deadline for reading
	// Of one that was dialed.
	snapshot bool         // is what it carries
	sent     atomic.Int64 // since something was received
}

// takeOverRate is how fast a peer must deal with what it was sent, in bytes a
// second.
const takeOverRate = 4 << 20

func (c *raftConn) Read(b []byte) (int, error) {
	var err error
	if c.accepted {
		err = c.awaitRequest()
	} else {
		err = c.awaitAnswer()
	}
	if err != nil {
		return 0, c.fault(err)
	}
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.within = c.accepted
		c.sent.Store(0)
	}
	return n, c.fault(err)
}

// awaitRequest sets the deadline for more of a request, or none for the first
// of it.
func (c *raftConn) awaitRequest() error {
	switch {
	case c.within:
		c.timed = true
		return c.Conn.SetReadDeadline(time.Now().Add(c.s.n.patience.stall))
	case c.timed:
		c.timed = false
		return c.Conn.SetReadDeadline(time.Time{})
	}
	return nil
}

func (c *raftConn) awaitAnswer() error {
	p := c.s.n.patience
	patience := p.write
	if c.snapshot {
		patience = p.answer
	}
	patience += time.Duration(c.sent.Load()/takeOverRate) * time.Second
	return c.Conn.SetReadDeadline(time.Now().Add(patience))
}

func (c *raftConn) Write(b []byte) (int, error) {
	if c.accepted {
		c.within = false
		return c.confirm(b)
	}
	patience := c.s.n.patience.write
	if c.snapshot {
		patience = c.s.n.patience.stall
	}
	n, err := (&timedWriter{c.Conn, patience}).Write(b)
	c.sent.Add(int64(n))
	return n, c.fault(err)
}

// confirm writes an answer to a peer once it holds. Unlike Write it may be called
// while the next request is read.
func (c *raftConn) confirm(b []byte) (int, error) {
	if err := c.s.transport.settle(); err != nil {
		return 0, err
	}
	n, err := (&timedWriter{c.Conn, c.s.n.patience.write}).Write(b)
	return n, c.fault(err)
}

// writeNow writes as much as the connection takes at once. It is for one that was
// dialed, and for whoever may write to it.
func (c *raftConn) writeNow(now *instant, b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	if err := c.Conn.SetWriteDeadline(time.Now().Add(c.s.n.patience.write)); err != nil {
		return 0, c.fault(err)
	}
	n, err := now.write(b)
	c.sent.Add(int64(n))
	return n, c.fault(err)
}

// SetDeadline implements net.Conn; Read and Write set their own.
func (c *raftConn) SetDeadline(time.Time) error { return nil }

// SetReadDeadline implements net.Conn; Read sets its own.
func (c *raftConn) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline implements net.Conn; Write sets its own.
func (c *raftConn) SetWriteDeadline(time.Time) error { return nil }

// fault notes what went wrong. To raft's transport every way of an end looks
// like io.EOF, the one that its decoder passes on as it is.
func (c *raftConn) fault(err error) error {
	if err == nil {
		return nil
	}
	c.s.n.ended(c.peer, err)
	if gone(err) || errors.Is(err, net.ErrClosed) {
		return io.EOF
	}
	return err
}

// gone tells whether the error means that the other end closed, or died.
func gone(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

func (c *raftConn) Close() error {
	c.once.Do(func() {
		c.err = c.s.n.drop(c.Conn, c.accepted)
		c.s.remove(c)
	})
	return c.err
}
