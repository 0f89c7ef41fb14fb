package ensemble

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// smallDisk makes a file system of some bytes for a server, in memory. It is mounted nowhere: its path leads through a
// descriptor of this process and vanishes with it.
func smallDisk(t testing.TB, bytes int) string {
	t.Helper()
	fd, err := mountless(bytes)
	if err != nil {
		t.Skipf("no file system of its own for a server here: %v", err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), fd)
}

// FillDisk takes what is left of the server's disk, as somebody else's file; FreeDisk gives it back.
func (s *Server) FillDisk() error {
	f, err := os.OpenFile(s.ballast(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	for b := make([]byte, 1<<16); len(b) > 0; {
		if _, err := f.Write(b); errors.Is(err, syscall.ENOSPC) {
			b = b[:len(b)/2]
		} else if err != nil {
			return err
		}
	}
	return nil
}

// FreeDisk undoes FillDisk.
func (s *Server) FreeDisk() error { return os.Remove(s.ballast()) }

func (s *Server) ballast() string { return filepath.Join(s.disk, "ballast") }

// SaveData copies what the server has on its disk. It must not run.
func (s *Server) SaveData(t testing.TB) (kept string) {
	t.Helper()
	kept = t.TempDir()
	if err := os.CopyFS(kept, os.DirFS(s.DataDir())); err != nil {
		t.Fatal(err)
	}
	return kept
}

// PutData makes a copy the server's disk.
func (s *Server) PutData(t testing.TB, kept string) {
	t.Helper()
	if err := os.RemoveAll(s.DataDir()); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(s.DataDir(), os.DirFS(kept)); err != nil {
		t.Fatal(err)
	}
}
