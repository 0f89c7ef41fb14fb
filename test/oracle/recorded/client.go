// Package recorded is a client whose every request, reply and event is written into an oracle.History. It does what
// client libraries do: it keeps its session alive, looks for another server when a connection ends, tells that one
// what it watches, and never goes back in time. It repeats no request.
//
// It works in the bubble of a simulation as over TCP: it has no sockets but those of the dial function it is given,
// waits only on channels, and leaves no goroutine behind.
package recorded

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"zkd/test/oracle"
	"zkd/test/wire"
)

// What can become of a request, beside a reply.
var (
	// ErrLost says that the connection ended before the reply: nobody knows whether the request was applied.
	ErrLost = errors.New("the connection was lost before the reply")
	// ErrOver says that the session, or the client, has ended. The request was not sent.
	ErrOver = errors.New("the session is over")
)

// Options say what a client is. Servers and History must be set.
type Options struct {
	Name    string   // in the history
	Servers []string // addresses, in the order in which they are tried
	History *oracle.History
	Timeout time.Duration // of the session; 0 is 10 s
	Depth   int           // requests that may be unanswered; 0 is 64
	// Dial makes connections; nil is TCP.
	Dial func(ctx context.Context, address string) (net.Conn, error)
	// Patience is how long a server may take to answer a handshake; 0 follows from Timeout and Servers.
	Patience time.Duration
	// Since is a zxid that the client has seen elsewhere: no server that is behind it is good enough.
	Since int64
	// OnEvent is called with every watch event, by the client's goroutine: it must not wait for the client.
	OnEvent func(wire.Event)
}

// Client has one session. Safe for concurrent use.
type Client struct {
	opts Options
	stop context.CancelFunc
	done chan struct{} // closed when all goroutines have ended

	requests chan *Call
	move     chan []string

	mu   sync.Mutex // guards what follows; held for no wait
	id   int64
	at   string // server that the client is connected to, "" if none
	zxid int64
	lost int
	over bool // the session has ended

	// Of the client's goroutine alone.
	log      *oracle.Log
	password []byte
	servers  []string
	xid      int32
	watches  watchList
}

// New starts a client. It looks for a server at once.
func New(o Options) *Client {
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	if o.Depth == 0 {
		o.Depth = 64
	}
	if o.Dial == nil {
		o.Dial = func(ctx context.Context, address string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", address)
		}
	}
	if o.Patience == 0 {
		o.Patience = min(max(o.Timeout/time.Duration(max(len(o.Servers), 1)), 500*time.Millisecond), 2*time.Second)
	}
	ctx, stop := context.WithCancel(context.Background())
	c := &Client{
		opts: o, stop: stop, done: make(chan struct{}),
		requests: make(chan *Call), move: make(chan []string),
		servers: slices.Clone(o.Servers), password: make([]byte, 16), zxid: o.Since, watches: newWatchList(),
		log: o.History.Expect(o.Name),
	}
	go c.run(ctx)
	return c
}

// Session is the session's id, 0 before there is one.
func (c *Client) Session() int64 { c.mu.Lock(); defer c.mu.Unlock(); return c.id }

// Server is the address that the client is connected to, "" if it is to none.
func (c *Client) Server() string { c.mu.Lock(); defer c.mu.Unlock(); return c.at }

// Zxid is the highest that the session has seen.
func (c *Client) Zxid() int64 { c.mu.Lock(); defer c.mu.Unlock(); return c.zxid }

// Lost is how many connections have ended.
func (c *Client) Lost() int { c.mu.Lock(); defer c.mu.Unlock(); return c.lost }

// Over tells whether the session has ended.
func (c *Client) Over() bool { c.mu.Lock(); defer c.mu.Unlock(); return c.over }

// Call is a request under way.
type Call struct {
	op    wire.Op
	body  wire.Body
	reply *wire.Reply
	err   error
	done  chan struct{}
}

// Done is closed when the call has ended.
func (c *Call) Done() <-chan struct{} { return c.done }

