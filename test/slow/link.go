package slow

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// Link is a way to a server that brings what the server sends no faster than its rate. It keeps little on the way.
type Link struct {
	listener net.Listener
	server   string
	rate     atomic.Int64 // bytes a second, 0 for any, negative for none

	mu     sync.Mutex
	conns  map[net.Conn]struct{}
	closed bool
	done   sync.WaitGroup
}

// NewLink opens a link to a server. It ends with the test.
func NewLink(t testing.TB, server string, rate int) *Link {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &Link{listener: listener, server: server, conns: map[net.Conn]struct{}{}}
	l.SetRate(rate)
	l.done.Go(l.accept)
	t.Cleanup(l.close)
	return l
}

// Addr is where clients connect.
func (l *Link) Addr() string { return l.listener.Addr().String() }

// SetRate changes the rate, in bytes a second: 0 is any, and a negative one brings nothing.
func (l *Link) SetRate(rate int) {
	l.rate.Store(int64(rate))
	l.mu.Lock()
	defer l.mu.Unlock()
	for nc := range l.conns {
		_ = nc.(*net.TCPConn).SetReadBuffer(room(int64(rate))) // one that has ended needs none
	}
}

func (l *Link) close() {
	l.listener.Close()
	l.mu.Lock()
	l.closed = true
	for nc := range l.conns {
		nc.Close()
	}
	l.mu.Unlock()
	l.done.Wait()
}

// hold has a connection closed with the link; false if it is closed already.
func (l *Link) hold(nc net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		nc.Close()
		return false
	}
	l.conns[nc] = struct{}{}
	return true
}

func (l *Link) accept() {
	for {
		client, err := l.listener.Accept()
		if err != nil {
			return
		}
		server, err := l.dial()
		if err != nil {
			client.Close()
			continue
		}
		if l.hold(client) && l.hold(server) {
			l.done.Go(func() { l.join(server, client, func() { io.Copy(server, client) }) })
			l.done.Go(func() { l.join(server, client, func() { l.carry(client, server) }) })
		}
	}
}

func (l *Link) join(a, b net.Conn, copy func()) {
	copy()
	a.Close()
	b.Close()
}

// segment is how long the segments of a usual link are; one of loopback, 64 kB, would be seconds on its way.
const segment = 1448

// dial connects as over a link of the rate.
func (l *Link) dial() (net.Conn, error) {
	d := net.Dialer{Timeout: patience, Control: func(_, _ string, raw syscall.RawConn) (err error) {
		return errors.Join(raw.Control(func(fd uintptr) {
			err = errors.Join(syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, room(l.rate.Load())),
				syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_MAXSEG, segment))
		}), err)
	}}
	return d.Dial("tcp", l.server)
}

// room is what a link of the rate keeps on the way: the kernel gives word of space when much of that is free, and a
// network, which a link stands for, of each segment.
func room(rate int64) int {
	if rate == 0 {
		return 1 << 20
	}
	return int(min(max(rate/20, 2<<10), 64<<10))
}

// beat is how often a link brings something.
const beat = 20 * time.Millisecond

// carry copies what the server sends, at the link's rate.
func (l *Link) carry(client, server net.Conn) {
	buf := make([]byte, 256<<10)
	tick := time.NewTicker(beat)
	defer tick.Stop()
	last, due := time.Now(), 0.0
	for {
		n, rate := len(buf), l.rate.Load()
		now := time.Now()
		due = min(due+now.Sub(last).Seconds()*float64(max(rate, 0)), float64(len(buf)))
		last = now
		if rate != 0 {
			if n = int(due); n == 0 {
				<-tick.C
				if l.isClosed() {
					return
				}
				continue
			}
		}
		n, err := server.Read(buf[:n])
		if err != nil {
			return
		}
		due = max(due-float64(n), 0)
		if _, err := client.Write(buf[:n]); err != nil {
			return
		}
		if rate != 0 {
			<-tick.C
		}
	}
}

func (l *Link) isClosed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed
}
