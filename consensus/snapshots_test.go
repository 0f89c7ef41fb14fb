package consensus

import (
	"io"
	"os"
	"path/filepath"
	"testing"
)

// A snapshot that turns out damaged when it is to be sent is replaced by a new
// one without anybody asking.
func TestDamagedSnapshotIsReplaced(t *testing.T) {
	cfg := config(t, t.TempDir())
	m := newMachine(100)
	n := start(t, cfg, m)
	submit(n, 1, 100, "x")
	wait(t, m)
	if err := n.Snapshot(); err != nil {
		t.Fatal(err)
	}
	paths, err := filepath.Glob(filepath.Join(cfg.Store.Dir, "snapshots", "*.snap"))
	if err != nil || len(paths) != 1 {
		t.Fatal(paths, err)
	}
	b, err := os.ReadFile(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(paths[0], b, 0o600); err != nil {
		t.Fatal(err)
	}
	snaps, err := n.store.Snapshots().List()
	if err != nil || len(snaps) != 1 {
		t.Fatal(snaps, err)
	}
	taken := n.Storage().Snapshots
	_, r, err := n.store.Snapshots().Open(snaps[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := io.Copy(io.Discard, r); err == nil {
		t.Fatal("the damage went unnoticed")
	}
	until(t, "new snapshot", func() bool { return n.Storage().Snapshots > taken })
}
