package recorded

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"zkd/test/oracle"
	"zkd/test/wire"
)

// link is a connection with a goroutine that reads and one that writes, so that neither waits for the other.
type link struct {
	conn    *wire.Conn
	timeout time.Duration
	frames  chan []byte
	out     chan []byte // has room for whatever may be pending
	quit    chan struct{}
	tasks   sync.WaitGroup

	pending []pending // sent and not answered, oldest first
	used    time.Time // when something was last sent
}

type pending struct {
	call     *Call // nil for the client's own
	op       wire.Op
	xid      int32
	body     wire.Body
	called   int64
	calledAt time.Duration
}

// own is how many requests the client itself may add to those of its user: a ping and setWatches.
const own = 2

func newLink(conn *wire.Conn, timeout time.Duration, depth int) *link {
	l := &link{
		conn: conn, timeout: timeout, frames: make(chan []byte), out: make(chan []byte, depth+own),
		quit: make(chan struct{}), used: time.Now(),
	}
	l.tasks.Go(l.read)
	l.tasks.Go(l.write)
	return l
}

// read passes frames on until the connection ends or has been silent for as long as makes clients give up.
func (l *link) read() {
	defer close(l.frames)
	for {
		frame, err := l.conn.ReadFrame(l.timeout * 2 / 3)
		if err != nil {
			return
		}
		select {
		case l.frames <- frame:
		case <-l.quit:
			return
		}
	}
}

func (l *link) write() {
	for {
		select {
		case frame := <-l.out:
			if l.conn.Write(frame) != nil {
				l.conn.Close() // the reader sees it
				return
			}
		case <-l.quit:
			return
		}
	}
}

// close ends the connection and its goroutines.
func (l *link) close() {
	close(l.quit)
	l.conn.Close()
	l.tasks.Wait()
}

// serve exchanges requests and replies over a link until it ends. It tells whether that was to go to other servers.
func (c *Client) serve(ctx context.Context, l *link) (moved bool) {
	defer c.disconnected(l)
	if !c.watches.empty() {
		c.send(l, nil, wire.OpSetWatches2, xidSetWatches, c.watches.request(c.Zxid()))
	}
	beat := time.NewTicker(l.timeout / 6)
	defer beat.Stop()
	for {
		requests := c.requests
		if len(l.pending) >= c.opts.Depth {
			requests = nil
		}
		select {
		case <-ctx.Done():
			return false
		case servers := <-c.move:
			c.servers = slices.Clone(servers)
			return true
		case call := <-requests:
			c.xid++
			c.send(l, call, call.op, c.xid, call.body)
		case frame, ok := <-l.frames:
			if !ok || !c.take(l, frame) {
				return false
			}
		case <-beat.C:
			if time.Since(l.used) > l.timeout/4 && !l.pings() {
				c.send(l, nil, wire.OpPing, xidPing, nil)
			}
		}
	}
}

// The xids of the client's own requests.
const (
	xidPing       = -2
	xidSetWatches = -8
)

// pings tells whether a ping is unanswered.
func (l *link) pings() bool {
	for i := range l.pending {
		if l.pending[i].op == wire.OpPing {
			return true
		}
	}
	return false
}

func (c *Client) send(l *link, call *Call, op wire.Op, xid int32, body wire.Body) {
	l.used = time.Now()
	l.pending = append(l.pending, pending{call, op, xid, body, c.opts.History.Stamp(), c.opts.History.Now()})
	l.out <- wire.Frame(wire.Payload(xid, op, body))
}

// take deals with a frame. It returns false if the connection is to end.
func (c *Client) take(l *link, frame []byte) bool {
	h := c.opts.History
	garbled := func(format string, args ...any) bool {
		c.log.Add(oracle.Item{Kind: oracle.Garbled, Path: fmt.Sprintf(format, args...), Returned: h.Stamp(), ReturnedAt: h.Now()})
		return false
	}
	if wire.IsEvent(frame) {
		e, err := wire.DecodeEvent(frame)
		if err != nil {
			return garbled("event %x: %v", frame, err)
		}
		c.log.Add(oracle.Item{
			Kind: oracle.Notified, Type: e.Type, Path: e.Path, Zxid: e.Zxid, Returned: h.Stamp(), ReturnedAt: h.Now(),
		})
		c.watches.notified(e)
		if c.opts.OnEvent != nil {
			c.opts.OnEvent(*e)
		}
		return true
	}
	if len(l.pending) == 0 {
		return garbled("reply %x where none was due", frame)
	}
	p := l.pending[0]
	reply, err := wire.DecodeReply(frame, p.op)
	if err != nil {
		return garbled("%v", err)
	}
	if reply.Xid != p.xid {
		return garbled("reply to request %d where that to %d was due", reply.Xid, p.xid)
	}
	l.pending = l.pending[1:]
	if len(reply.Rest) > 0 {
		return garbled("%d bytes too many in the reply %x to op %d", len(reply.Rest), frame, p.op)
	}
	item := oracle.Item{
		Kind: oracle.Replied, Code: reply.Err, Op: p.op, Xid: p.xid, Zxid: reply.Zxid, Body: p.body, Reply: frame[wire.ReplyHeader:],
		Called: p.called, CalledAt: p.calledAt, Returned: h.Stamp(), ReturnedAt: h.Now(),
	}
	c.log.Add(item)
	c.watches.replied(p.op, p.body, reply.Err)
	c.mu.Lock()
	c.zxid = max(c.zxid, reply.Zxid)
	c.over = c.over || p.op == wire.OpClose || reply.Err == wire.CodeSessionExpired
	over := c.over
	c.mu.Unlock()
	if p.call != nil {
		p.call.end(reply, nil)
	}
	return !over
}

// disconnected writes down what will not be answered any more.
func (c *Client) disconnected(l *link) {
	l.close()
	h := c.opts.History
	items := make([]oracle.Item, 0, len(l.pending)+1)
	for _, p := range l.pending {
		items = append(items, oracle.Item{
			Kind: oracle.Unanswered, Op: p.op, Xid: p.xid, Body: p.body, Called: p.called, CalledAt: p.calledAt,
		})
	}
	c.log.Add(append(items, oracle.Item{Kind: oracle.Disconnected, Returned: h.Stamp(), ReturnedAt: h.Now()})...)
	c.mu.Lock()
	c.at = ""
	c.lost++
	c.mu.Unlock()
	for _, p := range l.pending {
		if p.call != nil {
			p.call.end(nil, ErrLost)
		}
	}
}
