// Package zkfile knows the files in which a ZooKeeper server keeps its data.
package zkfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Files are snapshots and transaction logs that lie in one directory.
type Files struct {
	Dir   string
	Names []string
}

// version is the directory below dataDir and dataLogDir that ZooKeeper keeps its
// files in (org.apache.zookeeper.server.persistence.FileTxnSnapLog).
const version = "version-2"

// Find looks for ZooKeeper's data below dataDir or dataLogDir, or in it: where
// version-2 itself was mounted, or copied without its name. It returns nil if
// there is none; myid, epochs and an empty version-2 are no data.
func Find(dir string) (*Files, error) {
	for _, in := range []string{filepath.Join(dir, version), dir} {
		found, err := list(in)
		if err != nil || found != nil {
			return found, err
		}
	}
	return nil, nil
}

// Near looks for ZooKeeper's data around a directory: one further down, in the
// parent and in the parent's other directories. A ZooKeeper server would not find
// it from dir either.
func Near(dir string) *Files {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil
	}
	if found := below(dir); found != nil {
		return found
	}
	up := filepath.Dir(dir)
	if up == filepath.Dir(up) {
		return nil // beside it is the whole machine
	}
	if found, _ := list(filepath.Join(up, version)); found != nil {
		return found
	}
	return below(up)
}

// below looks into the directories of dir. What cannot be looked into is somebody
// else's.
func below(dir string) *Files {
	entries, _ := readDir(dir)
	for _, e := range entries {
		if !e.IsDir() || e.Name() == version {
			continue
		}
		if found, _ := list(filepath.Join(dir, e.Name(), version)); found != nil {
			return found
		}
	}
	return nil
}

func list(dir string) (*Files, error) {
	entries, err := readDir(dir)
	if err != nil {
		return nil, err
	}
	files := Files{Dir: dir}
	for _, e := range entries {
		if e.IsDir() || !named(e.Name()) {
			continue
		}
		if filepath.Base(dir) != version && !begins(filepath.Join(dir, e.Name())) {
			continue
		}
		files.Names = append(files.Names, e.Name())
	}
	if len(files.Names) == 0 {
		return nil, nil
	}
	return &files, nil
}

func readDir(dir string) ([]fs.DirEntry, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || err != nil && !isDir(dir) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for ZooKeeper's data: %w", err)
	}
	return entries, nil
}

func isDir(path string) bool {
	fi, err := os.Stat(path)
	return err != nil || fi.IsDir()
}

// named tells whether ZooKeeper takes a file of this name for a snapshot or a
// log: snapshot.1c, snapshot.1c.gz, log.100000001 (org.apache.zookeeper.server.persistence.Util).
func named(name string) bool {
	parts := strings.Split(name, ".")
	if len(parts) < 2 || parts[0] != "snapshot" && parts[0] != "log" {
		return false
	}
	_, err := strconv.ParseInt(parts[1], 16, 64)
	return err == nil
}

// begins tells whether a file begins as a snapshot or a log does, compressed or not.
func begins(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, 8)
	n, _ := io.ReadFull(f, head)
	for _, magic := range []string{"ZKSN", "ZKLG", "\x1f\x8b", "\x82SNAPPY\x00"} {
		if bytes.HasPrefix(head[:n], []byte(magic)) {
			return true
		}
	}
	return false
}
