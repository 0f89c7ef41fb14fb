package simulation

import (
	"fmt"
	"os"
	"path/filepath"

	"zkd/consensus/store"
)

// disk is the disk that a process writes to.
func (h *host) disk(*process) *store.Disk {
	return &store.Disk{
		Write:       func(string, int64, int) error { return nil },
		Sync:        func(_ string, do func() error) error { return do() },
		SegmentSize: 256 << 10,
	}
}

// image returns a folder with what the death of a process has left on its disk. The process has the old one to itself.
func (h *host) image(*process, death) string {
	to := filepath.Join(h.run.dir, fmt.Sprintf("%d.%d", h.id, h.lives))
	if err := os.CopyFS(to, os.DirFS(h.dir)); err != nil {
		h.run.failf("copy the disk of server %d: %v", h.id, err)
	}
	return to
}
