//go:build !race

package server

import (
	"syscall"
	"unsafe"
)

// readSocket and writeSocket are one system call each on a descriptor that does
// not block. Package syscall tells the scheduler of every call, which is meant
// for those that may take long: it wakes the runtime's monitor, and on a server
// that is otherwise idle that costs as much as the ping that came in.

func readSocket(fd uintptr, b []byte) (int, error) {
	return socketCall(syscall.SYS_READ, fd, b)
}

func writeSocket(fd uintptr, b []byte) (int, error) {
	return socketCall(syscall.SYS_WRITE, fd, b)
}

func socketCall(call, fd uintptr, b []byte) (int, error) {
	for {
		n, _, errno := syscall.RawSyscall(call, fd, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
		switch errno {
		case 0:
			return int(n), nil
		case syscall.EINTR:
			continue
		}
		return 0, errno
	}
}