// Wait returns the reply, or why there is none. It returns ctx's error when that ends first; the call goes on.
func (c *Call) Wait(ctx context.Context) (*wire.Reply, error) {
	select {
	case <-c.done:
		return c.reply, c.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (c *Call) end(reply *wire.Reply, err error) {
	c.reply, c.err = reply, err
	close(c.done)
}

// Send sends a request when there is a connection and room, and returns when it is sent. If ctx ends before, the
// request is never sent.
func (c *Client) Send(ctx context.Context, op wire.Op, body wire.Body) (*Call, error) {
	call := &Call{op: op, body: body, done: make(chan struct{})}
	select {
	case c.requests <- call:
		return call, nil
	case <-c.done:
		return nil, ErrOver
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Do sends a request and waits for its reply.
func (c *Client) Do(ctx context.Context, op wire.Op, body wire.Body) (*wire.Reply, error) {
	call, err := c.Send(ctx, op, body)
	if err != nil {
		return nil, err
	}
	return call.Wait(ctx)
}

// MoveTo ends the connection and looks for a server among others from then on.
func (c *Client) MoveTo(ctx context.Context, servers ...string) {
	select {
	case c.move <- servers:
	case <-c.done:
	case <-ctx.Done():
	}
}

// Close ends the session, and the client.
func (c *Client) Close(ctx context.Context) error {
	defer c.Abandon()
	for {
		_, err := c.Do(ctx, wire.OpClose, nil)
		switch {
		case err == nil, errors.Is(err, ErrOver):
			return nil
		case !errors.Is(err, ErrLost):
			return err
		}
	}
}

// Abandon ends the client without a word to the servers.
func (c *Client) Abandon() {
	c.stop()
	<-c.done
}

// run looks for servers until the session is over or the client abandoned.
func (c *Client) run(ctx context.Context) {
	defer close(c.done)
	defer c.log.End()
	for pause := firstPause; ; {
		moved := false
		for range len(c.servers) {
			link := c.connect(ctx, c.servers[0])
			if link != nil {
				pause = firstPause
				moved = c.serve(ctx, link)
			}
			if ctx.Err() != nil || c.Over() {
				return
			}
			if moved {
				break
			}
			c.servers = append(c.servers[1:], c.servers[0])
		}
		if moved {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case servers := <-c.move:
			c.servers = slices.Clone(servers)
		case <-time.After(pause):
		}
		pause = min(2*pause, longestPause)
	}
}

// How long a client waits when no server took it.
const (
	firstPause   = 10 * time.Millisecond
	longestPause = 300 * time.Millisecond
)

// connect returns a connection to a server that took the session, nil if it did not.
func (c *Client) connect(ctx context.Context, server string) *link {
	trial, cancel := context.WithTimeout(ctx, c.opts.Patience)
	defer cancel()
	nc, err := c.opts.Dial(trial, server)
	if err != nil {
		return nil
	}
	stop := context.AfterFunc(ctx, func() { nc.Close() })
	defer stop()
	conn := wire.NewConn(nc)
	known := c.Session()
	if known == 0 {
		floor := c.log.Floor()
		c.mu.Lock()
		c.zxid = max(c.zxid, floor)
		c.mu.Unlock()
	}
	called, calledAt := c.opts.History.Stamp(), c.opts.History.Now()
	no := false
	r, err := conn.Connect(wire.ConnectRequest{
		LastZxid: c.Zxid(), TimeoutMs: int32(c.opts.Timeout.Milliseconds()), Session: known, Password: c.password, ReadOnly: &no,
	}, c.opts.Patience)
	item := oracle.Item{
		Kind: oracle.Connected, Path: server, Called: called, CalledAt: calledAt,
		Returned: c.opts.History.Stamp(), ReturnedAt: c.opts.History.Now(),
	}
	switch {
	case err != nil:
		conn.Close()
		return nil
	case r.Session == 0 || r.TimeoutMs <= 0:
		conn.Close()
		if known != 0 {
			item.Kind = oracle.Expired
			c.log.Add(item)
			c.end()
		}
		return nil
	}
	timeout := time.Duration(r.TimeoutMs) * time.Millisecond
	if known == 0 {
		c.log.Begin(r.Session, timeout)
	}
	if known != 0 && r.Session != known {
		item.Kind, item.Path = oracle.Garbled, fmt.Sprintf("the handshake of session %#x was answered with session %#x", known, r.Session)
		c.log.Add(item)
		conn.Close()
		return nil
	}
	c.password = r.Password
	c.mu.Lock()
	c.id, c.at = r.Session, server
	c.mu.Unlock()
	c.log.Add(item)
	return newLink(conn, timeout, c.opts.Depth)
}

// end notes that the session is over.
func (c *Client) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
}
