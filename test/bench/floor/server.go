// Package floor is a server without state that speaks as much of ZooKeeper's protocol as the workloads of
// the bench use. It answers every request with a fixed reply: one thread, one epoll loop, one read for all
// requests that have come on a connection and one write for all their replies, nothing allocated, nothing
// kept but watches. What a server of this protocol costs beyond that is its own doing, so the bench reads zkd's figures
// against it. Linux only.
package floor

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"runtime"
	"syscall"
	"unsafe"
)

const (
	readSize = 64 << 10
	// maxFrame is far above what a workload sends; a longer one is taken for a broken stream.
	maxFrame   = 16 << 20
	lengthSize = 4
	backlog    = 4096
)

// Server is one loop. Serve runs it; only Close may be called meanwhile.
type Server struct {
	listener int
	poll     int
	addr     string
	replies  *Replies
	conns    []*conn // by file descriptor
	in, out  []byte  // of the connection being served
	watches  watches
}

// conn is one connection between two events.
type conn struct {
	fd        int
	connected bool   // the handshake is over
	rest      []byte // the beginning of a frame whose end has not come
	unsent    []byte // replies the kernel had no room for; nothing is read until it has
	events    []byte // of watches, to be sent when the requests at hand are answered
}

// Listen opens the port. getData will answer with data.
func Listen(addr string, data []byte) (_ *Server, err error) {
	tcp, err := net.ResolveTCPAddr("tcp4", addr)
	if err != nil {
		return nil, fmt.Errorf("floor: %w", err)
	}
	s := &Server{listener: -1, poll: -1, replies: NewReplies(data), in: make([]byte, readSize), out: make([]byte, 0, 4*readSize)}
	defer func() {
		if err != nil {
			s.closeAll()
			err = fmt.Errorf("floor: listen on %s: %w", addr, err)
		}
	}()
	if s.listener, err = syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0); err != nil {
		return nil, err
	}
	at := &syscall.SockaddrInet4{Port: tcp.Port}
	copy(at.Addr[:], tcp.IP.To4())
	if err = errors.Join(syscall.SetsockoptInt(s.listener, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1),
		syscall.Bind(s.listener, at), syscall.Listen(s.listener, backlog)); err != nil {
		return nil, err
	}
	bound, err := syscall.Getsockname(s.listener)
	if err != nil {
		return nil, err
	}
	s.addr = (&net.TCPAddr{IP: tcp.IP, Port: bound.(*syscall.SockaddrInet4).Port}).String()
	if s.poll, err = syscall.EpollCreate1(syscall.EPOLL_CLOEXEC); err != nil {
		return nil, err
	}
	return s, s.control(syscall.EPOLL_CTL_ADD, s.listener, syscall.EPOLLIN)
}

// Addr is where the server listens.
func (s *Server) Addr() string { return s.addr }

// Close makes Serve return.
func (s *Server) Close() error { return syscall.Shutdown(s.listener, syscall.SHUT_RD) }

func (s *Server) closeAll() {
	for _, c := range s.conns {
		if c != nil {
			_ = syscall.Close(c.fd)
		}
	}
	for _, fd := range []int{s.listener, s.poll} {
		if fd >= 0 {
			_ = syscall.Close(fd)
		}
	}
}

func (s *Server) control(op, fd int, events uint32) error {
	return syscall.EpollCtl(s.poll, op, fd, &syscall.EpollEvent{Events: events, Fd: int32(fd)})
}

// Serve answers until Close. The calling goroutine keeps its thread, whose system calls are raw: Go's
// scheduler has no part in it.
func (s *Server) Serve() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer s.closeAll()
	var events [256]syscall.EpollEvent
	for {
		n, _, errno := syscall.RawSyscall6(syscall.SYS_EPOLL_WAIT, uintptr(s.poll), uintptr(unsafe.Pointer(&events[0])), uintptr(len(events)), ^uintptr(0), 0, 0)
		if errno == syscall.EINTR {
			runtime.Gosched() // perhaps the signal was Go's, whose collector waits for this goroutine to stop
			continue
		}
		if errno != 0 {
			return fmt.Errorf("floor: epoll: %w", errno)
		}
		for i := range events[:n] {
			fd := int(events[i].Fd)
			if fd == s.listener {
				if closed, err := s.accept(); closed || err != nil {
					return err
				}
			} else if c := s.conns[fd]; c != nil && !s.serve(c) {
				s.drop(c)
			}
			s.sendEvents()
		}
	}
}

