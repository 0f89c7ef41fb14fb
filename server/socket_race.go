//go:build race

package server

import "syscall"

// The ordinary calls tell the race detector that whoever has read a reply comes
// behind whoever wrote it: tests in this process rely on that.

func readSocket(fd uintptr, b []byte) (n int, err error) {
	for {
		if n, err = syscall.Read(int(fd), b); err != syscall.EINTR {
			return max(n, 0), err
		}
	}
}

func writeSocket(fd uintptr, b []byte) (n int, err error) {
	for {
		if n, err = syscall.Write(int(fd), b); err != syscall.EINTR {
			return max(n, 0), err
		}
	}
}
