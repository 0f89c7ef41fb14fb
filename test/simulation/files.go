package simulation

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"zkd/consensus/store"
)

// plainDisk is the machine's own, with small segments.
type plainDisk struct{}

func (plainDisk) Do(_ store.Op, do func() error) error { return do() }
func (plainDisk) SegmentSize() int64                   { return 256 << 10 }

func (plainDisk) Room(dir string) (free, total int64, err error) {
	var st unix.Statfs_t
	err = unix.Statfs(dir, &st)
	return int64(st.Bavail) * st.Bsize, int64(st.Blocks) * st.Bsize, err
}

// disk is the disk that a process writes to.
func (h *host) disk(*process) store.Disk { return plainDisk{} }

// image returns a folder with what the death of a process has left on its disk. The process has the old one to itself.
func (h *host) image(*process, death) string {
	to := filepath.Join(h.run.dir, fmt.Sprintf("%d.%d", h.id, h.lives))
	if err := os.CopyFS(to, os.DirFS(h.dir)); err != nil {
		h.run.failf("copy the disk of server %d: %v", h.id, err)
	}
	return to
}
