package peer

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Options of a Network.
type Options struct {
	// Self is who this server is now. It is asked for each connection, by
	// several goroutines, and must not block.
	Self     func() Identity
	ServerID uint64 // N of server.N
	// RaftAddrs and LinkAddrs are the addresses to listen on, all of them.
	RaftAddrs, LinkAddrs []string
	// Secret is what all servers of the ensemble know, nil if there is none.
	Secret []byte
	// DialTimeout bounds the attempt to connect to one address.
	DialTimeout time.Duration
	// TCPKeepAlive looks after idle connections more often than Go does by
	// itself.
	TCPKeepAlive bool
	// Listen and Dial make the connections, as net.Listen and
	// net.Dialer.DialContext do; nil are those.
	Listen func(network, address string) (net.Listener, error)
	Dial   func(ctx context.Context, network, address string) (net.Conn, error)
	Logger *slog.Logger

	// lookup returns the addresses of a name; nil where Listen takes names.
	lookup func(ctx context.Context, host string) ([]string, error)
}

// Handler is who takes what comes in by the second port. Its methods are
// called on goroutines of their own; Close of the Network waits for them.
type Handler interface {
	// Answer answers a query. The text of an error reaches the asker. from is
	// zero for one that is no server.
	Answer(from Identity, kind byte, body []byte) ([]byte, error)
	// Accept has a link that a member opened, and returns when done with it.
	Accept(l *Link)
}

// Bounds of what others may take up.
const (
	maxHellos   = 64   // connections that have not said yet who they are
	maxAccepted = 1024 // connections that others have opened
	maxQueries  = 64   // being answered
)

const defaultDialTimeout = 5 * time.Second

// patience with peers.
type patience struct {
	hello  time.Duration // until a connection is open
	write  time.Duration // until a peer takes what is sent
	stall  time.Duration // for one in the middle of a message or a snapshot, each time without a byte
	answer time.Duration // until a snapshot is taken over, besides the time for its size
}

// Network is this server's place on the network of its ensemble. Goroutines:
// one for each listener, each connection that was accepted, each look after a
// peer that may be gone, each peer being nudged, and those of raft's transport;
// Close ends and awaits them all.
type Network struct {
	o        Options
	patience patience
	process  [8]byte // tells this process from all others
	handler  Handler
	roster   roster
	trips    roundTrips
	lost     lost
	logged   sparse
	figures  figures

	listeners []listener
	greetings greetings
	queries   chan struct{}

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu       sync.Mutex
	closed   bool
	conns    map[net.Conn]struct{}
	accepted int
	stream   *stream // nil while raft takes no connections
}

type listener struct {
	net.Listener
	first bool // of the two ports
}

// figures are counters; see Figures.
type figures struct {
	refused, garbage, zooKeeper, slow, overload atomic.Int64
}

// Figures counts the connections that came to nothing.
type Figures struct {
	Refused   int64 // of a zkd server that has no business here
	Garbage   int64 // of something else
	ZooKeeper int64 // of a ZooKeeper server
	Slow      int64 // without a whole hello in time
	Overload  int64 // over a limit
}

// ErrClosed is returned once the network was closed.
var ErrClosed = errors.New("peer: closed")

// Listen binds the peer ports. Nothing is answered before Serve.
func Listen(o Options) (*Network, error) {
	if o.DialTimeout <= 0 {
		o.DialTimeout = defaultDialTimeout
	}
	if o.Listen == nil {
		o.Listen, o.lookup = net.Listen, net.DefaultResolver.LookupHost
	}
	if o.Dial == nil {
		o.Dial = new(net.Dialer).DialContext
	}
	n := &Network{
		o:        o,
		patience: patience{hello: 5 * time.Second, write: 10 * time.Second, stall: 30 * time.Second, answer: 2 * time.Minute},
		queries:  make(chan struct{}, maxQueries),
		conns:    map[net.Conn]struct{}{},
	}
	n.lost.init()
	if _, err := rand.Read(n.process[:]); err != nil {
		return nil, fmt.Errorf("peer: random numbers: %w", err)
	}
	n.ctx, n.cancel = context.WithCancel(context.Background())
	err := n.bind(o.RaftAddrs, true, "first (quorum)")
	if err == nil {
		err = n.bind(o.LinkAddrs, false, "second (election)")
	}
	if err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

func ephemeral(addr string) bool {
	_, port, err := net.SplitHostPort(addr)
	return err == nil && port == "0"
}

// Addrs returns the addresses that are listened on.
func (n *Network) Addrs() (raft, link []string) {
	for _, l := range n.listeners {
		if l.first {
			raft = append(raft, l.Addr().String())
		} else {
			link = append(link, l.Addr().String())
		}
	}
	return raft, link
}

// SetMembers says whom names mean from now on: "3.x" is dialed at the
// addresses of member 3.
func (n *Network) SetMembers(members []Member) { n.roster.set(members) }

// Handle sets who takes links and queries. It is called once, before Serve.
func (n *Network) Handle(h Handler) { n.handler = h }

// Figures returns the counters as of now.
func (n *Network) Figures() Figures {
	f := &n.figures
	return Figures{f.refused.Load(), f.garbage.Load(), f.zooKeeper.Load(), f.slow.Load(), f.overload.Load()}
}

// start runs f on a goroutine that Close waits for. It returns false, and does
// not, once that has begun.
func (n *Network) start(f func()) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return false
	}
	n.wg.Go(f)
	return true
}

// adopt has Close close the connection too. It returns false if there may be
// no more connections.
func (n *Network) adopt(c net.Conn, accepted bool) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed || accepted && n.accepted >= maxAccepted {
		return false
	}
	n.conns[c] = struct{}{}
	if accepted {
		n.accepted++
	}
	return true
}

// drop closes an adopted connection and forgets it.
func (n *Network) drop(c net.Conn, accepted bool) error {
	n.mu.Lock()
	if _, ok := n.conns[c]; ok {
		delete(n.conns, c)
		if accepted {
			n.accepted--
		}
	}
	n.mu.Unlock()
	return c.Close()
}

// Close ends all connections, and returns when no goroutine is left.
func (n *Network) Close() error {
	n.mu.Lock()
	n.closed = true
	s := n.stream
	n.mu.Unlock()
	n.cancel()
	var errs []error
	for _, l := range n.listeners {
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	if s != nil {
		errs = append(errs, s.transport.Close())
	}
	n.mu.Lock()
	for c := range n.conns {
		_ = c.Close() // whoever uses it hears of it
	}
	n.mu.Unlock()
	n.wg.Wait()
	return errors.Join(errs...)
}
