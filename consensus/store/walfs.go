package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"sync"

	"github.com/hashicorp/raft-wal/fs"
	"github.com/hashicorp/raft-wal/types"

	"zkd/internal/mutant"
)

// walFS stands between raft-wal and its files. It counts, leaves syncs out when
// asked to, names files in errors, and reports every failed write: raft-wal
// only logs a failed rotation and then fails each append until it is reopened.
type walFS struct {
	types.VFS
	dir    string
	noSync bool
	hooks  *hooks
	disk   *Disk
	count  *counters
	failed func(error) // a write, sync or create went wrong

	reopened int64 // size limit of the segment that is opened again

	// Of the append in progress.
	later bool     // its sync may be left to the caller,
	left  *walFile // and was, of this file

	mu    sync.Mutex
	sizes map[string]int64 // segment files and their sizes
}

func newWalFS(s *Store) *walFS {
	return &walFS{
		VFS: fs.New(), dir: s.opt.LogDir, noSync: s.opt.NoSync, hooks: s.opt.hooks, disk: s.opt.Disk, count: &s.counters,
		failed: func(err error) { s.fail.fail(err) },
		sizes:  map[string]int64{},
	}
}

// settle makes durable what is there. A process that was killed between a write
// and its sync has left it in the page cache, where it looks like the rest of
// the log: raft would count on it, and a segment list on the segment. That is
// one file at most, but which shows only when they are read.
func (v *walFS) settle() error {
	if v.noSync || mutant.Is(mutant.Reopen) {
		return nil
	}
	paths, err := filepath.Glob(filepath.Join(v.dir, "*.wal"))
	if err != nil {
		return fmt.Errorf("store: list segments in %s: %w", v.dir, err)
	}
	for _, path := range paths {
		if err := v.disk.sync(path, func() error { return syncFile(path) }); err != nil {
			return err
		}
	}
	return syncDir(v.dir)
}

func (v *walFS) hook(pick func(*hooks) func(string) error, name string) error {
	if v.hooks == nil || pick(v.hooks) == nil {
		return nil
	}
	return pick(v.hooks)(name)
}

func (v *walFS) Create(dir, name string, size uint64) (types.WritableFile, error) {
	err := v.hook(func(h *hooks) func(string) error { return h.logCreate }, name)
	var f types.WritableFile
	if err == nil {
		f, err = v.VFS.Create(dir, name, size)
	}
	if err != nil {
		// What Create has left behind is removed: its name would block the
		// next try, and on a full disk its blocks are missed elsewhere.
		if !errors.Is(err, os.ErrExist) {
			os.Remove(filepath.Join(dir, name))
		}
		err = fmt.Errorf("store: create segment %s: %w", filepath.Join(dir, name), diskFull(err))
		v.failed(err)
		return nil, err
	}
	v.resize(name, int64(size))
	return &walFile{WritableFile: f, fs: v, name: name, limit: int64(size)}, nil
}

func (v *walFS) OpenWriter(dir, name string) (types.WritableFile, error) {
	f, err := v.VFS.OpenWriter(dir, name)
	if err != nil {
		return nil, err
	}
	v.note(name)
	return &walFile{WritableFile: f, fs: v, name: name, limit: v.reopened}, nil
}

func (v *walFS) OpenReader(dir, name string) (types.ReadableFile, error) {
	v.note(name)
	return v.VFS.OpenReader(dir, name)
}

func (v *walFS) Delete(dir, name string) error {
	v.mu.Lock()
	delete(v.sizes, name)
	v.mu.Unlock()
	return v.VFS.Delete(dir, name)
}

func (v *walFS) note(name string) {
	if fi, err := os.Stat(filepath.Join(v.dir, name)); err == nil {
		v.resize(name, fi.Size())
	}
}

// resize records that the file has at least size bytes.
func (v *walFS) resize(name string, size int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.sizes[name] = max(v.sizes[name], size)
}

func (v *walFS) total() (n int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, size := range v.sizes {
		n += size
	}
	return n
}

// segmentOf names the segment that holds index: names start with the base
// index in fixed width, so they sort by it.
func (v *walFS) segmentOf(index uint64) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	names := make([]string, 0, len(v.sizes))
	for name := range v.sizes {
		names = append(names, name)
	}
	sort.Strings(names)
	i := sort.SearchStrings(names, fmt.Sprintf("%020d-~", index)) // ~ sorts behind any id
	if i == 0 {
		return v.dir
	}
	return filepath.Join(v.dir, names[i-1])
}

// walFile is a segment being written. raft-wal has one writer at a time.
type walFile struct {
	types.WritableFile
	fs     *walFS
	name   string
	limit  int64 // a segment that grows beyond is sealed
	synced bool
	size   int64
}

func (f *walFile) path() string { return filepath.Join(f.fs.dir, f.name) }

func (f *walFile) WriteAt(p []byte, off int64) (n int, err error) {
	if err = f.fs.hook(func(h *hooks) func(string) error { return h.logWrite }, f.name); err == nil {
		err = f.fs.disk.write(f.path(), off, len(p))
	}
	if err == nil {
		n, err = f.WritableFile.WriteAt(p, off)
	}
	if err != nil {
		err = fmt.Errorf("store: write %s at offset %d: %w", filepath.Join(f.fs.dir, f.name), off, diskFull(err))
		f.fs.failed(err)
		return n, err
	}
	if end := off + int64(n); end > f.size {
		f.size = end
		f.fs.resize(f.name, end)
	}
	return n, nil
}

// Sync makes the appended batch durable. The first time it also settles the
// file's size and its name in the directory; also for a reopened file, because
// the crash that made us reopen it may have come before its first sync.
func (f *walFile) Sync() error {
	if f.fs.later && f.synced && (f.size <= f.limit || mutant.Is(mutant.Seal)) {
		// Not one that has sealed the segment: the list of segments, which says
		// so, must not be durable before.
		f.fs.left = f
		return nil
	}
	return f.syncNow()
}

func (f *walFile) syncNow() error {
	err := f.fs.hook(func(h *hooks) func(string) error { return h.logSync }, f.name)
	if err == nil && !f.fs.noSync {
		f.fs.count.syncs.Add(1)
		err = f.fs.disk.sync(f.path(), f.sync)
	}
	if err != nil {
		err = fmt.Errorf("store: sync %s: %w", filepath.Join(f.fs.dir, f.name), diskFull(err))
		f.fs.failed(err)
	}
	return err
}

func (f *walFile) sync() error {
	if fd, ok := f.WritableFile.(interface{ Fd() uintptr }); ok && f.synced {
		return datasync(fd.Fd())
	}
	if err := f.WritableFile.Sync(); err != nil {
		return err
	}
	f.synced = true
	return syncDir(f.fs.dir)
}
