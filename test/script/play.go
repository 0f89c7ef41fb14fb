// Package script runs small scripts over raw connections against a server and writes down, in a form in which equal
// behaviour reads equal, what every session received. test/compat says what a script looks like, verbs.go and steps.go
// list its verbs.
package script

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"zkd/test/wire"
)

const (
	dialTimeout = 5 * time.Second
	// replyTimeout is how long a reply, an event or an end of stream may take before the transcript says so.
	replyTimeout = 15 * time.Second
	// defaultTimeoutMs is a case's session timeout: the longest the server grants, so that a busy machine expires
	// nobody by accident.
	defaultTimeoutMs = 20000
)

// A Server is what scripts run against.
type Server interface {
	Addr() string
	Restart(context.Context) error // on the same address and data, after a kill
	Stop() error
}

// Options say how a script runs.
type Options struct {
	Root     string // the node that ~ stands for, see NewRoot; it is created first
	NoRoot   bool   // the root is not created, and the script must not use ~
	Alone    bool   // nobody else uses the server, so the zxids of reads are part of the transcript too
	AnyOrder bool   // the order among the events of one step is free, so they are sorted
	// AnyClose is AnyOrder for steps that close a session: its ephemerals go in no particular order.
	AnyClose bool
	// EndAll ends at the end also the sessions that the script left without a connection, which would expire later.
	EndAll bool
	// TimeoutMs is what sessions ask for, 0 is 20 seconds.
	TimeoutMs int32
}

var rootCount atomic.Int64

// NewRoot names a root nobody has used. Every root of any caller is as long as this one, because the outcome of some
// scripts depends on the length of paths.
func NewRoot() string { return fmt.Sprintf("/compat-%07d-%05d", os.Getpid(), rootCount.Add(1)) }

// client is one connection of a script.
type client struct {
	name     string
	at       int // the number of the server it is connected to, in an ensemble; 0 is the first
	conn     *wire.Conn
	xid      int32
	id       int64
	password []byte
	closed   bool
	watching bool      // has asked for watches, so its events are collected after every step
	sending  []byte    // requests held back by &
	connect  bool      // sending begins with a handshake
	heard    time.Time // when the server last heard something that keeps the session alive
}

// run is one script on one server.
type run struct {
	srv       Server
	o         Options
	f         *form
	passwords map[int64][]byte // of the sessions that may still be there
	old       []*wire.Conn     // connections whose name has a newer one
	clients   []*client        // in order of first appearance
	pulses    []*client        // a session of ours on each server of an ensemble
	away      int              // the server that has left, 0 is none
	gone      *client          // its pulse
	marks     map[string]int64
	seen      int64     // highest zxid any session of the case was shown
	written   time.Time // when the latest write was sent
	show      func(wire.Fields) string
	out       strings.Builder
	ahead     bool     // a session was opened since all servers were brought up to date
	closing   bool     // the running step closes a session
	events    []string // of the running step, of one session, not yet printed
	evOwner   string
}

// Play runs a script and returns its transcript. An error says that the script could not be carried to its end, the
// transcript then holds what came before.
func Play(srv Server, script string, o Options) (string, error) {
	r := &run{srv: srv, o: o, marks: map[string]int64{}, passwords: map[int64][]byte{},
		f: &form{root: o.Root, sessions: map[int64]string{}, times: map[int64]int64{}}}
	defer r.cleanUp()
	if err := r.openPulses(); err != nil {
		return "", fmt.Errorf("sessions of the ensemble: %w", err)
	}
	if !o.NoRoot {
		if err := r.makeRoot(); err != nil {
			return "", fmt.Errorf("root of the script: %w", err)
		}
	}
	for line := range strings.SplitSeq(script, "\n") {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		fmt.Fprintln(&r.out, line)
		if err := r.step(line); err != nil {
			return resolve(r.out.String()), fmt.Errorf("%q: %w", line, err)
		}
		if err := r.settleAfter(line); err != nil {
			return resolve(r.out.String()), fmt.Errorf("after %q: %w", line, err)
		}
		r.collect()
		// What is held back is sent, and the session closed, by a later step.
		r.closing = r.closing && slices.ContainsFunc(r.clients, func(c *client) bool { return len(c.sending) > 0 })
	}
	return resolve(r.out.String()), nil
}

// makeRoot creates the node that ~ stands for, from a session of its own, so that the case's sessions are fresh.
func (r *run) makeRoot() error {
	c := &client{name: "setup"}
	if err := r.open(c, wire.ConnectRequest{TimeoutMs: r.timeout(), Password: make([]byte, 16)}); err != nil {
		return err
	}
	defer c.conn.Close()
	// Without an identity a server that enforces auth would refuse the rest.
	c.conn.Send(-4, wire.OpAuth, wire.Auth{Scheme: "digest", Data: []byte("setup:setup")})
	c.conn.Send(1, wire.OpCreate, wire.Create{Path: r.f.root, Data: []byte{}, ACL: wire.OpenACL})
	for c.conn.Pending() > 0 {
		_, rep, err := c.conn.Next(replyTimeout)
		if err != nil {
			return err
		}
		if rep.Err != 0 {
			return fmt.Errorf("%v", rep.Err)
		}
		r.seen = max(r.seen, rep.Zxid)
	}
	if err := r.end(c); err != nil {
		return err
	}
	return r.settle()
}

