package soak

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"zkd/test/ensemble"
)

// diskSize is that of a small disk: room for what a server keeps, and not much more to fill.
const diskSize = 256 << 20

// disks are the small file systems of some servers, in memory, so that they can be full. The rest of the servers keep
// what they have on the machine's disk, with real syncs. The mounts belong to a mount namespace of this process
// (see reexec.go) and vanish with it.
type disks struct {
	mounted map[*ensemble.Server]bool
}

// mount gives a server that does not run a disk of its own.
func (d *disks) mount(s *ensemble.Server) error {
	if err := syscall.Mount("zkd-soak", s.DataDir(), "tmpfs", 0, fmt.Sprintf("size=%d", diskSize)); err != nil {
		return fmt.Errorf("mount a disk for %v: %w", s, err)
	}
	d.mounted[s] = true
	return s.SetMyID(s.ID)
}

// unmount gives all of them back.
func (d *disks) unmount() (err error) {
	for s := range d.mounted {
		err = errors.Join(err, syscall.Unmount(s.DataDir(), syscall.MNT_DETACH))
	}
	return err
}

func (d *disks) has(s *ensemble.Server) bool { return d.mounted[s] }

const ballast = "ballast"

// fill leaves not a byte.
func (d *disks) fill(s *ensemble.Server) error {
	f, err := os.OpenFile(filepath.Join(s.DataDir(), ballast), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	for chunk := make([]byte, 1<<20); len(chunk) > 0; {
		if _, err = f.Write(chunk); err != nil {
			chunk = chunk[:len(chunk)/2]
		}
	}
	if errors.Is(err, syscall.ENOSPC) {
		return nil
	}
	return err
}

func (d *disks) free(s *ensemble.Server) error { return os.Remove(filepath.Join(s.DataDir(), ballast)) }

// blank empties a disk, but for myid; the server must not run.
func (d *disks) blank(s *ensemble.Server) error {
	if !d.mounted[s] {
		return s.Blank()
	}
	entries, err := os.ReadDir(s.DataDir())
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(s.DataDir(), e.Name())); err != nil {
			return err
		}
	}
	return s.SetMyID(s.ID)
}

// damageable are the files that may be damaged: logs and snapshots, each sealed with checksums.
func damageable(path string) bool {
	return strings.HasSuffix(path, ".wal") || strings.Contains(path, "snapshots")
}
