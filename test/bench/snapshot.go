package main

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// snapshotQuiet is how long nothing must have been written before a snapshot counts as over.
const snapshotQuiet = 100 * time.Millisecond

// configure sets a key of zoo.cfg for the next start.
func (s *server) configure(key, value string) error {
	b, err := os.ReadFile(s.cfg())
	if err != nil {
		return err
	}
	lines := slices.DeleteFunc(strings.SplitAfter(string(b), "\n"), func(line string) bool { return strings.HasPrefix(line, key+"=") })
	return os.WriteFile(s.cfg(), []byte(strings.Join(lines, "")+key+"="+value+"\n"), 0o644)
}

// restart stops the server in good order and starts it.
func (s *server) restart(ctx context.Context) error {
	s.terminate()
	return s.start(ctx)
}

// snapshotWatch tells from the sizes of snapshot files whether one is being written. It looks from
// outside, so that it works alike for every kind of server.
type snapshotWatch struct {
	sizes      map[string]int64
	lastGrowth time.Time
	running    bool
}

func (w *snapshotWatch) look(sizes map[string]int64, now time.Time) {
	for path, n := range sizes {
		if old, known := w.sizes[path]; !known || n != old {
			w.running, w.lastGrowth = true, now
		}
	}
	if w.running && now.Sub(w.lastGrowth) > snapshotQuiet {
		w.running = false
	}
	w.sizes = sizes
}

// snapshotSizes: files with "snap" in their own name or in that of a directory below dir.
func snapshotSizes(dir string) map[string]int64 {
	sizes := make(map[string]int64)
	walkFiles(dir, func(path string, info fs.FileInfo) {
		if isSnapshot(dir, path) {
			sizes[path] = info.Size()
		}
	})
	return sizes
}

func isSnapshot(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && strings.Contains(strings.ToLower(rel), "snap")
}

// disk is what a data directory takes, in allocated bytes: logs are laid out before they are written.
type disk struct {
	snapshots, rest int64
	snapshotFiles   int
	otherFiles      int
}

func diskOf(dir string) (d disk) {
	walkFiles(dir, func(path string, info fs.FileInfo) {
		n := info.Size()
		if st, ok := info.Sys().(*syscall.Stat_t); ok {
			n = st.Blocks * 512 // stat(2): in such units, whatever the file system's are
		}
		if isSnapshot(dir, path) {
			d.snapshots, d.snapshotFiles = d.snapshots+n, d.snapshotFiles+1
		} else {
			d.rest, d.otherFiles = d.rest+n, d.otherFiles+1
		}
	})
	return d
}

// walkFiles passes over what vanishes while it walks.
func walkFiles(dir string, visit func(path string, info fs.FileInfo)) {
	_ = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return nil
		}
		if info, err := e.Info(); err == nil {
			visit(path, info)
		}
		return nil
	})
}