// open connects and shakes hands.
func (r *run) open(c *client, req wire.ConnectRequest) error {
	var err error
	if c.conn, err = wire.Dial(r.addr(c), dialTimeout); err != nil {
		return err
	}
	resp, err := c.conn.Connect(req, replyTimeout)
	if err != nil {
		return err
	}
	r.adopt(c, resp)
	return nil
}

// adopt takes over what the handshake gave.
func (r *run) adopt(c *client, resp *wire.ConnectResponse) {
	c.heard = time.Now()
	if resp.Session == 0 {
		return
	}
	c.id, c.password = resp.Session, resp.Password
	r.passwords[c.id] = c.password
	if _, known := r.f.sessions[c.id]; !known {
		r.f.sessions[c.id] = c.name
	}
}

// end closes a session and waits until the server has closed the connection: then its ephemerals are gone and it
// does not count as a connection of this address any more.
func (r *run) end(c *client) error {
	if err := c.conn.Send(1<<30, wire.OpClose, nil); err != nil {
		return err
	}
	for {
		_, rep, err := c.conn.Next(replyTimeout)
		if errors.Is(err, wire.ErrClosed) {
			return nil
		}
		if rep != nil && rep.Op == wire.OpClose && rep.Err == 0 {
			delete(r.passwords, c.id)
		}
		if err != nil {
			return err
		}
	}
}

// cleanUp ends the sessions that the script left open, and its connections.
func (r *run) cleanUp() {
	if r.away > 0 {
		r.stepReturn(nil, nil)
	}
	for _, c := range r.old {
		c.Close()
	}
	for _, c := range append(r.clients, r.pulses...) {
		if c.conn == nil {
			continue
		}
		if !c.closed && c.id != 0 && c.conn.Pending() == 0 && len(c.sending) == 0 {
			r.end(c)
		}
		c.conn.Close()
	}
	if !r.o.EndAll {
		return
	}
	for id, password := range r.passwords {
		c := &client{}
		if r.open(c, wire.ConnectRequest{TimeoutMs: r.timeout(), Session: id, Password: password}) == nil && c.id != 0 {
			r.end(c)
		}
		if c.conn != nil {
			c.conn.Close()
		}
	}
}

// session returns the named session, connecting it when it is new and the verb does not do so itself.
func (r *run) session(name, verb string) (*client, error) {
	at := slices.IndexFunc(r.clients, func(c *client) bool { return c.name == name })
	if at < 0 {
		at = len(r.clients)
		r.clients = append(r.clients, &client{name: name})
	}
	c := r.clients[at]
	switch verb {
	case "connect", "dial", "words", "wordhas", "mark", "restart", "outage", "leave", "return":
		return c, nil
	}
	if c.conn != nil {
		return c, nil
	}
	r.ahead = true
	return c, r.open(c, wire.ConnectRequest{TimeoutMs: r.timeout(), Password: make([]byte, 16), ReadOnly: new(bool)})
}

// step runs one line of the script.
func (r *run) step(line string) error {
	toks, err := split(line)
	if err != nil {
		return err
	}
	if len(toks) < 2 {
		return errors.New("a line is SESSION VERB …")
	}
	name, toks := toks[0].text, toks[1:]
	held := toks[0].text == "&"
	if held {
		toks = toks[1:]
	}
	verb := toks[0].text
	c, err := r.session(name, verb)
	if err != nil {
		return err
	}
	a := newArgs(r.f.root, toks[1:])
	r.show = func(b wire.Fields) string { return r.f.fields(b, a.has("sorted")) }
	if do, ok := steps[verb]; ok {
		if held && verb != "connect" {
			return fmt.Errorf("%s cannot be held back", verb)
		}
		c.connect = c.connect || held && verb == "connect"
		err = do(r, c, a)
		r.flushEvents()
	} else {
		err = r.ask(c, verb, a, held)
	}
	if err == nil {
		err = a.err
	}
	return err
}

// ask sends a request, and unless it is held back reads until its reply is there.
func (r *run) ask(c *client, verb string, a *args, held bool) error {
	op, body, ok := a.request(verb, r.mark)
	if !ok {
		return fmt.Errorf("no verb %q", verb)
	}
	if a.err != nil {
		return a.err
	}
	if op.Takes() {
		r.written = time.Now()
	}
	watches := op == wire.OpAddWatch || op == wire.OpSetWatches || op == wire.OpSetWatches2 || a.has("watch")
	c.watching = c.watching || watches
	c.xid++
	xid := c.xid
	switch {
	case a.has("xid"):
		xid = int32(a.optNum("xid", 0))
	case op == wire.OpPing:
		xid = -2
	case op == wire.OpAuth:
		xid = -4
	case op == wire.OpSetWatches, op == wire.OpSetWatches2:
		xid = -8
	}
	payload := a.damage(wire.Payload(xid, op, body))
	r.closing = r.closing || op == wire.OpClose
	c.conn.Expect(xid, op)
	c.sending = append(c.sending, wire.Frame(payload)...)
	if held {
		return nil
	}
	return r.flush(c)
}

