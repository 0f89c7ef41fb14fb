package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"
)

const (
	// handshakeBatch bounds how many sessions are being opened at once. Creating a session is a durable
	// write, so one at a time would take long for thousands; but ZooKeeper listens with a backlog of
	// 50, and a connection beyond it waits a second for its SYN to be sent again.
	handshakeBatch = 32
	// callTimeout bounds each blocking read and write outside the measured loop.
	callTimeout = 30 * time.Second
	dialTimeout = 5 * time.Second
)

// client is one session on a file descriptor of its own. It is blocking while it is set up (call) and
// non-blocking once a driver polls it (receive, send). Not safe for concurrent use.
type client struct {
	fd      int
	in      frames
	out     []byte // built and not yet taken by the kernel
	session int64
	passwd  []byte // of the session
	timeout time.Duration
	xid     int32 // last xid used
	zxid    int64 // the last that a reply to call named
}

// dial opens the TCP connection and asks for a new session; finishHandshake must follow.
func dial(addr string, timeout time.Duration) (*client, error) {
	return dialAs(addr, connectRequest{timeoutMs: int32(timeout / time.Millisecond)})
}

func dialAs(addr string, req connectRequest) (*client, error) {
	nc, err := net.DialTimeout("tcp", addr, dialTimeout)
	if err != nil {
		return nil, err
	}
	defer nc.Close()
	fd, err := ownFD(nc.(*net.TCPConn))
	if err != nil {
		return nil, err
	}
	c := &client{fd: fd}
	if err := c.writeAll(req.frame()); err != nil {
		c.drop()
		return nil, err
	}
	return c, nil
}

// ownFD duplicates the socket out of Go's network poller and makes it blocking with a time limit.
func ownFD(nc *net.TCPConn) (int, error) {
	raw, err := nc.SyscallConn()
	if err != nil {
		return -1, err
	}
	fd := -1
	var dupErr error
	if err := raw.Control(func(s uintptr) { fd, dupErr = syscall.Dup(int(s)) }); err != nil {
		return -1, err
	}
	if dupErr != nil {
		return -1, fmt.Errorf("dup socket: %w", dupErr)
	}
	syscall.CloseOnExec(fd)
	if err := errors.Join(syscall.SetNonblock(fd, false), limitWaits(fd, callTimeout)); err != nil {
		_ = syscall.Close(fd)
		return -1, fmt.Errorf("set up socket: %w", err)
	}
	return fd, nil
}

// limitWaits bounds each blocking read and write.
func limitWaits(fd int, d time.Duration) error {
	limit := syscall.NsecToTimeval(int64(d))
	return errors.Join(
		syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &limit),
		syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_SNDTIMEO, &limit))
}

// finishHandshake reads the ConnectResponse.
func (c *client) finishHandshake() error {
	b, err := c.readFrame()
	if err != nil {
		return fmt.Errorf("handshake: %w", err)
	}
	if len(b) < 36 {
		return fmt.Errorf("handshake: response of %d bytes", len(b))
	}
	c.timeout = time.Duration(getInt(b[4:])) * time.Millisecond
	c.session = getLong(b[8:])
	if c.timeout <= 0 || c.session == 0 {
		return errSessionRefused
	}
	c.passwd = bytes.Clone(b[20:36])
	return nil
}

// errSessionRefused: the session that was asked for is not (any more).
var errSessionRefused = errors.New("handshake: session refused")

// connect opens one session.
func connect(addr string, timeout time.Duration) (*client, error) {
	cs, err := connectMany([]string{addr}, 1, timeout)
	if err != nil {
		return nil, err
	}
	return cs[0], nil
}

// connectMany opens n sessions, several at a time, spread evenly over the addresses. On an error none is
// left open.
func connectMany(addrs []string, n int, timeout time.Duration) (all []*client, err error) {
	defer func() {
		if err != nil {
			dropAll(all)
			all = nil
		}
	}()
	var in frames // lent to each in turn: thousands of buffers would be too much
	for len(all) < n {
		first := len(all)
		for len(all) < min(first+handshakeBatch, n) {
			c, err := dial(addrs[len(all)%len(addrs)], timeout)
			if err != nil {
				return all, fmt.Errorf("session %d of %d: %w", len(all)+1, n, err)
			}
			all = append(all, c)
		}
		for i, c := range all[first:] {
			c.in.lend(&in)
			if err := c.finishHandshake(); err != nil {
				return all, fmt.Errorf("session %d of %d: %w", first+i+1, n, err)
			}
			c.in.giveBack(&in)
		}
	}
	return all, nil
}

