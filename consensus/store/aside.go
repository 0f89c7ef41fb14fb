package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	// asideDir, in Dir and in LogDir, keeps what was set aside.
	asideDir = "aside"

	// asideName in Dir says that the store there is being set aside, and why.
	// From the moment it is durable the store is as good as gone: whoever finds
	// it finishes the work. Then it moves to asideDir, for the operator to read.
	asideName = "ASIDE"
)

// SetAside takes a store out of use, whole: the next Open of the directories
// creates a blank one. For a replica that is damaged, has diverged, or does not
// belong to its ensemble any more; what it had acknowledged is forgotten, so it
// must never be counted under its old raft id again.
//
// Moved are log, vote, snapshots, bound and FORMAT: from dir to dir/aside, which
// is returned, and the log, if it has a directory of its own, from logDir to
// logDir/aside. All else stays, beside dir or in it. An older copy is removed
// first; only one is kept. Where there is no store nothing is done, and "" is
// returned.
//
// disk may be nil. A crash leaves the old store or, as soon as anybody opens it, a blank one with
// the whole copy aside. The error is ErrInUse while a process has the store open.
func SetAside(disk Disk, dir, logDir string, why error) (moved string, err error) {
	o := Options{Disk: disk, Dir: dir, LogDir: logDir, Engine: EngineWAL, RetainSnapshots: 1}
	if err := o.validate(); err != nil {
		return "", err
	}
	s := newStore(o)
	defer s.release()
	if err := s.takeDirs(); err != nil {
		return "", err
	}
	a := aside{files: s.files, dir: o.Dir, logDir: o.LogDir}
	if err := a.begin(why); err != nil || !a.begun {
		return "", err
	}
	return filepath.Join(a.dir, asideDir), a.finish()
}

// aside is the setting aside of one store. The caller holds its locks.
type aside struct {
	files       files
	dir, logDir string
	begun       bool
}

func (a *aside) dirs() []string {
	if a.dir == a.logDir {
		return []string{a.dir}
	}
	return []string{a.logDir, a.dir}
}

// begin makes the decision durable, unless it stands already or there is
// nothing to decide on.
func (a *aside) begin(why error) error {
	if err := a.look(); err != nil || a.begun {
		return err
	}
	found := false
	for _, dir := range a.dirs() {
		names, err := storeFiles(dir)
		if err != nil {
			return err
		}
		found = found || len(names) > 0
	}
	if !found {
		return nil
	}
	for _, dir := range a.dirs() {
		if err := a.files.removeAll(filepath.Join(dir, asideDir)); err != nil {
			return fmt.Errorf("store: remove the older copy: %w", err)
		}
	}
	note := fmt.Sprintf("set aside at %s: %v\n", time.Now().UTC().Format(time.RFC3339), why)
	if err := a.files.replace(filepath.Join(a.dir, asideName), []byte(note)); err != nil {
		return err
	}
	a.begun = true
	return nil
}

// look finds out whether a setting aside was begun and not finished.
func (a *aside) look() (err error) {
	a.begun, err = exists(filepath.Join(a.dir, asideName))
	return err
}

// finish moves what is left to move. It may be repeated.
func (a *aside) finish() error {
	for _, dir := range a.dirs() {
		names, err := storeFiles(dir)
		if err != nil {
			return err
		}
		if err := a.move(dir, names); err != nil {
			return err
		}
	}
	return a.move(a.dir, []string{asideName})
}

// move renames files of dir into its asideDir, durably.
func (a *aside) move(dir string, names []string) error {
	to := filepath.Join(dir, asideDir)
	if err := a.files.mkdirAll(to); err != nil {
		return fmt.Errorf("store: create %s: %w", to, diskFull(err))
	}
	for _, name := range names {
		if err := a.files.rename(filepath.Join(dir, name), filepath.Join(to, name)); err != nil {
			return fmt.Errorf("store: set aside: %w", diskFull(err))
		}
	}
	if err := a.files.syncDir(to); err != nil {
		return err
	}
	return a.files.syncDir(dir)
}

// finishAside completes, at Open, what a crash has cut short.
func (s *Store) finishAside() error {
	a := aside{files: s.files, dir: s.opt.Dir, logDir: s.opt.LogDir}
	if err := a.look(); err != nil || !a.begun {
		return err
	}
	s.log.Warn("the store was being set aside, which is finished now", "dir", s.opt.Dir, "kept", filepath.Join(s.opt.Dir, asideDir))
	return a.finish()
}

// Exists tells whether dir holds a store that was created to the end and is not
// being set aside: one whose content Open would find, and not make.
func Exists(dir string) (bool, error) {
	if there, err := replacing(dir); err != nil || there {
		return there, err
	}
	there, err := exists(filepath.Join(dir, stableName))
	if err != nil || !there {
		return false, err
	}
	gone, err := exists(filepath.Join(dir, asideName))
	return !gone, err
}

// storeFiles lists what in dir belongs to a store, but for its lock. The vote
// comes first: without it no version of zkd opens the rest.
func storeFiles(dir string) (names []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("store: list %s: %w", dir, err)
	}
	for _, e := range entries {
		switch name := strings.TrimSuffix(e.Name(), ".tmp"); {
		case name == stableName:
			names = slices.Insert(names, 0, e.Name())
		case name == formatName, name == boundName, name == snapDir, name == walMetaName, name == boltLogName,
			strings.HasSuffix(name, ".wal"):
			names = append(names, e.Name())
		}
	}
	return names, nil
}
