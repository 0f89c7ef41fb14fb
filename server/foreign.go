package server

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"

	"zkd/conf"
	"zkd/proto/zkfile"
)

// keepsData tells whether a server of zkd has been started on a data directory.
func keepsData(dataDir string) (bool, error) {
	for _, name := range []string{storeName, storeName + ".id"} {
		_, err := os.Lstat(filepath.Join(dataDir, name))
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return err == nil, err
		}
	}
	return false, nil
}

// refuseZooKeeperData keeps a first start away from the data of a ZooKeeper
// server: it would show an empty tree in its place, and clients would take all
// that they know to be gone.
func refuseZooKeeperData(cfg *conf.Config, log *slog.Logger) error {
	own, err := keepsData(cfg.DataDir)
	if err != nil {
		return &dataError{err}
	}
	dirs := []string{cfg.DataDir}
	if cfg.DataLogDir != cfg.DataDir {
		dirs = append(dirs, cfg.DataLogDir)
	}
	for _, dir := range dirs {
		files, err := zkfile.Find(dir)
		switch {
		case err != nil && !own:
			return &dataError{err}
		case err != nil:
		case files != nil && (own || cfg.StartEmpty):
			log.Info("ZooKeeper's files are not read", "dir", files.Dir, "files", len(files.Names))
		case files != nil:
			return &dataError{fmt.Errorf("%s has the data of a ZooKeeper server (%s), and zkd has none here yet; "+
				"it cannot read that, and would start with an empty tree. "+
				"The command to import it, zkd import, comes with a later version; today copy the tree with a client from a ZooKeeper "+
				"server that runs on it to a zkd with a dataDir of its own, see docs/migration.md. "+
				"To start with an empty tree on purpose: zkd.startEmpty=true", files.Dir, some(files.Names))}
		}
		if own || cfg.StartEmpty {
			continue
		}
		if files := zkfile.Near(dir); files != nil {
			log.Warn("this server starts with an empty tree; is its data that of a ZooKeeper server in another directory? zkd cannot read it, see docs/migration.md",
				"dir", files.Dir, "files", some(files.Names))
		}
	}
	return nil
}

// some names the newest of the files, and says how many there are.
func some(names []string) string {
	if len(names) == 1 {
		return names[0]
	}
	return fmt.Sprintf("%s and %d more", slices.Max(names), len(names)-1)
}
