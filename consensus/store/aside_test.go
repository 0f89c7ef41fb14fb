package store

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zkd/test/quick"
)

var errWhy = errors.New("its digest is another")

// asideOptions are those of a store in one directory, or in two.
func asideOptions(t *testing.T, engine string, split bool) Options {
	o := opts(filepath.Join(t.TempDir(), "raft"), engine)
	o.LogDir = o.Dir
	if split {
		o.LogDir = filepath.Join(t.TempDir(), "raft")
	}
	return o
}

func fillStore(t *testing.T, o Options) {
	t.Helper()
	s := mustOpen(t, o)
	mustStore(t, s, batch(1, 20, 150)...)
	castVote(t, s, 7, "candidate-7")
	mustSnap(t, s, 12, []byte("state"))
	mustClose(t, s)
}

// wantBlank checks that a new store comes up, and works.
func wantBlank(t *testing.T, o Options) {
	t.Helper()
	s := mustOpen(t, o)
	wantLog(t, s, 0, 0, 0)
	if got := snapIndexes(t, s); got != "[]" {
		t.Fatalf("the blank store has snapshots %s", got)
	}
	if v, err := s.Stable().GetUint64([]byte(keyTerm)); err != nil || v != 0 {
		t.Fatalf("the blank store is in term %d, %v", v, err)
	}
	mustStore(t, s, batch(1, 2, 150)...)
	mustClose(t, s)
	mustClose(t, mustOpen(t, o))
}

// wantCopy checks that the copy is the whole store that fillStore made.
func wantCopy(t *testing.T, o Options) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(o.Dir, asideDir, asideName))
	if err != nil || !strings.Contains(string(b), errWhy.Error()) {
		t.Fatalf("reason %q, %v", b, err)
	}
	o.Dir, o.LogDir = clone(t, filepath.Join(o.Dir, asideDir)), clone(t, filepath.Join(o.LogDir, asideDir))
	if err := os.Remove(filepath.Join(o.Dir, asideName)); err != nil { // or it is set aside again
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(o.LogDir, stableName)); err == nil {
		o.LogDir = o.Dir
	}
	s := mustOpen(t, o)
	wantLog(t, s, 1, 20, 150)
	wantVote(t, s, 7, 7, "candidate-7")
	if got := snapIndexes(t, s); got != "[12]" {
		t.Fatalf("the copy has snapshots %s", got)
	}
	mustClose(t, s)
}

func wantExists(t *testing.T, dir string, want bool) {
	t.Helper()
	if there, err := Exists(dir); err != nil || there != want {
		t.Fatalf("%s holds a store: %t, %v", dir, there, err)
	}
}

func eachLayout(t *testing.T, fn func(t *testing.T, o Options)) {
	eachEngine(t, func(t *testing.T, engine string) {
		for name, split := range map[string]bool{"one directory": false, "two": true} {
			t.Run(name, func(t *testing.T) { fn(t, asideOptions(t, engine, split)) })
		}
	})
}

func TestSetAside(t *testing.T) {
	eachLayout(t, func(t *testing.T, o Options) {
		if moved, err := SetAside(nil, o.Dir, o.LogDir, errWhy); err != nil || moved != "" {
			t.Fatalf("where there is no store: %q, %v", moved, err)
		}
		wantExists(t, o.Dir, false)
		fillStore(t, o)
		wantExists(t, o.Dir, true)
		mine := filepath.Join(o.Dir, "identity")
		if err := os.WriteFile(mine, []byte("3"), 0o600); err != nil {
			t.Fatal(err)
		}
		s := mustOpen(t, o)
		_, err := SetAside(nil, o.Dir, o.LogDir, errWhy)
		wantErr(t, err, ErrInUse, o.Dir)
		wantLog(t, s, 1, 20, 150)
		mustClose(t, s)

		moved, err := SetAside(nil, o.Dir, o.LogDir, errWhy)
		if err != nil || moved != filepath.Join(o.Dir, asideDir) {
			t.Fatalf("%q, %v", moved, err)
		}
		wantExists(t, o.Dir, false)
		wantCopy(t, o)
		// The second time nothing is there to be moved, and the copy stays.
		if moved, err := SetAside(nil, o.Dir, o.LogDir, errWhy); err != nil || moved != "" {
			t.Fatalf("repeated: %q, %v", moved, err)
		}
		wantCopy(t, o)
		wantBlank(t, o)
		wantCopy(t, o)
		if _, err := os.Stat(mine); err != nil {
			t.Fatal("a file that is not the store's: ", err)
		}

		// Only the last one is kept.
		if _, err := SetAside(nil, o.Dir, o.LogDir, errors.New("again")); err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(filepath.Join(o.Dir, asideDir, asideName)); err != nil || !strings.Contains(string(b), "again") {
			t.Fatalf("reason %q, %v", b, err)
		}
		if left, _ := filepath.Glob(filepath.Join(o.Dir, asideDir, snapDir, "*.snap")); len(left) != 0 {
			t.Fatalf("of the older copy there is left %v", left)
		}
		wantBlank(t, o)
	})
}

// A damaged store can be set aside: that is what it is for.
func TestSetAsideDamaged(t *testing.T) {
	eachLayout(t, func(t *testing.T, o Options) {
		fillStore(t, o)
		flip(t, filepath.Join(o.Dir, formatName), 12)
		if _, err := SetAside(nil, o.Dir, o.LogDir, errWhy); err != nil {
			t.Fatal(err)
		}
		wantBlank(t, o)
	})
}

// A crash before any of the renames: the next start finishes the work, and so
// does another SetAside.
func TestSetAsideCrash(t *testing.T) {
	quick.Skip(t)
	eachLayout(t, func(t *testing.T, o Options) {
		crash := errors.New("crash")
		for n := 0; ; n++ {
			reopen, again := o, o
			for _, oo := range []*Options{&reopen, &again} {
				oo.Dir = filepath.Join(t.TempDir(), "raft")
				oo.LogDir = oo.Dir
				if o.LogDir != o.Dir {
					oo.LogDir = filepath.Join(t.TempDir(), "raft")
				}
				fillStore(t, *oo)
			}
			var left int
			for _, oo := range []Options{reopen, again} {
				left = n
				a := aside{dir: oo.Dir, logDir: oo.LogDir}
				if err := a.begin(errWhy); err != nil || !a.begun {
					t.Fatal(a.begun, err)
				}
				a.files.disk = faults(OpRename, "", func() error {
					if left == 0 {
						return crash
					}
					left--
					return nil
				})
				if err := a.finish(); err != nil && !errors.Is(err, crash) {
					t.Fatal(err)
				}
				wantExists(t, oo.Dir, false)
			}
			if left > 0 { // not reached: there are no more renames
				return
			}
			wantBlank(t, reopen)
			wantCopy(t, reopen)
			if _, err := SetAside(nil, again.Dir, again.LogDir, errors.New("another reason")); err != nil {
				t.Fatal(err)
			}
			wantCopy(t, again)
			wantBlank(t, again)
		}
	})
}

// All that a store leaves in its directories is known to SetAside.
func TestSetAsideKnowsAllFiles(t *testing.T) {
	eachLayout(t, func(t *testing.T, o Options) {
		fillStore(t, o)
		if _, err := SetAside(nil, o.Dir, o.LogDir, errWhy); err != nil {
			t.Fatal(err)
		}
		for _, dir := range []string{o.Dir, o.LogDir} {
			entries, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, e := range entries {
				names = append(names, e.Name())
			}
			if !slices.Equal(names, []string{lockName, asideDir}) {
				t.Errorf("%s has %v", dir, names)
			}
		}
	})
}
