package soak

import (
	"io/fs"
	"path/filepath"
	"syscall"
	"time"

	"zkd/test/proc"
)

// process is what /proc tells of one. What cannot be read is 0: it has ended.
type process struct {
	RSS         int64
	Descriptors int
	CPU         time.Duration
}

func processOf(pid int) (p process) {
	if pid == 0 {
		return p
	}
	files, _ := proc.Descriptors(pid)
	memory, _ := proc.MemoryOf(pid)
	p.RSS, p.Descriptors = memory.RSS, len(files)
	p.CPU, _ = proc.CPU(pid)
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
