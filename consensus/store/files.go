package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// files performs the file operations of a store, through its Disk if it has one.
// What runs for every append asks for disk itself, as the closures cost
// allocations.
type files struct {
	disk Disk // nil: the machine's own
}

func (d files) do(kind OpKind, path string, do func() error) error {
	return d.run(Op{Kind: kind, Path: path}, do)
}

func (d files) run(op Op, do func() error) error {
	if d.disk == nil {
		return do()
	}
	return d.disk.Do(op, do)
}

func (d files) room(dir string) (free, total int64, err error) {
	if d.disk == nil {
		return freeBytes(dir)
	}
	return d.disk.Room(dir)
}

// syncDir makes creations, renames and removals in dir durable.
func (d files) syncDir(dir string) error {
	return d.do(OpSyncDir, dir, func() error { return syncPath(dir, os.O_RDONLY) })
}

// syncFile makes a file durable that others have written.
func (d files) syncFile(path string) error {
	return d.do(OpSync, path, func() error { return syncPath(path, os.O_RDWR) })
}

// renewSync makes a file durable that a process before this one has written,
// whose sync may have failed. The kernel then takes for clean, and for durable,
// what never came to the disk; only what is written again is synced again. A
// crash on the way does no harm: the same bytes are in the same place.
func (d files) renewSync(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("store: open %s: %w", path, err)
	}
	err = d.renew(f)
	if err == nil {
		err = d.sync(f)
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("store: make %s durable: %w", path, err)
	}
	return nil
}

// renew writes again what was ever written to f, zeros too: they may stand for
// a batch that was cut off. Preallocated space that nobody has written to is
// left alone, since it reads as zeros in any case.
func (d files) renew(f *os.File) error {
	block, off := make([]byte, mib), int64(0)
	for {
		var err error
		if off, err = f.Seek(off, unix.SEEK_DATA); errors.Is(err, unix.ENXIO) {
			return nil // that was all
		}
		if err != nil {
			return err
		}
		n, err := d.reader(f).ReadAt(block, off)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if _, err := d.writeAt(f, block[:n], off); err != nil {
			return err
		}
		off += int64(n)
	}
}

func syncPath(path string, flag int) error {
	f, err := os.OpenFile(path, flag, 0)
	if err != nil {
		return fmt.Errorf("store: open %s: %w", path, err)
	}
	err = f.Sync()
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("store: sync %s: %w", path, err)
	}
	return nil
}

// create makes or empties a file and opens it for writing; see os.OpenFile for
// what else flag may say.
func (d files) create(path string, flag int) (f *os.File, err error) {
	err = d.do(OpCreate, path, func() (err error) {
		f, err = os.OpenFile(path, os.O_CREATE|flag, 0o600)
		return err
	})
	if err != nil && f != nil {
		f.Close()
		f = nil
	}
	return f, err
}

func (d files) writeAt(f *os.File, p []byte, off int64) (n int, err error) {
	err = d.run(Op{Kind: OpWrite, Path: f.Name(), Off: off, Len: len(p)}, func() error {
		n, err = f.WriteAt(p, off)
		return err
	})
	return n, err
}

func (d files) sync(f *os.File) error { return d.do(OpSync, f.Name(), f.Sync) }

func (d files) rename(from, to string) error {
	return d.run(Op{Kind: OpRename, Path: from, To: to}, func() error { return os.Rename(from, to) })
}

func (d files) remove(path string) error {
	return d.do(OpRemove, path, func() error { return os.Remove(path) })
}

func (d files) removeAll(path string) error {
	return d.do(OpRemove, path, func() error { return os.RemoveAll(path) })
}

func (d files) mkdirAll(path string) error {
	return d.do(OpMkdir, path, func() error { return os.MkdirAll(path, 0o700) })
}

// MakeDir makes a directory that a power failure does not take away again, with
// all that is in it; it may be there already. disk may be nil.
func MakeDir(disk Disk, dir string) error { return files{disk}.makeDir(dir) }

func (d files) makeDir(dir string) error {
	parents := []string{filepath.Dir(dir)} // also of one that a killed process has made
	for at := parents[0]; ; at = filepath.Dir(at) {
		there, err := exists(at)
		if err != nil {
			return err
		}
		if there || at == filepath.Dir(at) {
			break
		}
		parents = append(parents, filepath.Dir(at))
	}
	if err := d.mkdirAll(dir); err != nil {
		return fmt.Errorf("store: create directory %s: %w", dir, err)
	}
	for _, at := range parents {
		if err := d.syncDir(at); err != nil && !errors.Is(err, os.ErrPermission) { // it is somebody else's
			return err
		}
	}
	return nil
}

func (d files) readFile(path string) (b []byte, err error) {
	err = d.do(OpRead, path, func() (err error) {
		b, err = os.ReadFile(path)
		return err
	})
	return b, err
}

// reader makes each read of f an operation.
func (d files) reader(f *os.File) io.ReaderAt {
	if d.disk == nil {
		return f
	}
	return diskReader{d, f.Name(), f}
}

type diskReader struct {
	files files
	path  string
	r     io.ReaderAt
}

func (r diskReader) ReadAt(p []byte, off int64) (n int, err error) {
	err = r.files.do(OpRead, r.path, func() error {
		n, err = r.r.ReadAt(p, off)
		return err
	})
	return n, err
}

// ReadFile reads a file through disk, which may be nil.
func ReadFile(disk Disk, path string) ([]byte, error) { return files{disk}.readFile(path) }

// ReplaceFile replaces path with data: after a crash it is the old file or
// the new one, never a mixture, and the new one once it has returned nil. One
// goroutine at a time may do so for a path. disk may be nil.
func ReplaceFile(disk Disk, path string, data []byte) error { return files{disk}.replace(path, data) }

func (d files) replace(path string, data []byte) error {
	tmp := path + ".tmp"
	f, err := d.create(tmp, os.O_TRUNC|os.O_WRONLY)
	if err != nil {
		return fmt.Errorf("store: create %s: %w", tmp, err)
	}
	_, err = d.writeAt(f, data, 0)
	if err == nil {
		err = d.sync(f)
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = d.rename(tmp, path)
	}
	if err != nil {
		_ = d.remove(tmp)
		return fmt.Errorf("store: write %s: %w", path, diskFull(err))
	}
	return d.syncDir(filepath.Dir(path))
}

func exists(path string) (bool, error) {
	_, err := os.Lstat(path)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("store: stat %s: %w", path, err)
	}
	return true, nil
}
