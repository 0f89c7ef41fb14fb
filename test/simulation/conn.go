package simulation

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"zkd/internal/progress"
)

// conn is one end of a connection. network.mu guards all of it.
type conn struct {
	net           *network
	number        int // in the order of all
	nic           *nic
	peer          *conn
	local, remote *net.TCPAddr
	out, back     *path
	patience      time.Duration

	changed sync.Cond
	in      []byte    // arrived and not read
	came    time.Time // when something last arrived
	read    int       // of in
	eof     bool      // the other end sends no more
	broken  error     // of every call from now on, reads once in is empty
	closed  bool      // by its own process
	ended   bool      // it sends no more
	gone    bool      // its machine knows it no more

	flight  []segment // sent and not arrived, in order
	due     time.Time // when the last of them arrives
	pending *time.Timer
	window  int         // how much may be sent and not read, 0 for any amount
	unread  int         // of what was sent
	held    int         // of a write that waits for the window
	acked   uint64      // bytes that have arrived at the other end
	unheard bool        // something arrived, and the acknowledgement did not come back
	giveUp  *time.Timer // runs while something is not acknowledged and a path is cut

	readBy, writeBy time.Time
	alarm           *time.Timer
}

// segment is what one write sent.
type segment struct {
	at   time.Time
	data []byte
	end  mark
}

type mark uint8

const (
	goesOn mark = iota
	fin
	rst
)

func (c *conn) fail(op string, err error) error {
	if e, ok := err.(syscall.Errno); ok {
		err = os.NewSyscallError(op, e)
	}
	return &net.OpError{Op: op, Net: "tcp", Source: c.local, Addr: c.remote, Err: err}
}

// Read implements net.Conn.
func (c *conn) Read(b []byte) (int, error) {
	c.net.mu.Lock()
	defer c.net.mu.Unlock()
	for {
		switch {
		case c.closed:
			return 0, c.fail("read", net.ErrClosed)
		case !c.readBy.IsZero() && !time.Now().Before(c.readBy):
			return 0, c.fail("read", os.ErrDeadlineExceeded)
		case c.read < len(c.in):
			n := copy(b, c.in[c.read:])
			if c.read += n; c.read == len(c.in) {
				c.in, c.read = nil, 0
			}
			c.peer.unread -= n
			if c.peer.held > 0 {
				c.peer.changed.Broadcast()
			}
			return n, nil
		case c.broken != nil:
			return 0, c.fail("read", c.broken)
		case c.eof:
			return 0, io.EOF
		}
		c.changed.Wait()
	}
}

// Write implements net.Conn. It waits only for a reader that is slow.
func (c *conn) Write(b []byte) (int, error) {
	c.net.mu.Lock()
	defer c.net.mu.Unlock()
	written := 0
	for {
		switch {
		case c.closed:
			return written, c.fail("write", net.ErrClosed)
		case c.broken != nil:
			return written, c.fail("write", c.broken)
		case c.ended:
			return written, c.fail("write", syscall.EPIPE)
		case !c.writeBy.IsZero() && !time.Now().Before(c.writeBy):
			return written, c.fail("write", os.ErrDeadlineExceeded)
		}
		n := len(b) - written
		if c.window > 0 {
			n = min(n, max(c.window-c.unread, 0))
		}
		if n > 0 {
			c.unread += n
			c.send(segment{data: append([]byte(nil), b[written:written+n]...)})
			written += n
		}
		if written == len(b) {
			return written, nil
		}
		c.awaitWindow(len(b) - written)
	}
}

// awaitWindow waits until there may be room for more, or the write has to end.
func (c *conn) awaitWindow(rest int) {
	c.held = rest
	defer func() { c.held = 0 }()
	if !c.writeBy.IsZero() {
		alarm := time.AfterFunc(time.Until(c.writeBy), func() {
			c.net.mu.Lock()
			defer c.net.mu.Unlock()
			c.changed.Broadcast()
		})
		defer alarm.Stop()
	}
	c.changed.Wait()
}

// Count implements progress.Counter, as the kernel does for a socket.
func (c *conn) Count() (progress.Sample, bool) {
	c.net.mu.Lock()
	defer c.net.mu.Unlock()
	s := progress.Sample{Acked: c.acked, Waiting: uint64(c.held), Sent: time.Since(c.came)}
	for _, f := range c.flight {
		s.Waiting += uint64(len(f.data))
	}
	return s, true
}

// WriteNow implements peer.InstantWriter.
func (c *conn) WriteNow(b []byte) (int, error) { return c.Write(b) }

// send puts a segment on its way.
func (c *conn) send(s segment) {
	if c.gone {
		return
	}
	s.at = time.Now().Add(c.net.arrival(c.out, len(s.data)))
	if s.at.Before(c.due) {
		s.at = c.due
	}
	c.due = s.at
	c.flight = append(c.flight, s)
	c.advance()
}

// advance sees to what is on its way.
func (c *conn) advance() {
	if c.out.state == open {
		now := time.Now()
		for len(c.flight) > 0 && !c.flight[0].at.After(now) {
			s := c.flight[0]
			if !c.peer.arrive(s) {
				break // no machine is there
			}
			c.flight = c.flight[1:]
			c.acked += uint64(len(s.data))
			c.unheard = c.back.state != open
		}
		if len(c.flight) == 0 {
			c.flight = nil
		} else if c.pending == nil && c.flight[0].at.After(now) {
			c.pending = time.AfterFunc(c.flight[0].at.Sub(now), func() {
				c.net.mu.Lock()
				defer c.net.mu.Unlock()
				c.pending = nil
				c.advance()
			})
		}
	}
	c.watch()
}

