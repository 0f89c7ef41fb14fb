// Package progress tells, by what the kernel knows of a TCP connection, whether
// its peer gets on: whether it takes what was written for it, or sends something.
//
// Who writes to a slow peer learns of little of that: a socket with megabytes
// waiting in it is not writable before a third of them has gone, and who waits
// for that reads nothing. The kernel counts every byte.
package progress

import (
	"net"
	"syscall"
	"time"
)

// Meter looks at one connection. The zero Meter can tell nothing. One goroutine
// uses it at a time; others may use the connection.
type Meter struct {
	of   Counter // nil: nobody counts
	last Sample  // of the last Look
	hard bool    // somebody waited then for the socket to take more
	seen bool    // last is one
}

// Counter counts what goes over a connection. The kernel does for a socket; a
// connection that is none may implement it. ok is false where nobody counts.
type Counter interface {
	Count() (s Sample, ok bool)
}

// Sample is what was counted so far.
type Sample struct {
	Acked   uint64        // bytes that the peer's kernel has confirmed
	Waiting uint64        // bytes that were written and are not confirmed
	Sent    time.Duration // how long ago the peer's last bytes came
}

// New returns a Meter for a connection, or for the one below it that goes over
// the network (tls.Conn.NetConn).
func New(nc net.Conn) Meter {
	if over, ok := nc.(interface{ NetConn() net.Conn }); ok {
		nc = over.NetConn()
	}
	if counter, ok := nc.(Counter); ok {
		return Meter{of: counter}
	}
	if sc, ok := nc.(syscall.Conn); ok {
		if raw, err := sc.SyscallConn(); err == nil {
			return Meter{of: socket{raw}}
		}
	}
	return Meter{}
}

// socket is counted by the kernel.
type socket struct{ raw syscall.RawConn }

// Able tells whether somebody counts for a connection over which something has
// gone. Any goroutine may ask.
func (m *Meter) Able() bool {
	if m.of == nil {
		return false
	}
	_, ok := m.of.Count()
	return ok
}

// Signs are what a Look shows of the peer.
type Signs struct {
	// Took is set if it has taken something since the last Look.
	Took bool
	// Sent is how long ago its last bytes came, whether they were read or not.
	Sent time.Duration
}

// Look returns the signs that there are, false if the kernel shows none.
// blocked says that somebody waits for the socket to take more.
//
// Bytes that were taken count where the peer leaves some waiting all the same:
// with a socket that takes no more, or with a part of what waited at the last
// Look still there. The kernel of a peer that hangs takes what little comes, too,
// but at once.
func (m *Meter) Look(blocked bool) (Signs, bool) {
	if m.of == nil {
		return Signs{}, false
	}
	now, ok := m.of.Count()
	if !ok {
		m.seen = false
		return Signs{}, false
	}
	took := now.Acked - m.last.Acked
	signs := Signs{Sent: now.Sent, Took: m.seen && took > 0 && (m.hard && blocked || took < m.last.Waiting)}
	m.last, m.hard, m.seen = now, blocked, true
	return signs, true
}

// Behind tells whether bytes were waiting for the peer at the last Look: then
// another should follow soon.
func (m *Meter) Behind() bool { return m.seen && (m.hard || m.last.Waiting > 0) }

// Forget has the next Look compare with none before it.
func (m *Meter) Forget() { m.seen = false }
