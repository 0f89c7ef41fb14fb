package main

import (
	"fmt"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// poller is epoll without Go's network poller between: one thread serves every session, so a wake-up
// costs one system call and no goroutine switch. The generator shares two cores with the server it
// measures; what it does not use, the server gets.
type poller struct {
	fd     int
	events [256]syscall.EpollEvent
}

func newPoller() (*poller, error) {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	return &poller{fd: fd}, nil
}

func (p *poller) close() { _ = syscall.Close(p.fd) }

// add watches fd for input; id comes back from ready.
func (p *poller) add(fd, id int) error {
	return p.ctl(syscall.EPOLL_CTL_ADD, fd, id, false)
}

// wantWrite switches the wait for room in fd's send buffer on or off.
func (p *poller) wantWrite(fd, id int, on bool) error {
	return p.ctl(syscall.EPOLL_CTL_MOD, fd, id, on)
}

func (p *poller) ctl(op, fd, id int, out bool) error {
	ev := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(id)}
	if out {
		ev.Events |= syscall.EPOLLOUT
	}
	return syscall.EpollCtl(p.fd, op, fd, &ev)
}

// ready waits at most ms milliseconds and returns the events seen; none after a signal or timeout.
//
// The raw system call is deliberate: an ordinary blocking call makes Go's monitor thread take the
// processor away after 20 µs and so poll at that pace, which costs a tenth of a core.
func (p *poller) ready(ms int) ([]syscall.EpollEvent, error) {
	n, _, errno := syscall.RawSyscall6(syscall.SYS_EPOLL_WAIT, uintptr(p.fd),
		uintptr(unsafe.Pointer(&p.events[0])), uintptr(len(p.events)), uintptr(ms), 0, 0)
	return p.seen(n, errno)
}

// readyIn is ready with a wait of any length: an open loop's requests are due within a millisecond.
func (p *poller) readyIn(d time.Duration) ([]syscall.EpollEvent, error) {
	limit := syscall.NsecToTimespec(int64(d))
	n, _, errno := syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT2, uintptr(p.fd),
		uintptr(unsafe.Pointer(&p.events[0])), uintptr(len(p.events)), uintptr(unsafe.Pointer(&limit)), 0, 0)
	return p.seen(n, errno)
}

// seen is the events of a wait that has returned.
func (p *poller) seen(n uintptr, errno syscall.Errno) ([]syscall.EpollEvent, error) {
	switch errno {
	case 0:
		return p.events[:n], nil
	case syscall.EINTR:
		return nil, nil
	default:
		return nil, fmt.Errorf("epoll wait: %w", errno)
	}
}

// preciseTimers takes the 50 µs away by which Linux may lengthen this thread's waits.
func preciseTimers() { _ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) }

// rawRead and rawWrite never block: their fds are non-blocking. For the raw call see ready.
func rawRead(fd int, b []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall(syscall.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
	return int(n), errno
}

func rawWrite(fd int, b []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall(syscall.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
	return int(n), errno
}
