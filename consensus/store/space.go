package store

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

const (
	kib = 1 << 10
	mib = 1 << 20

	// spaceCheckEvery and spaceCheckBytes bound how stale the free-space
	// figure may be: statfs costs a microsecond, too much for every append of a
	// hot log and nothing at ten times a second.
	spaceCheckEvery = 100 * time.Millisecond
	spaceCheckBytes = 4 * mib
)

// freeBytes is what an unprivileged writer may still use below dir.
func freeBytes(dir string) (free, total int64, err error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, 0, fmt.Errorf("store: statfs %s: %w", dir, err)
	}
	return int64(uint64(st.Bavail) * uint64(st.Bsize)), int64(uint64(st.Blocks) * uint64(st.Bsize)), nil
}

// space answers "may I write n more bytes?" for one directory.
type space struct {
	files   files
	dir     string
	min     int64
	checked time.Time
	budget  int64 // bytes that may be written before the next look
}

// take fails with ErrDiskFull when free space is below the low-water mark. Not
// safe for concurrent use.
func (s *space) take(n int64, now time.Time) error {
	s.budget -= n
	if s.budget > 0 && now.Sub(s.checked) < spaceCheckEvery {
		return nil
	}
	if err := s.files.requireFree(s.dir, s.min); err != nil {
		return err
	}
	s.checked, s.budget = now, spaceCheckBytes
	return nil
}

// requireFree fails with ErrDiskFull unless need bytes are free below dir.
func (d files) requireFree(dir string, need int64) error {
	free, _, err := d.room(dir)
	if err != nil {
		return err
	}
	if free < need {
		return fmt.Errorf("%w: %s has %d bytes free, %d are required", ErrDiskFull, dir, free, need)
	}
	return nil
}

// diskFull puts ErrDiskFull beside the operating system's words for it, so
// that callers need to know only one.
func diskFull(err error) error {
	if isDiskFull(err) && !errors.Is(err, ErrDiskFull) {
		return fmt.Errorf("%w: %w", ErrDiskFull, err)
	}
	return err
}

func isDiskFull(err error) bool {
	return errors.Is(err, ErrDiskFull) || errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT)
}
