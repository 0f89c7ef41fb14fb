package simulation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// network joins hosts by paths, one for each direction between two hosts, each of which can be slow or shut. It has the
// manners of TCP: what is sent arrives in order or, with a path shut, later; a sender that is not acknowledged for
// long enough gives up; a process that ends has its connections closed for it, a machine without power says nothing.
//
// A write never waits, as if all buffers were large, but for a client that is slow: a goroutine that waited with a lock
// held would keep those who wait for the lock from sleeping, and virtual time from passing.
type network struct {
	mu        sync.Mutex // of everything here and in conn, nic, path
	rand      *rand.Rand
	paths     map[[2]int]*path
	nics      map[int]*nic // by host, those that have power
	listeners map[string]*listener
	changed   chan struct{} // closed and replaced when a path or a host changes
	ports     int
	made      int           // ends of connections
	quick     time.Duration // delay of a path, about
}

func newNetwork(r *rand.Rand) *network {
	return &network{
		rand: r, paths: map[[2]int]*path{}, nics: map[int]*nic{}, listeners: map[string]*listener{},
		changed: make(chan struct{}), ports: 20000, quick: 200 * time.Microsecond,
	}
}

// Hosts: servers have the numbers of their server ids, clients come behind.
const firstClient = 100

func hostIP(host int) net.IP { return net.IPv4(10, 0, byte(host/firstClient), byte(host%firstClient)) }

func hostOf(ip net.IP) int {
	ip = ip.To4()
	return int(ip[2])*firstClient + int(ip[3])
}

// state of a path.
type state uint8

const (
	open state = iota
	cut        // nothing gets through; a sender gives up after a while
	held       // nothing gets through, but the sender cannot tell: the other process does not take it in
)

// path is one direction between two hosts.
type path struct {
	state state
	since time.Time          // of the state
	delay time.Duration      // of each message
	late  float64            // share of messages that must be sent again
	rate  int                // bytes a second, 0 for any
	free  time.Time          // when the link has sent what was written before
	conns map[*conn]struct{} // that send by it
}

func (n *network) path(from, to int) *path {
	key := [2]int{from, to}
	p := n.paths[key]
	if p == nil {
		p = &path{delay: n.quick, conns: map[*conn]struct{}{}}
		n.paths[key] = p
	}
	return p
}

// set puts one direction into a state.
func (n *network) set(from, to int, s state) {
	n.mu.Lock()
	defer n.mu.Unlock()
	p := n.path(from, to)
	if p.state == s {
		return
	}
	p.state, p.since = s, time.Now()
	back := n.path(to, from)
	for _, c := range inOrder(p.conns) {
		c.pathChanged()
	}
	for _, c := range inOrder(back.conns) { // whose acknowledgements go by p
		c.pathChanged()
	}
	n.announce()
}

// slow makes one direction slow, or as fast as it was with the zero shape.
func (n *network) slow(from, to int, s shape) {
	n.mu.Lock()
	defer n.mu.Unlock()
	p := n.path(from, to)
	p.delay, p.late, p.rate = max(s.delay, n.quick), s.late, s.rate
}

// shape of a path.
type shape struct {
	delay time.Duration
	late  float64
	rate  int
}

func (n *network) announce() {
	close(n.changed)
	n.changed = make(chan struct{})
}

// errReset is what a connection ends with that was reset.
var errReset = error(syscall.ECONNRESET)

// disturb does something to each connection of a host, in the order in which they were made.
func (n *network) disturb(host int, do func(*conn)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if c := n.nics[host]; c != nil {
		for _, k := range inOrder(c.conns) {
			do(k)
		}
	}
}

// inOrder returns connections in the order in which they were made: a seed shall find them in the same one again.
func inOrder(set map[*conn]struct{}) []*conn {
	return slices.SortedFunc(maps.Keys(set), func(a, b *conn) int { return a.number - b.number })
}

// heal opens all paths, and makes them as fast as they were.
func (n *network) heal() {
	n.mu.Lock()
	keys := slices.SortedFunc(maps.Keys(n.paths), func(a, b [2]int) int { return cmp.Or(a[0]-b[0], a[1]-b[1]) })
	n.mu.Unlock()
	for _, k := range keys {
		n.slow(k[0], k[1], shape{})
		n.set(k[0], k[1], open)
	}
}

// arrival is when what is sent now by p gets to the other side.
func (n *network) arrival(p *path, size int) time.Duration {
	d := p.delay + time.Duration(n.rand.Int64N(int64(p.delay)+1))
	if p.late > 0 && n.rand.Float64() < p.late {
		d += time.Duration(200+n.rand.IntN(800)) * time.Millisecond
	}
	if p.rate > 0 {
		now := time.Now()
		if p.free.Before(now) {
			p.free = now
		}
		p.free = p.free.Add(time.Duration(size) * time.Second / time.Duration(p.rate))
		d += p.free.Sub(now)
	}
	return d
}

// nic is the network of one process on a host.
type nic struct {
	net       *network
	host      int
	dead      bool
	window    int // what may be sent to it and not be read, 0 for any amount
	conns     map[*conn]struct{}
	listening map[*listener]struct{}
}

// attach gives a host its network. A host has one process at a time.
func (n *network) attach(host int) *nic {
	n.mu.Lock()
	defer n.mu.Unlock()
	c := &nic{net: n, host: host, conns: map[*conn]struct{}{}, listening: map[*listener]struct{}{}}
	n.nics[host] = c
	n.announce()
	return c
}

// known returns the network of a host, which gets one if it has none.
func (n *network) known(host int) *nic {
	n.mu.Lock()
	c := n.nics[host]
	n.mu.Unlock()
	if c == nil {
		c = n.attach(host)
	}
	return c
}

