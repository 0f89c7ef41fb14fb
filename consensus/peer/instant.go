package peer

import (
	"net"
	"syscall"
)

// InstantWriter is a connection that can write without waiting, where it is not
// a socket's.
type InstantWriter interface {
	// WriteNow writes what the connection takes at once. That may be nothing.
	WriteNow(b []byte) (n int, err error)
}

// instant writes to a connection without waiting. It is for one goroutine at a
// time.
type instant struct {
	writer InstantWriter
	raw    syscall.RawConn // nil where the bytes cannot go straight to a socket

	// For one system call.
	take  func(fd uintptr) bool
	offer []byte
	taken int
	err   error
}

func (i *instant) init(c net.Conn) {
	i.writer, _ = c.(InstantWriter)
	if s, ok := c.(syscall.Conn); ok && i.writer == nil {
		i.raw, _ = s.SyscallConn()
	}
	i.take = i.takeNow
}

// write writes what the connection takes at once, which is nothing where it
// cannot be told that.
func (i *instant) write(b []byte) (int, error) {
	switch {
	case i.writer != nil:
		return i.writer.WriteNow(b)
	case i.raw == nil:
		return 0, nil
	}
	i.offer = b
	err := i.raw.Write(i.take)
	n := i.taken
	if err == nil && i.err != syscall.EAGAIN {
		err = i.err
	}
	i.offer, i.taken, i.err = nil, 0, nil
	return n, err
}

// takeNow is called by the runtime, once.
func (i *instant) takeNow(fd uintptr) bool {
	for {
		i.taken, i.err = syscall.Write(int(fd), i.offer)
		if i.err != syscall.EINTR {
			i.taken = max(i.taken, 0)
			return true
		}
	}
}