// watch gives up a connection on which nothing is acknowledged.
func (c *conn) watch() {
	deaf := c.out.state == cut || c.back.state == cut || c.net.nics[c.peer.nic.host] == nil
	if !deaf || len(c.flight) == 0 && !c.unheard || c.gone || c.broken != nil {
		if c.giveUp != nil && !deaf {
			c.giveUp.Stop()
			c.giveUp = nil
		}
		return
	}
	if c.giveUp == nil {
		c.giveUp = time.AfterFunc(c.patience, func() {
			c.net.mu.Lock()
			defer c.net.mu.Unlock()
			c.giveUp = nil
			c.breakWith(syscall.ETIMEDOUT)
		})
	}
}

// pathChanged is called when one of the two paths has.
func (c *conn) pathChanged() {
	if c.back.state == open {
		c.unheard = false
	}
	if c.out.state == open && len(c.flight) > 0 {
		// What was lost is sent again, not at once.
		again := time.Now().Add(c.net.arrival(c.out, 0) + time.Duration(c.net.rand.Int64N(int64(500*time.Millisecond))))
		for i := range c.flight {
			if c.flight[i].at.Before(again) {
				c.flight[i].at = again
			}
		}
		c.due = c.flight[len(c.flight)-1].at
	}
	c.advance()
}

// arrive takes in what the other end has sent. It is false if nothing is there to take it, or to say no.
func (c *conn) arrive(s segment) bool {
	if c.net.nics[c.nic.host] == nil {
		return false
	}
	switch {
	case s.end == rst:
		c.breakWith(syscall.ECONNRESET)
	case c.closed || c.gone:
		if len(s.data) > 0 {
			c.reset()
		}
	case s.end == fin:
		c.eof = true
	default:
		c.in = append(c.in, s.data...)
		c.came = time.Now()
	}
	c.changed.Broadcast()
	return true
}

// reset has the other end told that this one knows nothing of the connection.
func (c *conn) reset() {
	p := c.peer
	time.AfterFunc(c.net.arrival(c.out, 0), func() {
		c.net.mu.Lock()
		defer c.net.mu.Unlock()
		if c.out.state == open {
			p.breakWith(syscall.ECONNRESET)
		}
	})
}

// resetPeer ends the connection for the other end.
func (c *conn) resetPeer() { c.send(segment{end: rst}) }

// breakWith ends the connection for this end; the other is not told.
func (c *conn) breakWith(err error) {
	if c.broken == nil {
		c.broken = err
	}
	c.forget()
	c.changed.Broadcast()
}

// vanish ends the connection with the machine's power.
func (c *conn) vanish() {
	c.closed = true
	c.in, c.read = nil, 0
	c.forget()
	c.changed.Broadcast()
}

// forget drops what this end was to send.
func (c *conn) forget() {
	c.gone, c.flight, c.unheard = true, nil, false
	for _, t := range []*time.Timer{c.pending, c.giveUp} {
		if t != nil {
			t.Stop()
		}
	}
	c.pending, c.giveUp = nil, nil
	delete(c.out.conns, c)
	delete(c.nic.conns, c)
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.net.mu.Lock()
	defer c.net.mu.Unlock()
	if c.closed {
		return c.fail("close", net.ErrClosed)
	}
	c.closeLocked()
	return nil
}

func (c *conn) closeLocked() {
	if c.closed {
		return
	}
	c.closed = true
	c.changed.Broadcast()
	if c.alarm != nil {
		c.alarm.Stop()
	}
	delete(c.nic.conns, c)
	switch {
	case c.gone:
	case c.read < len(c.in):
		c.send(segment{end: rst}) // as Linux does when something was not read
	case !c.ended:
		c.send(segment{end: fin})
	}
	c.ended = true
	c.in, c.read = nil, 0
}

// CloseWrite sends what FIN means and goes on reading.
func (c *conn) CloseWrite() error {
	c.net.mu.Lock()
	defer c.net.mu.Unlock()
	if c.closed || c.broken != nil {
		return c.fail("close", net.ErrClosed)
	}
	if !c.ended {
		c.ended = true
		c.send(segment{end: fin})
	}
	return nil
}

// LocalAddr implements net.Conn.
func (c *conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr implements net.Conn.
func (c *conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline implements net.Conn.
func (c *conn) SetDeadline(t time.Time) error {
	c.net.mu.Lock()
	defer c.net.mu.Unlock()
	c.writeBy = t
	c.changed.Broadcast()
	return c.readUntil(t)
}

// SetReadDeadline implements net.Conn.
func (c *conn) SetReadDeadline(t time.Time) error {
	c.net.mu.Lock()
	defer c.net.mu.Unlock()
	return c.readUntil(t)
}

func (c *conn) readUntil(t time.Time) error {
	if c.closed {
		return c.fail("set", net.ErrClosed)
	}
	c.readBy = t
	if c.alarm != nil {
		c.alarm.Stop()
		c.alarm = nil
	}
	if t.IsZero() {
		return nil
	}
	wait := time.Until(t)
	if wait <= 0 {
		c.changed.Broadcast()
		return nil
	}
	c.alarm = time.AfterFunc(wait, func() {
		c.net.mu.Lock()
		defer c.net.mu.Unlock()
		c.changed.Broadcast()
	})
	return nil
}

// SetWriteDeadline implements net.Conn.
func (c *conn) SetWriteDeadline(t time.Time) error {
	c.net.mu.Lock()
	defer c.net.mu.Unlock()
	c.writeBy = t
	c.changed.Broadcast()
	return nil
}