// flush sends what was held back and reads until every request has its reply.
func (r *run) flush(c *client) error {
	if err := r.send(c); err != nil {
		return err
	}
	return r.receive(c)
}

// send writes what was held back, in one segment.
func (r *run) send(c *client) error {
	bytes := c.sending
	c.sending = nil
	return ignoreClosed(c.conn.Write(bytes))
}

// receive reads until every request has its reply.
func (r *run) receive(c *client) error {
	connect := c.connect
	c.connect = false
	if connect {
		if err := r.readConnect(c); err != nil || c.closed {
			return err
		}
	}
	for c.conn.Pending() > 0 && !c.closed {
		if err := r.next(c, replyTimeout); err != nil {
			return err
		}
	}
	r.flushEvents()
	return nil
}

// next prints the next frame, or that there is none.
func (r *run) next(c *client, wait time.Duration) error {
	e, rep, err := c.conn.Next(wait)
	switch {
	case errors.Is(err, wire.ErrClosed):
		r.say(c, "closed")
		c.closed = true
	case errors.Is(err, wire.ErrTimeout):
		r.say(c, "no answer")
		return err
	case err != nil:
		return err
	case e != nil:
		r.sayEvent(c, e)
	default:
		r.reply(c, rep)
	}
	return nil
}

// collect brings in the events that the step caused for anybody. A server queues an event before it answers the
// write that caused it, so whatever is due comes before the answer to a ping sent now.
func (r *run) collect() {
	for _, c := range r.clients {
		if !c.watching || c.closed || c.conn == nil || len(c.sending) > 0 || c.conn.Pending() > 0 {
			continue
		}
		c.conn.Send(-2, wire.OpPing, nil)
		c.heard = time.Now()
		for c.conn.Pending() > 0 && !c.closed {
			e, rep, err := c.conn.Next(replyTimeout)
			switch {
			case e != nil:
				r.sayEvent(c, e)
			case errors.Is(err, wire.ErrClosed):
				r.say(c, "closed")
				c.closed = true
			case err != nil:
				r.say(c, "no answer to a ping: %v", err)
				c.closed = true
			case rep.Err != 0 || rep.Xid != -2:
				r.reply(c, rep)
			}
		}
		r.flushEvents()
	}
}

func (r *run) say(c *client, format string, v ...any) {
	r.flushEvents()
	fmt.Fprintf(&r.out, "    %s: %s\n", c.name, fmt.Sprintf(format, v...))
}

// sayEvent holds events back until something else is said, for the sake of cases in which their order is free.
func (r *run) sayEvent(c *client, e *wire.Event) {
	if r.evOwner != c.name {
		r.flushEvents()
	}
	r.evOwner = c.name
	r.seen = max(r.seen, e.Zxid)
	r.events = append(r.events, r.f.event(e))
}

func (r *run) flushEvents() {
	if r.o.AnyOrder || r.o.AnyClose && r.closing {
		slices.Sort(r.events)
	}
	for _, e := range r.events {
		fmt.Fprintf(&r.out, "    %s: %s\n", r.evOwner, e)
	}
	r.events = nil
}

// reply prints a reply. Its xid is shown when it is not the one that was due.
func (r *run) reply(c *client, rep *wire.Reply) {
	if rep.Op != wire.OpAuth && rep.Op != wire.OpSASL {
		c.heard = time.Now()
	}
	line := rep.Err.String() + r.headerZxid(rep)
	if rep.Xid <= 0 || rep.Xid > c.xid || c.conn.Pending() > 0 || int(rep.Xid) != int(c.xid) {
		line += fmt.Sprintf(" xid=%d", rep.Xid)
	}
	line += r.show(rep.Fields)
	if len(rep.Rest) > 0 {
		line += fmt.Sprintf(" and bytes %x", rep.Rest)
	}
	r.say(c, "%s", line)
	for i, res := range rep.Results {
		fmt.Fprintf(&r.out, "       %d: %s\n", i, r.f.result(res))
	}
}

// headerZxid shows the zxid of a reply's header. A read's is the last one applied on the server, which other cases
// move along; it is only checked not to lie behind what this case has seen, unless the case runs alone.
func (r *run) headerZxid(rep *wire.Reply) string {
	before := r.seen
	r.seen = max(r.seen, rep.Zxid)
	own := rep.Op.Takes() && rep.Err != wire.CodeMarshalling
	switch {
	case rep.Zxid == 0 || rep.Zxid == -1 || own || r.o.Alone:
		return " " + r.f.zxid(rep.Zxid)
	case rep.Zxid < before:
		return fmt.Sprintf(" STALE by %d", before-rep.Zxid)
	}
	return ""
}

// mark is the zxid that a script calls by name.
func (r *run) mark(name string) int64 {
	switch name {
	case "", "0":
		return 0
	case "now":
		return r.seen
	case "big":
		return 1 << 62
	}
	return r.marks[name]
}
