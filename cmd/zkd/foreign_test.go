package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"zkd/test/ports"
)

// A volume of ZooKeeper's is what ZooKeeper's exit code for a data directory is for.
func TestExitCodeForAZooKeeperVolume(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../proto/zkfile/testdata/split/data")); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "zoo.cfg")
	if err := os.WriteFile(file, fmt.Appendf(nil, "dataDir=%s\nclientPort=%d\nclientPortAddress=127.0.0.1\n", dir, ports.For(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	if code := run([]string{"server", file}); code != exitData {
		t.Errorf("exit code %d", code)
	}
}