// kill ends a process: its connections are closed for it, and its port is as shut as before it was started. Without power
// nobody is told anything.
func (c *nic) kill(power bool) {
	n := c.net
	n.mu.Lock()
	defer n.mu.Unlock()
	if c.dead {
		return
	}
	c.dead = true
	for l := range c.listening {
		l.closeLocked()
	}
	for _, k := range inOrder(c.conns) {
		if power {
			k.closeLocked()
		} else {
			k.vanish()
		}
	}
	if !power && n.nics[c.host] == c {
		delete(n.nics, c.host)
	}
	n.announce()
}

// Listen is net.Listen on this host.
func (c *nic) Listen(_, address string) (net.Listener, error) {
	n := c.net
	n.mu.Lock()
	defer n.mu.Unlock()
	fail := func(err error) (net.Listener, error) {
		return nil, &net.OpError{Op: "listen", Net: "tcp", Err: os.NewSyscallError("bind", err)}
	}
	addr, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return nil, err
	}
	if c.dead {
		return fail(syscall.ENETDOWN)
	}
	if n.listeners[addr.String()] != nil {
		return fail(syscall.EADDRINUSE)
	}
	l := &listener{nic: c, addr: addr, accepted: make(chan *conn, 1024), closed: make(chan struct{})}
	n.listeners[addr.String()] = l
	c.listening[l] = struct{}{}
	n.announce()
	return l, nil
}

// Dial is net.Dialer.DialContext from this host.
func (c *nic) Dial(ctx context.Context, _, address string) (net.Conn, error) {
	n := c.net
	addr, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return nil, err
	}
	fail := func(err error) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Addr: addr, Err: err}
	}
	to := hostOf(addr.IP)
	for waited := false; ; {
		n.mu.Lock()
		forth, back := n.path(c.host, to), n.path(to, c.host)
		reach := forth.state != cut && back.state != cut && n.nics[to] != nil
		if c.dead {
			n.mu.Unlock()
			return fail(os.NewSyscallError("connect", syscall.ENETUNREACH))
		}
		if reach && waited {
			l := n.listeners[addr.String()]
			if l == nil {
				n.mu.Unlock()
				return fail(os.NewSyscallError("connect", syscall.ECONNREFUSED))
			}
			k := n.pair(c, l, addr)
			n.mu.Unlock()
			return k, nil
		}
		changed := n.changed
		wait := n.arrival(forth, 0) + n.arrival(back, 0)
		n.mu.Unlock()
		if reach {
			changed = nil
		} else {
			// The first SYN was lost; it is sent again each second, about.
			wait = time.Second
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			err := ctx.Err()
			if errors.Is(err, context.DeadlineExceeded) {
				err = os.ErrDeadlineExceeded
			}
			return fail(err)
		case <-changed:
			t.Stop()
		case <-t.C:
			waited = reach
		}
	}
}

// pair makes a connection and gives its other end to the listener.
func (n *network) pair(c *nic, l *listener, addr *net.TCPAddr) *conn {
	n.ports++
	here := &conn{net: n, nic: c, local: &net.TCPAddr{IP: hostIP(c.host), Port: n.ports}, remote: addr}
	there := &conn{net: n, nic: l.nic, local: addr, remote: here.local, peer: here}
	here.peer, there.window = there, c.window
	for _, k := range []*conn{here, there} {
		k.changed.L = &n.mu
		n.made++
		k.number = n.made
		k.nic.conns[k] = struct{}{}
		k.out = n.path(k.nic.host, k.peer.nic.host)
		k.back = n.path(k.peer.nic.host, k.nic.host)
		k.out.conns[k] = struct{}{}
		k.patience = tcpPatience
		if c.host < firstClient {
			k.patience = peerPatience
		}
	}
	select {
	case l.accepted <- there:
	default:
		there.resetPeer()
	}
	return here
}

// How long a sender waits for an acknowledgement: what zkd sets for its peers, and what Linux waits by itself.
const (
	peerPatience = 5 * time.Second
	tcpPatience  = 15 * time.Minute
)

// listener is a port that is listened on.
type listener struct {
	nic      *nic
	addr     *net.TCPAddr
	accepted chan *conn
	closed   chan struct{}
	shut     bool // network.mu
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.accepted:
		return c, nil
	case <-l.closed:
		return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.addr, Err: net.ErrClosed}
	}
}

// Close implements net.Listener.
func (l *listener) Close() error {
	l.nic.net.mu.Lock()
	defer l.nic.net.mu.Unlock()
	if l.shut {
		return &net.OpError{Op: "close", Net: "tcp", Addr: l.addr, Err: net.ErrClosed}
	}
	l.closeLocked()
	return nil
}

func (l *listener) closeLocked() {
	if l.shut {
		return
	}
	l.shut = true
	close(l.closed)
	n := l.nic.net
	if n.listeners[l.addr.String()] == l {
		delete(n.listeners, l.addr.String())
	}
	delete(l.nic.listening, l)
	for {
		select {
		case c := <-l.accepted:
			c.resetPeer()
			c.closeLocked()
		default:
			return
		}
	}
}

// Addr implements net.Listener.
func (l *listener) Addr() net.Addr { return l.addr }

// address is host:port of a host.
func address(host, port int) string {
	return net.JoinHostPort(hostIP(host).String(), strconv.Itoa(port))
}

// String names the state.
func (s state) String() string {
	switch s {
	case open:
		return "open"
	case cut:
		return "cut"
	case held:
		return "held"
	}
	return fmt.Sprintf("state(%d)", uint8(s))
}
