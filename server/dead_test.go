package server

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"zkd/test/wire"
)

// brokenConn is a client that has sent a handshake and then many requests, and
// is gone when the second answer is to be written.
type brokenConn struct {
	input  [][]byte
	writes atomic.Int32
	closed chan struct{}
}

var errReset = errors.New("connection reset by peer")

func (b *brokenConn) Read(p []byte) (int, error) {
	if len(b.input) == 0 {
		<-b.closed
		return 0, io.EOF
	}
	n := copy(p, b.input[0])
	if b.input[0] = b.input[0][n:]; len(b.input[0]) == 0 {
		b.input = b.input[1:]
	}
	return n, nil
}

func (b *brokenConn) Write(p []byte) (int, error) {
	if b.writes.Add(1) > 1 {
		return 0, errReset
	}
	return len(p), nil
}

func (b *brokenConn) Close() error {
	select {
	case <-b.closed:
	default:
		close(b.closed)
	}
	return nil
}

func (b *brokenConn) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (b *brokenConn) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 9), Port: 1} }
func (b *brokenConn) SetDeadline(time.Time) error      { return nil }
func (b *brokenConn) SetReadDeadline(time.Time) error  { return nil }
func (b *brokenConn) SetWriteDeadline(time.Time) error { return nil }

// What has been taken in from a client that is gone is not answered: the
// answers to a few kilobytes of requests may be gigabytes.
func TestRequestsOfAClientThatIsGone(t *testing.T) {
	s := startServer(t, nil)
	connect(t, s).create("/big", make([]byte, 1<<20-200), 0)
	var requests []byte
	for xid := range 1500 {
		requests = append(requests, wire.Frame(wire.Payload(int32(xid+1), wire.OpGetData, wire.PathWatch{Path: "/big"}))...)
	}
	hello := wire.Frame(wire.ConnectRequest{TimeoutMs: 10_000, Password: make([]byte, 16)}.Payload())
	before := s.stats.received.Load()
	c := newConn(s, &brokenConn{input: [][]byte{hello, requests}, closed: make(chan struct{})})
	if err := s.conns.add(c, 0, 0); err != nil {
		t.Fatal(err)
	}
	c.serve()
	if n := s.stats.received.Load() - before; n > 4 {
		t.Errorf("%d of 1500 requests were answered after the client had gone", n)
	}
}
