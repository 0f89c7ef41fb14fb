package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"zkd/conf"
)

// dynamicFile writes the members into a file beside zoo.cfg whenever they
// change, as ZooKeeper does, so that a way back to it stays open. Unlike
// ZooKeeper it leaves zoo.cfg as it is: that is the operator's.
type dynamicFile struct {
	config string // path of zoo.cfg, "" for none
	have   int64  // the version that zoo.cfg refers to
	log    *slog.Logger
	wake   chan struct{} // has one element when there is something to write

	mu      sync.Mutex
	servers memberList // the newest
	version int64
}

func newDynamicFile(cfg *conf.Config, log *slog.Logger) *dynamicFile {
	d := &dynamicFile{have: cfg.DynamicVersion, log: log, wake: make(chan struct{}, 1)}
	if cfg.File != "" && cfg.EnsembleMode() {
		d.config = absolute(cfg.File)
	}
	return d
}

// note tells of the members as they are now. It does not wait.
func (d *dynamicFile) note(servers memberList, version int64) {
	d.mu.Lock()
	d.servers, d.version = servers, version
	d.mu.Unlock()
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// run writes what note was told until ctx ends.
func (d *dynamicFile) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.wake:
		}
		d.mu.Lock()
		servers, version := d.servers, d.version
		d.mu.Unlock()
		// Version 0 has no file in ZooKeeper either.
		if d.config == "" || version <= d.have {
			continue
		}
		path := d.path(version)
		switch written, err := writeOnce(path, servers.String()); {
		case err != nil:
			d.log.Warn("the members cannot be written beside zoo.cfg; the ensemble does not need the file", "path", path, "err", err)
		case written:
			d.log.Info("members written; to have them in zoo.cfg, put this line in the place of its server lines",
				"line", "dynamicConfigFile="+path)
		}
	}
}

func (d *dynamicFile) path(version int64) string {
	return fmt.Sprintf("%s.dynamic.%x", d.config, uint64(version))
}

// writeOnce writes a file whole or not at all. One with that content already
// is left alone.
func writeOnce(path, text string) (written bool, err error) {
	old, err := os.ReadFile(path)
	switch {
	case err == nil && string(old) == text:
		return false, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return false, err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".dynamic-*")
	if err != nil {
		return false, err
	}
	_, err = f.WriteString(text)
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return false, errors.Join(err, os.Remove(f.Name()))
	}
	return true, nil
}
