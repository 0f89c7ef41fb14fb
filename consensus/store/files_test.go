package store

import (
	"path/filepath"
	"slices"
	"testing"
)

// A power failure after the first start does not take the directories away,
// with all that was acknowledged: each that was made is synced in the one above.
func TestNewDirectoriesAreDurable(t *testing.T) {
	top := t.TempDir()
	var synced []string
	o := opts(filepath.Join(top, "a", "b", "c"), EngineWAL)
	o.Disk = &faulty{before: func(op Op) error {
		if op.Kind == OpSyncDir {
			synced = append(synced, op.Path)
		}
		return nil
	}}
	mustClose(t, mustOpen(t, o))
	for _, dir := range []string{top, filepath.Join(top, "a"), filepath.Join(top, "a", "b")} {
		if !slices.Contains(synced, dir) {
			t.Errorf("what was made in %s is not durable; synced were %v", dir, synced)
		}
	}
}
