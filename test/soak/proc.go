package soak

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// process is what /proc tells of one. What cannot be read is 0: it has ended.
type process struct {
	RSS         int64
	Descriptors int
	CPU         time.Duration
}

// clockTick is the unit of /proc/PID/stat; USER_HZ is 100 wherever Go runs on Linux.
const clockTick = 10 * time.Millisecond

func processOf(pid int) (p process) {
	if pid == 0 {
		return p
	}
	if fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid)); err == nil {
		p.Descriptors = len(fds)
	}
	if b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid)); err == nil {
		if f := bytes.Fields(b); len(f) > 1 {
			pages, _ := strconv.ParseInt(string(f[1]), 10, 64)
			p.RSS = pages * int64(os.Getpagesize())
		}
	}
	if b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil {
		// The command may hold blanks, and ends at the last parenthesis.
		if f := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:]); len(f) > 12 {
			user, _ := strconv.ParseInt(string(f[11]), 10, 64)
			system, _ := strconv.ParseInt(string(f[12]), 10, 64)
			p.CPU = time.Duration(user+system) * clockTick
		}
	}
	return p
}

// usage is what the files of a folder take on the disk, and how many there are. Files vanish meanwhile.
func usage(dir string) (size int64, files int) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		if info, err := d.Info(); err == nil {
			files++
			if st, ok := info.Sys().(*syscall.Stat_t); ok {
				size += st.Blocks * 512
			}
		}
		return nil
	})
	return size, files
}
