package store

import "golang.org/x/sys/unix"

// datasync makes the contents of an open file durable, and of its metadata
// only what is needed to read them back. Segments are preallocated, so it
// usually spares the journal commit that fsync forces for the new mtime.
func datasync(fd uintptr) error {
	for {
		if err := unix.Fdatasync(int(fd)); err != unix.EINTR {
			return err
		}
	}
}
