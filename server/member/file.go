package member

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"zkd/conf"
)

// File keeps a file of this server's up to date with the members of the
// ensemble: the one that dynamicConfigFile names, or, where it names none, a new
// one beside zoo.cfg for each change, so that a way back to ZooKeeper stays open.
// Unlike ZooKeeper it leaves zoo.cfg as it is: that is the operator's. Nothing
// in the ensemble depends on either.
type File struct {
	config   string // path of zoo.cfg, "" for none
	followed string // path of the dynamic file, "" for none
	read     List   // what it had at the start
	have     int64  // the version of that
	log      *slog.Logger
	wake     chan struct{} // has one element when there is something to write
	warned   bool          // that followed cannot be written

	mu      sync.Mutex
	servers List // the newest
	version int64
}

// NewFile makes one for a server with that configuration. It writes nothing
// where that has no file, or where the server is its whole cluster.
func NewFile(cfg *conf.Config, log *slog.Logger) *File {
	f := &File{have: cfg.DynamicVersion, read: cfg.Servers, log: log, wake: make(chan struct{}, 1)}
	if cfg.File != "" && cfg.EnsembleMode() {
		f.config = absolute(cfg.File)
		if cfg.DynamicConfigFile != "" {
			f.followed = absolute(cfg.DynamicConfigFile)
		}
	}
	return f
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// Note tells of the members as they are now. It does not wait.
func (f *File) Note(servers List, version int64) {
	f.mu.Lock()
	f.servers, f.version = servers, version
	f.mu.Unlock()
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// Run writes what Note was told until ctx ends.
func (f *File) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.wake:
		}
		f.mu.Lock()
		servers, version := f.servers, f.version
		f.mu.Unlock()
		switch {
		case f.config == "" || version == 0: // version 0 has no file in ZooKeeper either
		case f.followed != "":
			f.follow(servers, version)
		case version > f.have:
			f.writeBeside(servers, version)
		}
	}
}

// follow writes the members into the dynamic file, with the line that tells
// their version: unlike a file beside zoo.cfg, its name does not. One that has
// these members in this version already is left alone.
func (f *File) follow(servers List, version int64) {
	if version == f.have && servers.String() == f.read.String() {
		return
	}
	err := replace(f.followed, servers.Text(version)+"\n")
	switch {
	case err == nil:
		f.read, f.have, f.warned = servers, version, false
		f.log.Info("members written", "path", f.followed, "version", fmt.Sprintf("%x", uint64(version)))
	case !f.warned:
		f.warned = true
		f.log.Warn("the members cannot be written into the dynamic file, which stays as it is; the ensemble does not need it, programs that read it may",
			"path", f.followed, "err", err)
	}
}

func (f *File) writeBeside(servers List, version int64) {
	path := f.path(version)
	if old, err := os.ReadFile(path); err == nil && string(old) == servers.String() {
		return
	}
	if err := replace(path, servers.String()); err != nil {
		f.log.Warn("the members cannot be written beside zoo.cfg; the ensemble does not need the file", "path", path, "err", err)
		return
	}
	f.log.Info("members written; to have them in zoo.cfg, put this line in the place of its server lines",
		"line", "dynamicConfigFile="+path)
}

func (f *File) path(version int64) string {
	return fmt.Sprintf("%s.dynamic.%x", f.config, uint64(version))
}

// replace writes a file whole or not at all. It goes through symbolic links, and
// keeps the permissions of a file that was there; one that nobody may write is
// not replaced, though its directory would allow it.
func replace(path, text string) error {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	mode := fs.FileMode(0o644)
	switch info, err := os.Stat(path); {
	case err == nil && !info.Mode().IsRegular():
		return &fs.PathError{Op: "write", Path: path, Err: errors.New("not a regular file")}
	case err == nil && info.Mode().Perm()&0o222 == 0:
		return &fs.PathError{Op: "write", Path: path, Err: fs.ErrPermission}
	case err == nil:
		mode = info.Mode().Perm()
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".dynamic-*")
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes a name durable, where the file system knows how.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		err = nil
	}
	return errors.Join(err, d.Close())
}
