package store

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
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

// Zeros that were written are written again, as they may have cut something off that is still on the disk. Space that
// nobody has written to is not.
func TestZerosAreMadeDurable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, at := range []int64{0, 5 * mib} { // the second is a block of zeros
		block := make([]byte, mib)
		if at == 0 {
			block[7] = 1
		}
		if _, err := f.WriteAt(block, at); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Truncate(64 * mib); err != nil {
		t.Fatal(err)
	}
	var written int
	d := files{disk: &faulty{before: func(op Op) error {
		if op.Kind == OpWrite {
			written++
		}
		return nil
	}}}
	if err := d.renewSync(path); err != nil {
		t.Fatal(err)
	}
	if written < 2 {
		t.Error("zeros are not written again")
	}
	if hole, err := f.Seek(0, unix.SEEK_HOLE); err == nil && hole < 64*mib && written > 4 {
		t.Errorf("%d blocks were written", written)
	}
}
