package recorded

import (
	"net"
	"sync/atomic"
	"time"
)

// Narrow is a connection whose reader gets no more than some bytes a second, as if its link were slow. It is for the
// Dial of Options.
type Narrow struct {
	net.Conn
	rate atomic.Int64
}

// Slow is a Narrow that has a rate from the beginning.
func Slow(nc net.Conn, rate int) *Narrow {
	n := &Narrow{Conn: nc}
	n.SetRate(rate)
	return n
}

// SetRate changes the rate, in bytes a second; 0, as in the beginning, is any.
func (n *Narrow) SetRate(rate int) { n.rate.Store(int64(rate)) }

// bites is how many reads there are in a second.
const bites = 20

// Read reads a little, and waits for as long as that takes.
func (n *Narrow) Read(b []byte) (int, error) {
	rate := int(n.rate.Load())
	if rate == 0 {
		return n.Conn.Read(b)
	}
	got, err := n.Conn.Read(b[:min(len(b), max(rate/bites, 1))])
	time.Sleep(time.Duration(got) * time.Second / time.Duration(rate))
	return got, err
}
