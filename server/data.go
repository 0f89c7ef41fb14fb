package server

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"zkd/conf"
	"zkd/consensus/store"
)

// storeName is the directory of the log and the snapshots in dataDir, and of the
// log in dataLogDir.
const storeName = "raft"

// dataError is about the data directories rather than about their content.
type dataError struct{ err error }

func (e *dataError) Error() string {
	return "unable to use the data directory: " + e.err.Error()
}
func (e *dataError) Unwrap() error { return e.err }

// IsDataError tells whether Start failed because a data directory cannot be
// used.
func IsDataError(err error) bool {
	var d *dataError
	return errors.As(err, &d)
}

// writable tells why no file can be made in dir, if none can.
func writable(dir string) error {
	const writeSearch = 2 | 1 // W_OK, X_OK of access(2)
	if err := syscall.Access(dir, writeSearch); err != nil {
		return fmt.Errorf("%s is not writable: %w", dir, err)
	}
	return nil
}

// writeMyID puts this server's number on file where only the environment has
// told it: the next start may come without.
func writeMyID(cfg *conf.Config, disk store.Disk) error {
	if !cfg.NewMyID {
		return nil
	}
	err := store.ReplaceFile(disk, filepath.Join(cfg.DataDir, "myid"), fmt.Appendf(nil, "%d\n", cfg.ServerID))
	if err != nil {
		return &dataError{err}
	}
	return nil
}

// prepareDirs makes the data directories, unless they must exist already, and
// this server's number in them. It makes none if one of them cannot be used.
func prepareDirs(cfg *conf.Config, disk store.Disk) error {
	var missing []string
	for _, dir := range []string{cfg.DataDir, cfg.DataLogDir} {
		info, err := os.Stat(dir)
		switch {
		case errors.Is(err, os.ErrNotExist) && cfg.AutoCreate:
			missing, err = append(missing, dir), nil
		case err == nil && !info.IsDir():
			err = fmt.Errorf("%s is not a directory", dir)
		case err == nil:
			err = writable(dir)
		}
		if err != nil {
			return &dataError{err}
		}
	}
	for _, dir := range missing {
		if err := store.MakeDir(disk, dir); err != nil {
			return &dataError{err}
		}
	}
	return writeMyID(cfg, disk)
}
