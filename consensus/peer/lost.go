package peer

import (
	"context"
	"errors"
	"net"
	"sync"
	"syscall"
	"time"
)

// lost looks after peers whose connections end. A peer whose process is gone
// refuses connections: nothing listens on its port any more.
type lost struct {
	ch chan string

	mu    sync.Mutex
	peers map[string]*suspect
}

// suspect is a peer that is being looked after.
type suspect struct {
	again bool // another connection has ended meanwhile
}

const (
	lostQueue   = 16
	maxSuspects = 64
	// lostAgain is when a peer that accepts connections is tried once more: a
	// process that dies closes its files one by one.
	lostAgain = 50 * time.Millisecond
	// lostWait bounds an attempt; an answer that is not at once tells nothing.
	lostWait = time.Second
)

func (l *lost) init() {
	l.ch, l.peers = make(chan string, lostQueue), map[string]*suspect{}
}

// Lost returns where the raft IDs of peers come from whose process is gone: a
// connection to it ended and its first port refuses new ones. It does not say
// so of every peer that is gone.
func (n *Network) Lost() <-chan string { return n.lost.ch }

// ended hears of each error on a connection to a peer.
func (n *Network) ended(raftID string, err error) {
	if !gone(err) || n.ctx.Err() != nil {
		return
	}
	l := &n.lost
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.peers[raftID]; s != nil {
		s.again = true
		return
	}
	if len(l.peers) >= maxSuspects {
		return
	}
	s := &suspect{}
	l.peers[raftID] = s
	if !n.start(func() { n.look(raftID, s) }) {
		delete(l.peers, raftID)
	}
}

// look finds out whether a peer's process is gone.
func (n *Network) look(raftID string, s *suspect) {
	l := &n.lost
	told := false
	for {
		for try := range 2 {
			if try > 0 {
				select {
				case <-n.ctx.Done():
				case <-time.After(lostAgain):
				}
			}
			if told || n.ctx.Err() != nil {
				break
			}
			if told = n.refused(raftID); told {
				select {
				case l.ch <- raftID:
				default:
				}
			}
		}
		if told && n.ctx.Err() == nil {
			// More of its connections are ending, and say the same.
			select {
			case <-n.ctx.Done():
			case <-time.After(lostAgain):
			}
		}
		l.mu.Lock()
		if !s.again || told || n.ctx.Err() != nil {
			delete(l.peers, raftID)
			l.mu.Unlock()
			return
		}
		s.again = false
		l.mu.Unlock()
	}
}

// refused tells whether all addresses of the first port refuse a connection.
func (n *Network) refused(raftID string) bool {
	server, ok := ServerOf(raftID)
	if !ok {
		return false
	}
	ctx, cancel := context.WithTimeout(n.ctx, lostWait)
	defer cancel()
	addrs := n.roster.addresses(server, true)
	for _, addr := range addrs {
		name, port, err := net.SplitHostPort(addr)
		if err != nil {
			return false
		}
		// A dialer given the name would tell of one of its addresses only.
		ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", name)
		if err != nil || len(ips) == 0 {
			return false
		}
		for _, ip := range ips {
			c, err := n.o.Dial(ctx, "tcp", net.JoinHostPort(ip.String(), port))
			if err == nil {
				_ = c.Close()
				return false
			}
			if !errors.Is(err, syscall.ECONNREFUSED) {
				return false
			}
		}
	}
	return len(addrs) > 0
}
