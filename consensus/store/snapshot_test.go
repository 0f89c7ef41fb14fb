package store

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"golang.org/x/sys/unix"
)

func noise(n int) []byte {
	b := make([]byte, n)
	rand.New(rand.NewSource(int64(n))).Read(b)
	return b
}

func wantNoTemp(t testing.TB, dir string) {
	t.Helper()
	if left, _ := filepath.Glob(filepath.Join(dir, snapDir, snapTmp, "*")); len(left) > 0 {
		t.Fatalf("left behind: %v", left)
	}
}

func TestSnapshotRoundTrip(t *testing.T) {
	o := opts(t.TempDir(), EngineWAL)
	s := mustOpen(t, o)
	for i, n := range []int{0, 1, snapChunk, snapChunk + 1, 9*mib + 5} {
		data := noise(n)
		id := mustSnap(t, s, uint64(10+i), data)
		got, err := readSnap(s, id)
		if err != nil || !bytes.Equal(got, data) {
			t.Fatalf("%d bytes: %d came back, %v", n, len(got), err)
		}
		metas, err := s.Snapshots().List()
		if err != nil {
			t.Fatal(err)
		}
		m := metas[0]
		want := raft.SnapshotMeta{Version: 1, ID: id, Index: uint64(10 + i), Term: 3, Configuration: conf, ConfigurationIndex: 2, Size: int64(n)}
		if fmt.Sprintf("%+v", *m) != fmt.Sprintf("%+v", want) {
			t.Fatalf("meta %+v, want %+v", *m, want)
		}
		if st := s.Stats(); st.Snapshots != uint64(i+1) || st.LastSnapshotIndex != m.Index || st.LastSnapshotTime.IsZero() {
			t.Fatalf("stats %+v", st)
		}
	}
	wantNoTemp(t, o.Dir)
}

// Only RetainSnapshots files stay. The log holds everything, so all are offered.
func TestSnapshotRetention(t *testing.T) {
	o := opts(t.TempDir(), EngineWAL)
	s := mustOpen(t, o)
	mustStore(t, s, batch(1, 9, 10)...)
	for i := uint64(5); i <= 9; i++ {
		mustSnap(t, s, i, []byte("x"))
	}
	if got := snapIndexes(t, s); got != "[9 8]" {
		t.Fatalf("kept %s", got)
	}
	if files, _ := filepath.Glob(filepath.Join(o.Dir, snapDir, "*.snap")); len(files) != 2 {
		t.Fatalf("files %v", files)
	}
	mustClose(t, s)
	s = mustOpen(t, o)
	if st := s.Stats(); st.LastSnapshotIndex != 9 || st.LastSnapshotTime.IsZero() {
		t.Fatalf("after reopening: %+v", st)
	}
}

