//go:build !linux

package store

import "golang.org/x/sys/unix"

// datasync falls back to a full fsync where fdatasync is missing.
func datasync(fd uintptr) error {
	for {
		if err := unix.Fsync(int(fd)); err != unix.EINTR {
			return err
		}
	}
}
