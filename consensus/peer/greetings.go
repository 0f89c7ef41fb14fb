package peer

import (
	"net"
	"slices"
	"sync"
)

// greetings are the connections that have not said yet who they are. When
// there are too many the oldest makes room for the newest: a server that means
// it says hello at once, and must get through to servers that somebody floods.
type greetings struct {
	mu   sync.Mutex
	open []net.Conn // oldest first
}

// add takes a connection in, and returns the one that is to be closed for it.
func (g *greetings) add(c net.Conn) (out net.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.open) == maxHellos {
		out = g.open[0]
		g.open = slices.Delete(g.open, 0, 1)
	}
	g.open = append(g.open, c)
	return out
}

// remove is for a connection whose hello is over, one way or the other.
func (g *greetings) remove(c net.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := slices.Index(g.open, c); i >= 0 {
		g.open = slices.Delete(g.open, i, i+1)
	}
}

func (g *greetings) len() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.open)
}