// Every flipped byte of a snapshot is noticed: header and trailer by List, the
// body by the reader, which hands out nothing but a sound prefix before.
func TestSnapshotRotEveryByte(t *testing.T) {
	o := opts(t.TempDir(), EngineWAL)
	told := uint64(0)
	o.OnDamagedSnapshot = func() { told++ }
	s := mustOpen(t, o)
	mustStore(t, s, batch(1, 9, 10)...)
	mustSnap(t, s, 5, []byte("old"))
	data := noise(700)
	id := mustSnap(t, s, 9, data)
	path := s.snaps.path(id)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := readSnapInfo(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	for at := range int64(len(raw)) {
		os.Remove(filepath.Join(s.snaps.dir, id+badSuffix))
		bad := append([]byte(nil), raw...)
		bad[at] ^= 4
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		inBody := at >= info.body && at < info.end
		if got := snapIndexes(t, s); !inBody && got != "[5]" || inBody && got != "[9 5]" {
			t.Fatalf("byte %d: List offers %s", at, got)
		}
		got, err := readSnap(s, id)
		wantErr(t, err, ErrCorrupt, path)
		if !bytes.HasPrefix(data, got) {
			t.Fatalf("byte %d: damaged data handed out", at)
		}
		if inBody && snapIndexes(t, s) != "[5]" {
			t.Fatalf("byte %d: the damaged snapshot is still offered", at)
		}
	}
	if n := s.Stats().SnapshotsDamaged; n == 0 || told != n || s.Err() != nil {
		t.Fatalf("%+v %v, told %d times", s.Stats(), s.Err(), told)
	}
	for cut := range int64(len(raw)) {
		if err := os.WriteFile(path, raw[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		if got := snapIndexes(t, s); got != "[5]" {
			t.Fatalf("cut at %d: List offers %s", cut, got)
		}
	}
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := readSnap(s, id); err != nil || !bytes.Equal(got, data) {
		t.Fatal("the restored file should be sound", err)
	}
}

// A chunk of the right shape in the wrong place is noticed.
func TestSnapshotSwappedChunks(t *testing.T) {
	s := mustOpen(t, opts(t.TempDir(), EngineWAL))
	id := mustSnap(t, s, 9, noise(3*snapChunk))
	path := s.snaps.path(id)
	raw, _ := os.ReadFile(path)
	info, err := readSnapInfo(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	one, two := raw[info.body:][:snapChunk+8], raw[info.body+snapChunk+8:][:snapChunk+8]
	swapped := append(append(append([]byte(nil), raw[:info.body]...), two...), one...)
	swapped = append(swapped, raw[len(swapped):]...)
	os.WriteFile(path, swapped, 0o600)
	_, err = readSnap(s, id)
	wantErr(t, err, ErrCorrupt, "chunk 0")
}

// An older snapshot may stand in for a damaged one only if the log leads from it
// to everything that was acknowledged.
func TestSnapshotFallbackNeedsLog(t *testing.T) {
	damage := func(t *testing.T, o Options, index uint64) {
		flip(t, onlyFile(t, fmt.Sprintf("%s/%s/%020d-*.snap", o.Dir, snapDir, index)), 20)
	}
	for _, c := range []struct {
		name     string
		from, to uint64 // the log after compaction
		want     string // "" = refused
	}{
		{"log continues the older", 4, 12, "[5]"},
		{"log starts right behind the older", 6, 12, "[5]"},
		{"gap behind the older", 7, 12, ""},
		{"log ends before the newer", 1, 8, ""},
		{"log empty", 0, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := opts(t.TempDir(), EngineWAL)
			s := mustOpen(t, o)
			mustSnap(t, s, 5, []byte("old"))
			mustSnap(t, s, 9, []byte("new"))
			if c.to > 0 {
				mustStore(t, s, batch(c.from, int(c.to-c.from+1), 10)...)
			}
			mustClose(t, s)
			whole := o
			whole.Dir = clone(t, o.Dir)
			mustClose(t, mustOpen(t, whole))
			damage(t, o, 9)
			s, err := Open(o)
			if c.want == "" {
				wantErr(t, err, ErrCorrupt, snapDir)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if got := snapIndexes(t, s); got != c.want {
				t.Fatalf("List offers %s", got)
			}
		})
	}
}

// Snapshots that cannot be read any more after a start are not taken for none: raft would begin as an empty server.
func TestUnreadableSnapshotsAreNotNone(t *testing.T) {
	for _, entries := range []int{0, 3} { // behind the snapshot
		o := opts(t.TempDir(), EngineWAL)
		s := mustOpen(t, o)
		mustSnap(t, s, 5, []byte("state"))
		if entries > 0 {
			mustStore(t, s, batch(6, entries, 10)...)
		}
		mustClose(t, s)
		unreadable := false
		o.Disk = faults(OpRead, snapDir, func() error {
			if unreadable {
				return syscall.EIO
			}
			return nil
		})
		s = mustOpen(t, o)
		if got := snapIndexes(t, s); got != "[5]" {
			t.Fatalf("List offers %s", got)
		}
		unreadable = true
		list, err := s.Snapshots().List()
		if len(list) > 0 {
			t.Errorf("List offers %v", list)
		}
		wantErr(t, err, ErrCorrupt, snapDir)
		mustClose(t, s)
	}
}

func TestSnapshotCancelAndCrash(t *testing.T) {
	o := opts(t.TempDir(), EngineWAL)
	s := mustOpen(t, o)
	mustStore(t, s, batch(1, 9, 10)...)
	mustSnap(t, s, 5, []byte("old"))
	k, err := s.Snapshots().Create(1, 9, 3, conf, 2, nil)
	if err != nil {
		t.Fatal(err)
	}
	k.Write(noise(mib))
	if err := k.Cancel(); err != nil {
		t.Fatal(err)
	}
	wantNoTemp(t, o.Dir)
	if _, err := k.Write([]byte("x")); err == nil {
		t.Fatal("written after Cancel")
	}
	if err := k.Close(); err == nil {
		t.Fatal("Close after Cancel claims a snapshot")
	}
	// Crash between the last sync and the rename: the process is gone, the
	// finished temporary file stays.
	crashed := t.TempDir()
	s.snaps.files = files{faults(OpRename, snapTmp, func() error {
		if err := os.CopyFS(crashed, os.DirFS(o.Dir)); err != nil {
			t.Error(err)
		}
		return nil
	})}
	mustSnap(t, s, 9, []byte("new"))
	if left, _ := filepath.Glob(filepath.Join(crashed, snapDir, snapTmp, "*")); len(left) != 1 {
		t.Fatalf("the copy should hold the unfinished snapshot, has %v", left)
	}
	o.Dir, o.hooks = crashed, nil
	s = mustOpen(t, o)
	wantNoTemp(t, crashed)
	if got := snapIndexes(t, s); got != "[5]" {
		t.Fatalf("List offers %s", got)
	}
}

// A full disk costs the snapshot and nothing else; a broken one stops the store.
func TestSnapshotWriteErrors(t *testing.T) {
	for _, c := range []struct {
		err   error
		fatal bool
	}{{unix.ENOSPC, false}, {unix.EIO, true}} {
		t.Run(c.err.Error(), func(t *testing.T) {
			o := opts(t.TempDir(), EngineWAL)
			s := mustOpen(t, o)
			k, err := s.Snapshots().Create(1, 9, 3, conf, 2, nil)
			if err != nil {
				t.Fatal(err)
			}
			s.snaps.files = files{&faulty{before: func(op Op) error {
				if op.Kind != OpWrite {
					return nil
				}
				return &os.PathError{Op: "write", Path: op.Path, Err: c.err}
			}}}
			_, err = k.Write(noise(mib))
			wantErr(t, err, c.err, snapTmp)
			if errors.Is(err, ErrDiskFull) == c.fatal {
				t.Fatalf("%v: ErrDiskFull wrong", err)
			}
			wantNoTemp(t, o.Dir) // without waiting for Cancel
			k.Cancel()
			if (s.Err() != nil) != c.fatal {
				t.Fatalf("store error %v", s.Err())
			}
			if !c.fatal {
				mustStore(t, s, entry(1, 10))
			}
		})
	}
}

// Raft waits for a snapshot that is installed, and its end for one that is taken:
// a disk that hangs under it ends the store, as it does under the log.
func TestHungSnapshotIsFatal(t *testing.T) {
	for _, kind := range []OpKind{OpCreate, OpWrite, OpSync, OpRename} {
		t.Run(kind.String(), func(t *testing.T) {
			o := opts(t.TempDir(), EngineWAL)
			o.hooks.stallWarn, o.hooks.stallFatal = 5*time.Millisecond, 200*time.Millisecond
			hang, fatal := make(chan struct{}), make(chan error, 1)
			o.Disk = faults(kind, filepath.Join(snapDir, snapTmp), func() error { <-hang; return nil })
			o.OnFatal = func(err error) { fatal <- err }
			s := mustOpen(t, o)
			ended := make(chan error, 1)
			go func() {
				k, err := s.Snapshots().Create(1, 1, 1, raft.Configuration{}, 1, nil)
				if err == nil {
					err = k.Close()
				}
				ended <- err
			}()
			wantErr(t, <-fatal, ErrStalled, snapTmp)
			close(hang)
			<-ended
		})
	}
}
