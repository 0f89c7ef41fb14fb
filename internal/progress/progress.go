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
	raw  syscall.RawConn
	last sample // of the last Look
	seen bool   // last is one
}

// sample is what the kernel says of a connection.
type sample struct {
	acked    uint64        // bytes that the peer's kernel has confirmed
	waiting  uint64        // bytes that were written and are not confirmed
	received time.Duration // how long ago the peer's last bytes came
	blocked  bool
}

// New returns a Meter for a connection, or for the one below it that goes over
// the network (tls.Conn.NetConn).
func New(nc net.Conn) Meter {
	if over, ok := nc.(interface{ NetConn() net.Conn }); ok {
		nc = over.NetConn()
	}
	if sc, ok := nc.(syscall.Conn); ok {
		if raw, err := sc.SyscallConn(); err == nil {
			return Meter{raw: raw}
		}
	}
	return Meter{}
}

// Able tells whether the kernel counts for a connection over which something
// has gone. Any goroutine may ask.
func (m *Meter) Able() bool {
	if m.raw == nil {
		return false
	}
	_, ok := read(m.raw)
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
	if m.raw == nil {
		return Signs{}, false
	}
	now, ok := read(m.raw)
	if !ok {
		m.seen = false
		return Signs{}, false
	}
	now.blocked = blocked
	signs := Signs{Took: m.seen && tookSome(m.last, now), Sent: now.received}
	m.last, m.seen = now, true
	return signs, true
}

func tookSome(last, now sample) bool {
	took := now.acked - last.acked
	return took > 0 && (last.blocked && now.blocked || took < last.waiting)
}

// Behind tells whether bytes were waiting for the peer at the last Look: then
// another should follow soon.
func (m *Meter) Behind() bool { return m.seen && (m.last.blocked || m.last.waiting > 0) }

// Forget has the next Look compare with none before it.
func (m *Meter) Forget() { m.seen = false }
