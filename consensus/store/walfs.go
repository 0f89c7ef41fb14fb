package store

import (
	"errors"
	"fmt"
	"io"
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
	files  files
	count  *counters
	failed func(error) // a write, sync or create went wrong

	reopened int64 // size limit of the segment that is opened again
	rotation rotation
	opened   []io.Closer // until the log is open: raft-wal forgets them if that fails
	open     bool

	// Of the append in progress.
	later bool     // its sync may be left to the caller,
	left  *walFile // and was, of this file

	mu    sync.Mutex
	sizes map[string]int64 // segment files and their sizes
}

func newWalFS(s *Store) *walFS {
	v := &walFS{
		VFS: fs.New(), dir: s.opt.LogDir, noSync: s.opt.NoSync, files: s.files, count: &s.counters,
		sizes: map[string]int64{},
	}
	v.failed = func(err error) {
		s.fail.fail(err)
		v.rotation.end() // there will be none
	}
	return v
}

// settle makes durable what is there. A process that was killed between a write
// and its sync has left it in the page cache, where it looks like the rest of
// the log: raft would count on it, and a segment list on the segment. That is
// one file at most, but which shows only when they are read. One whose sync has
// failed has left it there, too: it is in the last file, or in the one before if
// there was still time for another.
func (v *walFS) settle() error {
	if v.noSync || mutant.Is(mutant.Reopen) {
		return nil
	}
	paths, err := filepath.Glob(filepath.Join(v.dir, "*.wal"))
	if err != nil {
		return fmt.Errorf("store: list segments in %s: %w", v.dir, err)
	}
	for i, path := range paths { // in the order of their entries
		settle := v.files.syncFile
		if i >= len(paths)-2 {
			settle = v.files.renewSync
		}
		if err := settle(path); err != nil {
			return err
		}
	}
	return v.files.syncDir(v.dir)
}

func (v *walFS) Create(dir, name string, size uint64) (types.WritableFile, error) {
	var f types.WritableFile
	path := filepath.Join(dir, name)
	err := v.files.do(OpCreate, path, func() (err error) {
		f, err = v.VFS.Create(dir, name, size)
		return err
	})
	if err != nil {
		// What Create has left behind is removed: its name would block the
		// next try, and on a full disk its blocks are missed elsewhere.
		if !errors.Is(err, os.ErrExist) {
			_ = v.files.remove(path)
		}
		err = fmt.Errorf("store: create segment %s: %w", path, diskFull(err))
		v.failed(err)
		return nil, err
	}
	v.resize(name, int64(size))
	return &walFile{WritableFile: f, fs: v, name: name, path: path, limit: int64(size)}, nil
}

func (v *walFS) OpenWriter(dir, name string) (types.WritableFile, error) {
	f, err := v.VFS.OpenWriter(dir, name)
	if err != nil {
		return nil, err
	}
	v.note(name)
	v.remember(f)
	return &walFile{WritableFile: f, fs: v, name: name, path: filepath.Join(dir, name), limit: v.reopened}, nil
}

func (v *walFS) OpenReader(dir, name string) (types.ReadableFile, error) {
	v.note(name)
	f, err := v.VFS.OpenReader(dir, name)
	if err != nil {
		return nil, err
	}
	v.remember(f)
	if v.files.disk == nil {
		return f, nil
	}
	return walReader{f, diskReader{v.files, filepath.Join(dir, name), f}}, nil
}

func (v *walFS) remember(f io.Closer) {
	if !v.open {
		v.opened = append(v.opened, f)
	}
}

// forget ends the opening of the log, and closes what was opened if it failed.
func (v *walFS) forget(err error) {
	for _, f := range v.opened {
		if err != nil {
			_ = f.Close() // it was read, if anything
		}
	}
	v.opened, v.open = nil, true
}

func (v *walFS) Delete(dir, name string) error {
	v.mu.Lock()
	delete(v.sizes, name)
	v.mu.Unlock()
	if err := v.files.remove(filepath.Join(dir, name)); err != nil {
		return err
	}
	return v.files.syncDir(dir)
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
	path   string
	limit  int64 // a segment that grows beyond is sealed
	synced bool
	size   int64
}

// walReader is a segment that is read through a Disk.
type walReader struct {
	types.ReadableFile
	r diskReader
}

func (f walReader) ReadAt(p []byte, off int64) (int, error) { return f.r.ReadAt(p, off) }

// ReadAt reads what other goroutines want of the segment being written.
func (f *walFile) ReadAt(p []byte, off int64) (int, error) {
	if f.fs.files.disk == nil {
		return f.WritableFile.ReadAt(p, off)
	}
	return diskReader{f.fs.files, f.path, f.WritableFile}.ReadAt(p, off)
}

func (f *walFile) write(p []byte, off int64) (n int, err error) {
	if f.fs.files.disk == nil {
		return f.WritableFile.WriteAt(p, off)
	}
	return f.writeThrough(p, off)
}

func (f *walFile) writeThrough(p []byte, off int64) (n int, err error) {
	err = f.fs.files.run(Op{Kind: OpWrite, Path: f.path, Off: off, Len: len(p)}, func() error {
		n, err = f.WritableFile.WriteAt(p, off)
		return err
	})
	return n, err
}

func (f *walFile) WriteAt(p []byte, off int64) (n int, err error) {
	n, err = f.write(p, off)
	if err != nil {
		err = fmt.Errorf("store: write %s at offset %d: %w", f.path, off, diskFull(err))
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

func (f *walFile) syncNow() (err error) {
	if f.fs.noSync {
		return nil
	}
	f.fs.count.syncs.Add(1)
	if err = f.sync(); err != nil {
		err = fmt.Errorf("store: sync %s: %w", f.path, diskFull(err))
		f.fs.failed(err)
	}
	return err
}

func (f *walFile) sync() (err error) {
	if d := f.fs.files.disk; d == nil {
		err = f.syncContents()
	} else {
		err = d.Do(Op{Kind: OpSync, Path: f.path}, f.syncContents)
	}
	if err != nil || f.synced {
		return err
	}
	f.synced = true
	return f.fs.files.syncDir(f.fs.dir)
}

func (f *walFile) syncContents() error {
	if fd, ok := f.WritableFile.(interface{ Fd() uintptr }); ok && f.synced {
		return datasync(fd.Fd())
	}
	return f.WritableFile.Sync()
}
