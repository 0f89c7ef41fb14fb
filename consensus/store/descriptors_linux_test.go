package store

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A log that cannot be read leaves no file open, whichever read it is that
// fails: a server may try again in the same process.
func TestFailedOpenLeavesNoFileOpen(t *testing.T) {
	o := opts(t.TempDir(), EngineWAL)
	s := mustOpen(t, o)
	for i := range uint64(4) {
		mustStore(t, s, batch(1+8*i, 8, 4*kib)...) // some segments
	}
	mustClose(t, s)
	failures := 0
	for reads := 0; ; reads++ {
		left := reads
		o.Disk = &faulty{before: func(op Op) error {
			if op.Kind == OpRead && strings.HasSuffix(op.Path, ".wal") {
				if left == 0 {
					return unix.EIO
				}
				left--
			}
			return nil
		}}
		s, err := Open(o)
		if err == nil {
			mustClose(t, s)
			break
		}
		failures++
		if open := openBelow(t, o.Dir); len(open) > 0 {
			t.Fatalf("read %d fails, %v is still open: %v", reads, open, err)
		}
	}
	if failures < 4 {
		t.Errorf("only %d reads failed", failures)
	}
}

// openBelow lists what this process has open below dir.
func openBelow(t *testing.T, dir string) (open []string) {
	const fds = "/proc/self/fd"
	entries, err := os.ReadDir(fds)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if path, err := os.Readlink(filepath.Join(fds, e.Name())); err == nil && strings.HasPrefix(path, dir) {
			open = append(open, path)
		}
	}
	return open
}
