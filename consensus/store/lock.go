package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

const lockName = "LOCK"

// lockDir takes an exclusive flock on dir/LOCK and writes our pid into it. The
// kernel drops the lock with the process, so a stale file never blocks a start.
func lockDir(dir string) (*os.File, error) {
	path := filepath.Join(dir, lockName)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("store: open lock file %s: %w", path, err)
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		holder, _ := io.ReadAll(io.LimitReader(f, 32))
		f.Close()
		return nil, fmt.Errorf("store: data directory %s is in use by another zkd (pid %s): %w",
			dir, pidText(holder), ErrInUse)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("store: lock %s: %w", path, err)
	}
	// The pid is for the eyes of the operator only: a failure to write it
	// (full disk) does not weaken the lock.
	if f.Truncate(0) == nil {
		fmt.Fprintf(io.NewOffsetWriter(f, 0), "%d\n", os.Getpid())
	}
	return f, nil
}

func pidText(b []byte) string {
	if s := strings.TrimSpace(string(b)); s != "" && strings.Trim(s, "0123456789") == "" {
		return s
	}
	return "unknown"
}