// writeAll and readFrame block; they serve the set-up only.
func (c *client) writeAll(b []byte) error {
	for len(b) > 0 {
		n, err := syscall.Write(c.fd, b)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			return fmt.Errorf("write: %w", err)
		}
		b = b[n:]
	}
	return nil
}

func (c *client) readFrame() ([]byte, error) {
	for {
		if b, ok, err := c.in.next(); ok || err != nil {
			return b, err
		}
		n, err := syscall.Read(c.fd, c.in.space())
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return nil, fmt.Errorf("read: %w", err)
		case n == 0:
			return nil, errClosedByServer
		default:
			c.in.filled(n)
		}
	}
}

var errClosedByServer = errors.New("connection closed by the server")

// call sends one request and waits for its reply, passing over notifications. It returns the code of
// the reply and what follows the header; the latter is valid until the next call.
func (c *client) call(tmpl []byte) (code int32, body []byte, err error) {
	c.xid++
	if err := c.writeAll(appendFrame(nil, tmpl, c.xid)); err != nil {
		return 0, nil, err
	}
	for {
		b, err := c.readFrame()
		if err != nil {
			return 0, nil, err
		}
		if len(b) < replyHeaderSize {
			return 0, nil, fmt.Errorf("reply of %d bytes", len(b))
		}
		switch xid := getInt(b); xid {
		case xidNotification:
		case c.xid:
			if zxid := getLong(b[4:]); zxid > 0 {
				c.zxid = zxid
			}
			return getInt(b[12:]), b[replyHeaderSize:], nil
		default:
			return 0, nil, fmt.Errorf("reply with xid %d, want %d", xid, c.xid)
		}
	}
}

// ensure creates a persistent znode unless it exists.
func (c *client) ensure(path string, data []byte) error {
	code, _, err := c.call(createFrame(path, data, flagPersistent))
	if err == nil && code != 0 && code != errNodeExists {
		err = fmt.Errorf("code %d", code)
	}
	if err != nil {
		return fmt.Errorf("create %s: %w", path, err)
	}
	return nil
}

// closeSession ends the session in good order, so that its ephemerals go and no expiry disturbs a
// later measurement, and closes the socket.
func (c *client) closeSession() error {
	defer c.drop()
	if err := syscall.SetNonblock(c.fd, false); err != nil {
		return err
	}
	code, _, err := c.call(frame(opCloseSession, nil))
	if err == nil && code != 0 {
		err = fmt.Errorf("code %d", code)
	}
	if err != nil {
		return fmt.Errorf("close session: %w", err)
	}
	return nil
}

// closeAll closes sessions in good order, several at a time as connectMany opened them.
func closeAll(cs []*client) error {
	defer dropAll(cs)
	bye := frame(opCloseSession, nil)
	var in frames
	for first := 0; first < len(cs); first += handshakeBatch {
		batch := cs[first:min(first+handshakeBatch, len(cs))]
		for _, c := range batch {
			c.xid++
			err := syscall.SetNonblock(c.fd, false)
			if err == nil {
				err = c.writeAll(appendFrame(nil, bye, c.xid))
			}
			if err != nil {
				return fmt.Errorf("close session: %w", err)
			}
		}
		for _, c := range batch {
			c.in.lend(&in)
			if _, err := c.readFrame(); err != nil {
				return fmt.Errorf("close session: %w", err)
			}
			c.in.giveBack(&in)
		}
	}
	return nil
}

// drop closes the socket and leaves the session to expire.
func (c *client) drop() {
	if c.fd >= 0 {
		_ = syscall.Close(c.fd)
		c.fd = -1
	}
}

func dropAll(cs []*client) {
	for _, c := range cs {
		c.drop()
	}
}

// receive takes in what the kernel has, with one system call.
func (c *client) receive() error {
	n, errno := rawRead(c.fd, c.in.space())
	switch {
	case errno == syscall.EAGAIN || errno == syscall.EINTR:
		return nil
	case errno != 0:
		return fmt.Errorf("read: %w", errno)
	case n == 0:
		return errClosedByServer
	}
	c.in.filled(n)
	return nil
}

// send hands c.out to the kernel with one system call; what does not fit stays in c.out.
func (c *client) send() error {
	if len(c.out) == 0 {
		return nil
	}
	n, errno := rawWrite(c.fd, c.out)
	switch {
	case errno == syscall.EAGAIN || errno == syscall.EINTR:
		return nil
	case errno != 0:
		return fmt.Errorf("write: %w", errno)
	}
	c.out = c.out[:copy(c.out, c.out[n:])]
	return nil
}
