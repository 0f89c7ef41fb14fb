package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"
)

// ErrClosed says that the server closed the connection, whether with FIN or RST: which of the two depends on what
// was still unread on the server's side, so tests cannot tell them apart.
var ErrClosed = errors.New("wire: connection closed by the server")

// ErrTimeout says that nothing came before the deadline.
var ErrTimeout = errors.New("wire: nothing came before the deadline")

// maxReply bounds what a broken server can make a test allocate.
const maxReply = 64 << 20

// Conn is one connection. It is not for concurrent use.
type Conn struct {
	nc      net.Conn
	buf     []byte // received and not yet taken
	pending []sent // requests without a reply, oldest first
}

type sent struct {
	xid int32
	op  Op
}

// Dial connects to a server; no byte is sent. A server that has too many connections may close this one so fast that
// it never shows as open: that too is ErrClosed, while an address where nobody listens is not.
func Dial(addr string, timeout time.Duration) (*Conn, error) {
	nc, err := net.DialTimeout("tcp", addr, timeout)
	if errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
		return nil, closedOr(err)
	}
	if err != nil {
		return nil, err
	}
	return &Conn{nc: nc}, nil
}

// NewConn is a connection over one that is open already, for tests that dial in their own way.
func NewConn(nc net.Conn) *Conn { return &Conn{nc: nc} }

// Close ends the connection without a word to the server.
func (c *Conn) Close() error { return c.nc.Close() }

// CloseWrite sends FIN and keeps reading.
func (c *Conn) CloseWrite() error { return c.nc.(*net.TCPConn).CloseWrite() }

// Write sends bytes as they are.
func (c *Conn) Write(b []byte) error {
	c.nc.SetWriteDeadline(time.Now().Add(10 * time.Second))
	if _, err := c.nc.Write(b); err != nil {
		return closedOr(err)
	}
	return nil
}

// Expect notes that a reply to op under xid is due, for requests that were sent with Write.
func (c *Conn) Expect(xid int32, op Op) { c.pending = append(c.pending, sent{xid, op}) }

// Pending is the number of requests without a reply.
func (c *Conn) Pending() int { return len(c.pending) }

// Send writes one request.
func (c *Conn) Send(xid int32, op Op, body Body) error {
	c.Expect(xid, op)
	return c.Write(Frame(Payload(xid, op, body)))
}

// Connect sends a handshake and waits for its answer.
func (c *Conn) Connect(req ConnectRequest, timeout time.Duration) (*ConnectResponse, error) {
	if err := c.Write(Frame(req.Payload())); err != nil {
		return nil, err
	}
	return c.ReadConnect(timeout)
}

// ReadConnect waits for the answer to a handshake sent with Write.
func (c *Conn) ReadConnect(timeout time.Duration) (*ConnectResponse, error) {
	p, err := c.ReadFrame(timeout)
	if err != nil {
		return nil, err
	}
	return decodeConnect(p)
}

// fill reads until n bytes are buffered.
func (c *Conn) fill(n int, deadline time.Time) error {
	for len(c.buf) < n {
		c.nc.SetReadDeadline(deadline)
		var chunk [64 << 10]byte
		m, err := c.nc.Read(chunk[:])
		c.buf = append(c.buf, chunk[:m]...)
		if err != nil && len(c.buf) < n {
			return closedOr(err)
		}
	}
	return nil
}

// ReadFrame returns the next payload. Bytes of a frame that has not arrived whole stay buffered.
func (c *Conn) ReadFrame(timeout time.Duration) ([]byte, error) {
	deadline := time.Now().Add(timeout)
	if err := c.fill(4, deadline); err != nil {
		return nil, err
	}
	n := int32(binary.BigEndian.Uint32(c.buf))
	if n < 0 || n > maxReply {
		return nil, fmt.Errorf("wire: frame of %d bytes from the server", n)
	}
	if err := c.fill(4+int(n), deadline); err != nil {
		return nil, err
	}
	p := append([]byte{}, c.buf[4:4+n]...)
	c.buf = c.buf[4+n:]
	return p, nil
}

// ReadAll returns every byte up to the end of the stream, or with ErrTimeout what came until then.
func (c *Conn) ReadAll(timeout time.Duration) ([]byte, error) {
	deadline := time.Now().Add(timeout)
	for {
		err := c.fill(len(c.buf)+1, deadline)
		if errors.Is(err, ErrClosed) {
			return c.buf, nil
		}
		if err != nil {
			return c.buf, err
		}
	}
}

// Next returns the next frame decoded: either an event or a reply.
func (c *Conn) Next(timeout time.Duration) (*Event, *Reply, error) {
	p, err := c.ReadFrame(timeout)
	if err != nil {
		return nil, nil, err
	}
	if len(p) < 16 {
		return nil, nil, fmt.Errorf("wire: frame without a reply header: %x", p)
	}
	xid := int32(binary.BigEndian.Uint32(p))
	if xid == -1 {
		// A notification, unless the test itself sent a request under −1 and this is too short for an event.
		if !c.pendingXid(-1) || len(p) >= 28 {
			e, err := decodeEvent(p)
			return e, nil, err
		}
	}
	r, err := decodeReply(p, c.match(xid))
	return nil, r, err
}

func (c *Conn) pendingXid(xid int32) bool {
	for _, s := range c.pending {
		if s.xid == xid {
			return true
		}
	}
	return false
}

// match takes the request a reply belongs to off the list: the oldest with its xid (a ping is answered under −2
// whatever it was sent with), or else the oldest of all, whose reply then shows a wrong xid.
func (c *Conn) match(xid int32) Op {
	at := -1
	for i, s := range c.pending {
		if s.xid == xid || s.op == OpPing && xid == -2 {
			at = i
			break
		}
	}
	if at < 0 {
		if len(c.pending) == 0 {
			return 0
		}
		at = 0
	}
	op := c.pending[at].op
	c.pending = append(c.pending[:at:at], c.pending[at+1:]...)
	return op
}

// Words sends a four-letter word and returns the answer up to the end of the stream.
func Words(addr, word string, timeout time.Duration) (string, error) {
	c, err := Dial(addr, timeout)
	if err != nil {
		return "", err
	}
	return c.Words(word, timeout)
}

// Words sends a four-letter word, returns the answer up to the end of the stream and closes the connection.
func (c *Conn) Words(word string, timeout time.Duration) (string, error) {
	defer c.Close()
	if err := c.Write([]byte(word)); err != nil {
		return "", err
	}
	b, err := c.ReadAll(timeout)
	return string(b), err
}

// closedOr maps the many ways in which a closed connection shows to ErrClosed.
func closedOr(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return ErrTimeout
	}
	var op *net.OpError
	if errors.Is(err, io.EOF) || errors.As(err, &op) {
		return fmt.Errorf("%w (%v)", ErrClosed, err)
	}
	return err
}
