package store

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// smallDisk mounts a tmpfs of the given size for the test.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("needs to mount a tmpfs (root): %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
	})
	return dir
}

// fill leaves about free bytes on the disk.
func fill(t *testing.T, dir string, leave int64) (remove func()) {
	t.Helper()
	path := filepath.Join(dir, "ballast")
	free, _, err := freeBytes(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, make([]byte, max(0, free-leave)), 0o600); err != nil {
		t.Fatal(err)
	}
	return func() { os.Remove(path) }
}

// The disk fills up under the log: once met by the low-water mark, once by the
// write itself. Either way the store stops, and with room again it has all that
// was acknowledged.
func TestDiskFullAppend(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine string) {
		for name, mark := range map[string]int64{"low-water mark": mib, "write fails": 1} {
			t.Run(name, func(t *testing.T) {
				disk := smallDisk(t, "24m")
				fatal := make(chan error, 1)
				o := opts(filepath.Join(disk, "zkd"), engine)
				o.MinFreeBytes = mark
				o.OnFatal = func(err error) { fatal <- err }
				s := mustOpen(t, o)
				mustStore(t, s, batch(1, 10, 1000)...)
				remove := fill(t, disk, 3*mib)
				acked := uint64(10)
				var err error
				for err == nil {
					if err = s.Log().StoreLog(entry(acked+1, 1000)); err == nil {
						acked++
					}
				}
				wantErr(t, err, ErrDiskFull, disk)
				wantErr(t, <-fatal, ErrDiskFull)
				remove()
				wantErr(t, s.Log().StoreLog(entry(acked+1, 1000)), ErrDiskFull)
				s.Close()
				o.OnFatal = nil
				s = mustOpen(t, o)
				last, err := s.Log().LastIndex()
				if err != nil || last < acked {
					t.Fatalf("last is %d (%v), acknowledged up to %d", last, err, acked)
				}
				wantLog(t, s, 1, last, 1000)
				mustStore(t, s, entry(last+1, 1000))
				mustClose(t, s)
			})
		}
	})
}

func TestDiskFullSnapshot(t *testing.T) {
	disk := smallDisk(t, "48m")
	o := opts(filepath.Join(disk, "zkd"), EngineWAL)
	s := mustOpen(t, o)
	mustStore(t, s, batch(1, 9, 10)...)
	remove := fill(t, disk, 20*mib)
	k, err := s.Snapshots().Create(1, 9, 3, conf, 2, nil)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = k.Write(noise(mib))
	}
	wantErr(t, err, ErrDiskFull)
	k.Cancel()
	wantNoTemp(t, o.Dir)
	mustStore(t, s, entry(10, 10)) // the log still has the room it keeps for itself
	remove()
	data := noise(8 * mib)
	mustSnap(t, s, 9, data)
	fill(t, disk, 6*mib)
	_, err = s.Snapshots().Create(1, 10, 3, conf, 2, nil)
	wantErr(t, err, ErrDiskFull, snapDir) // noticed before a byte is written
	mustClose(t, s)
	s = mustOpen(t, o)
	wantLog(t, s, 1, 10, 10)
	if metas, _ := s.Snapshots().List(); len(metas) != 1 || metas[0].Size != int64(len(data)) {
		t.Fatalf("snapshots %v", metas)
	}
	mustClose(t, s)
}
