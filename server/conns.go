package server

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
)

// conns are the open client connections, four-letter words included.
type conns struct {
	mu     sync.Mutex
	all    map[*conn]struct{}
	byAddr map[netip.Addr]int
	closed bool
	done   sync.WaitGroup
}

func newConns() *conns {
	return &conns{all: map[*conn]struct{}{}, byAddr: map[netip.Addr]int{}}
}

// Why a connection is not taken in, beside a limit.
var errClosing = errors.New("the server is stopping")

// add takes in a connection unless a limit is reached; 0 is no limit.
func (s *conns) add(c *conn, total, perAddr int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	addr := c.peer.Addr()
	switch {
	case s.closed:
		return errClosing
	case total > 0 && len(s.all) >= total:
		return fmt.Errorf("too many connections: %d are open, and the limit by maxCnxns and ulimit -n is %d", len(s.all), total)
	case perAddr > 0 && s.byAddr[addr] >= perAddr:
		return fmt.Errorf("too many connections from %s: %d are open, and maxClientCnxns is %d", addr, s.byAddr[addr], perAddr)
	}
	s.all[c] = struct{}{}
	s.byAddr[addr]++
	s.done.Add(1)
	return nil
}

func (s *conns) remove(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, c)
	s.uncountLocked(c)
	s.done.Done()
}

// uncount frees a connection's place among those of its address before the
// client is told that it has ended: the client may come again at once.
func (s *conns) uncount(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.uncountLocked(c)
}

func (s *conns) uncountLocked(c *conn) {
	if c.uncounted {
		return
	}
	c.uncounted = true
	addr := c.peer.Addr()
	if s.byAddr[addr]--; s.byAddr[addr] == 0 {
		delete(s.byAddr, addr)
	}
}

func (s *conns) len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.all)
}

// list returns the connections as of now.
func (s *conns) list() []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*conn, 0, len(s.all))
	for c := range s.all {
		list = append(list, c)
	}
	return list
}

// drop ends the connections that match, at once.
func (s *conns) drop(match func(*conn) bool) {
	for _, c := range s.list() {
		if match(c) {
			c.abandon()
		}
	}
}

// closeAll refuses new connections and ends the ones there are. It returns
// when their goroutines have.
func (s *conns) closeAll() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.drop(func(*conn) bool { return true })
	s.done.Wait()
}
