package slow

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"zkd/test/wire"
)

// patience bounds every wait for something that has to happen.
const patience = 90 * time.Second

// client is a session whose requests go out without waiting for replies.
type client struct {
	t       testing.TB
	nc      net.Conn
	session int64

	mu     sync.Mutex // of what is sent
	xid    int32
	taken  int64 // bytes of replies and events
	events int
}

// connect opens a session of that timeout.
func connect(t testing.TB, addr string, timeout time.Duration) *client {
	t.Helper()
	c, err := open(t, addr, timeout)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func open(t testing.TB, addr string, timeout time.Duration) (*client, error) {
	nc, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { nc.Close() })
	r, err := wire.NewConn(nc).Connect(wire.ConnectRequest{TimeoutMs: int32(timeout.Milliseconds()), Password: make([]byte, 16)}, patience)
	if err != nil {
		return nil, err
	}
	if r.Session == 0 || time.Duration(r.TimeoutMs)*time.Millisecond != timeout {
		return nil, fmt.Errorf("session %#x with a timeout of %d ms, wanted %v", r.Session, r.TimeoutMs, timeout)
	}
	return &client{t: t, nc: nc, session: r.Session}, nc.SetDeadline(time.Time{})
}

// send sends a request and returns its xid. It waits as long as the server does not read.
func (c *client) send(op wire.Op, body wire.Body) (int32, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.xid++
	_, err := c.nc.Write(wire.Frame(wire.Payload(c.xid, op, body)))
	return c.xid, err
}

// sendSlowly sends a request at some bytes a second, and nothing beside it.
func (c *client) sendSlowly(rate int, op wire.Op, body wire.Body) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.xid++
	b := wire.Frame(wire.Payload(c.xid, op, body))
	for every := max(beat, time.Second/time.Duration(rate)); len(b) > 0; time.Sleep(every) {
		n := min(int(every.Seconds()*float64(rate)), len(b))
		if _, err := c.nc.Write(b[:n]); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// pings sends a ping each third of the timeout, as clients do, until stop is called.
func (c *client) pings(timeout time.Duration) (stop func()) {
	ended := make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		tick := time.NewTicker(timeout / 3)
		defer tick.Stop()
		for {
			select {
			case <-ended:
				return
			case <-tick.C:
			}
			c.mu.Lock()
			_, err := c.nc.Write(wire.Frame(wire.Payload(-2, wire.OpPing, nil)))
			c.mu.Unlock()
			if err != nil {
				return
			}
		}
	})
	return func() { close(ended); done.Wait() }
}

// reply is the header of one, and how long it was.
type reply struct {
	xid, code int32
	size      int
}

// next returns the next reply to something else than a ping.
func (c *client) next() (reply, error) {
	c.nc.SetReadDeadline(time.Now().Add(patience))
	for {
		var head [20]byte
		if _, err := io.ReadFull(c.nc, head[:]); err != nil {
			return reply{}, err
		}
		size := int(binary.BigEndian.Uint32(head[:]))
		r := reply{int32(binary.BigEndian.Uint32(head[4:])), int32(binary.BigEndian.Uint32(head[16:])), size}
		if _, err := io.CopyN(io.Discard, c.nc, int64(size-16)); err != nil {
			return reply{}, err
		}
		c.taken += int64(4 + size)
		switch r.xid {
		case -1:
			c.events++
		case -2:
		default:
			return r, nil
		}
	}
}

// expect reads the reply to a request, which must be the next one.
func (c *client) expect(xid int32) error {
	r, err := c.next()
	switch {
	case err != nil:
		return err
	case r.xid != xid || r.code != 0:
		return fmt.Errorf("reply %d with code %d, wanted %d", r.xid, r.code, xid)
	}
	return nil
}

// ok sends a request and waits for its reply.
func (c *client) ok(op wire.Op, body wire.Body) {
	c.t.Helper()
	xid, err := c.send(op, body)
	if err == nil {
		err = c.expect(xid)
	}
	if err != nil {
		c.t.Fatalf("op %d: %v", op, err)
	}
}

// exists asks for a znode.
func (c *client) exists(path string) bool {
	c.t.Helper()
	xid, err := c.send(wire.OpExists, wire.PathWatch{Path: path})
	if err != nil {
		c.t.Fatal(err)
	}
	r, err := c.next()
	if err != nil || r.xid != xid {
		c.t.Fatalf("exists %s: %+v, %v", path, r, err)
	}
	return r.code == 0
}

func (c *client) create(path string, size int, flags int32) {
	c.t.Helper()
	c.ok(wire.OpCreate, wire.Create{Path: path, Data: make([]byte, size), ACL: wire.OpenACL, Flags: flags})
}

// own is a path that only this session uses.
func (c *client) own() string { return fmt.Sprintf("/of-%x", uint64(c.session)) }

// keepsWriting changes a znode for a while, and returns how often.
func (c *client) keepsWriting(path string, while time.Duration) (n int) {
	for end := time.Now().Add(while); time.Now().Before(end); time.Sleep(beat) {
		xid, err := c.send(wire.OpSetData, wire.SetData{Path: path, Version: -1})
		if err == nil {
			err = c.expect(xid)
		}
		if err != nil {
			c.t.Errorf("a write beside it: %v", err)
			return n
		}
		n++
	}
	return n
}
