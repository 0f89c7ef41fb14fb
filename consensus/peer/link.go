package peer

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// A message of a link, a query or an answer:
//
//	u32  length of the rest
//	u8   kind
//	     body
const (
	messageHead = 4 + 1
	// MaxMessage bounds the body of a message.
	MaxMessage = 72 << 20
	// firstRead is how much of a long message is made room for before it comes.
	firstRead   = 256 << 10
	linkBuffers = 32 << 10
)

// ErrTooLong is returned for a message over MaxMessage.
var ErrTooLong = fmt.Errorf("peer: message of more than %d bytes", MaxMessage)

// Link carries messages to and from a peer, in order. Send may be called by
// many goroutines, Recv by one at a time.
type Link struct {
	n        *Network
	conn     net.Conn
	peer     Identity
	accepted bool
	r        *bufio.Reader
	rest     stallReader // r, once a message has begun

	waiting atomic.Int32 // senders that wait for mu
	mu      sync.Mutex
	w       *bufio.Writer
	once    sync.Once
	err     error
}

func newLink(n *Network, c net.Conn, peer Identity, accepted bool) *Link {
	r := bufio.NewReaderSize(c, linkBuffers)
	return &Link{n: n, conn: c, peer: peer, accepted: accepted, r: r, rest: stallReader{c, r, n.patience.stall},
		w: bufio.NewWriterSize(&timedWriter{c, n.patience.write}, linkBuffers)}
}

// Peer returns who is at the other end.
func (l *Link) Peer() Identity { return l.peer }

// Send sends one message, its body in parts, which are not kept. It goes out
// at once, or together with those of other senders that wait. A nil error does
// not mean that it arrived. After an error the link is of no use.
func (l *Link) Send(kind byte, parts ...[]byte) error {
	if size(parts) > MaxMessage {
		return ErrTooLong // at once: who has been counted as waiting must flush
	}
	l.waiting.Add(1)
	l.mu.Lock()
	others := l.waiting.Add(-1) > 0
	defer l.mu.Unlock()
	if err := writeMessage(l.w, kind, parts...); err != nil {
		return l.sendError(err)
	}
	if others {
		return nil // the last of them flushes
	}
	return l.sendError(l.w.Flush())
}

func (l *Link) sendError(err error) error {
	if err == nil {
		return nil
	}
	// The other end may have had part of a message: there is no way on.
	_ = l.Close()
	l.n.ended(l.peer.RaftID, err)
	return fmt.Errorf("peer: send to %s: %w", l.peer.RaftID, err)
}

func size(parts [][]byte) (n int) {
	for _, p := range parts {
		n += len(p)
	}
	return n
}

// writeMessage writes a message that is not too long.
func writeMessage(w *bufio.Writer, kind byte, parts ...[]byte) error {
	head := binary.BigEndian.AppendUint32(make([]byte, 0, messageHead), uint32(size(parts)+1))
	if _, err := w.Write(append(head, kind)); err != nil {
		return err
	}
	for _, p := range parts {
		if _, err := w.Write(p); err != nil {
			return err
		}
	}
	return nil
}

// Recv waits for the next message. body has head zero bytes in front of it,
// and belongs to the caller.
func (l *Link) Recv(head int) (kind byte, body []byte, err error) {
	kind, body, err = readMessage(l.r, &l.rest, head, MaxMessage)
	if err != nil {
		l.n.ended(l.peer.RaftID, err)
		if err != io.EOF {
			err = fmt.Errorf("peer: receive from %s: %w", l.peer.RaftID, err)
		}
	}
	return kind, body, err
}

// readMessage reads a message whose first byte may be long in coming; the rest
// is read from rest, which has the same bytes.
func readMessage(r *bufio.Reader, rest io.Reader, head, limit int) (kind byte, body []byte, err error) {
	if _, err := r.Peek(1); err != nil {
		return 0, nil, err
	}
	var b [messageHead]byte
	if _, err := io.ReadFull(rest, b[:]); err != nil {
		return 0, nil, cut(err)
	}
	size := uint64(binary.BigEndian.Uint32(b[:]))
	if size == 0 {
		return 0, nil, errors.New("message without a kind")
	}
	if size-1 > uint64(limit) {
		return 0, nil, ErrTooLong
	}
	body, err = readBody(rest, head, int(size-1))
	return b[4], body, err
}

// readBody reads so many bytes behind head zero ones. Memory grows as they
// arrive.
func readBody(rest io.Reader, head, missing int) (body []byte, err error) {
	body = make([]byte, head, head+min(missing, firstRead))
	for missing > 0 {
		if len(body) == cap(body) {
			// What came so far doubles.
			grown := make([]byte, len(body), len(body)+min(missing, len(body)-head))
			copy(grown, body)
			body = grown
		}
		n := min(missing, cap(body)-len(body))
		body = body[:len(body)+n]
		if _, err := io.ReadFull(rest, body[len(body)-n:]); err != nil {
			return nil, cut(err)
		}
		missing -= n
	}
	return body, nil
}

// cut turns the end of a stream in the middle of a message into an error.
func cut(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Close ends the link; Send and Recv return.
func (l *Link) Close() error {
	l.once.Do(func() { l.err = l.n.drop(l.conn, l.accepted) })
	return l.err
}

// timedWriter gives the peer patience for each piece of what is written.
type timedWriter struct {
	net.Conn
	patience time.Duration
}

// writePiece is small enough for a slow line to take it in time.
const writePiece = 128 << 10

func (w *timedWriter) Write(b []byte) (written int, err error) {
	for {
		piece := b[:min(len(b), writePiece)]
		if err := w.SetWriteDeadline(time.Now().Add(w.patience)); err != nil {
			return written, err
		}
		n, err := w.Conn.Write(piece)
		written += n
		if err != nil || n == len(b) {
			return written, err
		}
		b = b[n:]
	}
}

// stallReader reads from r, with patience for what r has to wait for.
type stallReader struct {
	conn     net.Conn
	r        *bufio.Reader
	patience time.Duration
}

func (s *stallReader) Read(b []byte) (int, error) {
	if s.r.Buffered() > 0 {
		return s.r.Read(b)
	}
	if err := s.conn.SetReadDeadline(time.Now().Add(s.patience)); err != nil {
		return 0, err
	}
	n, err := s.r.Read(b)
	if err == nil {
		err = s.conn.SetReadDeadline(time.Time{})
	}
	return n, err
}
