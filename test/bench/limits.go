package main

import (
	"fmt"
	"syscall"
)

// spareFiles is what a process opens besides its sessions.
const spareFiles = 200

// raiseFileLimit allows this process and the servers it starts so many sessions at once. Go raises its own
// limit at the start and gives children the old one, unless it was set by hand.
func raiseFileLimit(sessions int) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("limit of open files: %w", err)
	}
	want := uint64(sessions + spareFiles)
	if limit.Max < want {
		return fmt.Errorf("%d sessions need a limit of %d open files, the most allowed here is %d (ulimit -Hn)", sessions, want, limit.Max)
	}
	limit.Cur = max(want, limit.Cur)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("limit of open files: %w", err)
	}
	return nil
}