// accept takes all connections that wait.
func (s *Server) accept() (closed bool, err error) {
	for {
		fd, _, err := syscall.Accept4(s.listener, syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC)
		switch {
		case err == syscall.EAGAIN:
			return false, nil
		case err == syscall.EINVAL: // it was shut down
			return true, nil
		case err == syscall.EINTR || err == syscall.ECONNABORTED:
			continue
		case err != nil:
			return false, fmt.Errorf("floor: accept: %w", err)
		}
		if err := errors.Join(syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1), s.control(syscall.EPOLL_CTL_ADD, fd, syscall.EPOLLIN)); err != nil {
			return false, fmt.Errorf("floor: set up connection: %w", err)
		}
		for fd >= len(s.conns) {
			s.conns = append(s.conns, nil)
		}
		s.conns[fd] = &conn{fd: fd}
	}
}

func (s *Server) drop(c *conn) {
	s.conns[c.fd] = nil
	_ = syscall.Close(c.fd)
}

// serve answers what has come; false: the connection is over.
func (s *Server) serve(c *conn) bool {
	if len(c.unsent) > 0 {
		return s.resume(c)
	}
	at := copy(s.in, c.rest)
	n, errno := call(syscall.SYS_READ, c.fd, s.in[at:])
	if errno == syscall.EAGAIN || errno == syscall.EINTR {
		return true
	}
	if errno != 0 || n == 0 {
		return false
	}
	in := s.in[:at+n]
	out := s.out[:0]
	for len(in) >= lengthSize {
		size := int(binary.BigEndian.Uint32(in))
		if size > maxFrame {
			return false
		}
		if len(in) < lengthSize+size {
			s.reserve(lengthSize + size)
			break
		}
		var ok bool
		if out, ok = s.answer(c, out, in[lengthSize:lengthSize+size]); !ok {
			return false
		}
		in = in[lengthSize+size:]
	}
	c.rest = append(c.rest[:0], in...)
	s.out = out
	return s.write(c, out)
}

// reserve makes room for a frame that is longer than the buffer.
func (s *Server) reserve(n int) {
	if n > len(s.in) {
		s.in = append(s.in, make([]byte, n-len(s.in))...)
	}
}

// answer appends the reply to one frame; false: it broke the protocol.
func (s *Server) answer(c *conn, out, frame []byte) ([]byte, bool) {
	if !c.connected {
		c.connected = true
		return appendConnectResponse(out, frame)
	}
	s.watches.note(c, frame)
	return s.replies.Append(out, frame)
}

func (s *Server) write(c *conn, out []byte) bool {
	if len(out) == 0 {
		return true
	}
	n, errno := call(syscall.SYS_WRITE, c.fd, out)
	if errno != 0 && errno != syscall.EAGAIN && errno != syscall.EINTR {
		return false
	}
	if n == len(out) {
		return true
	}
	c.unsent = append(c.unsent[:0], out[max(n, 0):]...)
	return s.control(syscall.EPOLL_CTL_MOD, c.fd, syscall.EPOLLOUT) == nil
}

// resume sends what was left over and, when it is gone, reads again.
func (s *Server) resume(c *conn) bool {
	n, errno := call(syscall.SYS_WRITE, c.fd, c.unsent)
	if errno == syscall.EAGAIN || errno == syscall.EINTR {
		return true
	}
	if errno != 0 {
		return false
	}
	c.unsent = c.unsent[:copy(c.unsent, c.unsent[n:])]
	return len(c.unsent) > 0 || s.control(syscall.EPOLL_CTL_MOD, c.fd, syscall.EPOLLIN) == nil
}

// call is a raw read or write of a non-blocking file descriptor.
func call(trap uintptr, fd int, b []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall(trap, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
	return int(n), errno
}
