package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/raft"
)

// wreckIn makes a store of 60 entries with a snapshot of the 20th, closed, and returns its options.
func wreckIn(t *testing.T, engine string, snapshot bool, split bool) Options {
	t.Helper()
	o := opts(filepath.Join(t.TempDir(), "raft"), engine)
	if split {
		o.LogDir = filepath.Join(t.TempDir(), "raft")
	}
	s := mustOpen(t, o)
	for i := range uint64(60) {
		if err := s.Log().StoreLog(&raft.Log{Index: i + 1, Term: 3, Data: fmt.Appendf(nil, "entry %d", i+1)}); err != nil {
			t.Fatal(err)
		}
		if i == 19 && snapshot {
			k, err := s.Snapshots().Create(1, 20, 3, raft.Configuration{Servers: []raft.Server{{ID: "1.1", Address: "1.1"}}}, 1, nil)
			if err == nil {
				_, err = io.WriteString(k, "the state")
			}
			if err := errors.Join(err, k.Close()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := errors.Join(s.Stable().SetUint64([]byte("CurrentTerm"), 5), s.Close()); err != nil {
		t.Fatal(err)
	}
	return o
}

// flipText damages a text wherever files of dir have it.
func flipText(t *testing.T, dir, glob, text string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, glob))
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i := range len(b) - len(text) {
			if string(b[i:i+len(text)]) == text {
				flip(t, path, int64(i))
				found = true
			}
		}
	}
	if !found {
		t.Fatalf("no %q in %s", text, glob)
	}
}

func removeIn(t *testing.T, dir, glob string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, glob))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s: %v, %v", glob, paths, err)
	}
	for _, path := range paths {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

// What is whole of a damaged store, up to the first damage, is a store again; the damaged one is kept.
func TestWreckIsRebuilt(t *testing.T) {
	logOf := map[string]string{EngineWAL: "*.wal", EngineBolt: "raft.db"}
	eachEngine(t, func(t *testing.T, engine string) {
		for name, tt := range map[string]struct {
			none   bool // no snapshot
			split  bool
			lost   bool // so it is said of the log
			damage func(o Options)
			last   uint64
			term   uint64
		}{
			"entry":               {damage: func(o Options) { flipText(t, o.LogDir, logOf[engine], "entry 40") }, last: 39, term: 5},
			"entry, no snapshot":  {none: true, damage: func(o Options) { flipText(t, o.LogDir, logOf[engine], "entry 40") }, last: 39, term: 5},
			"two directories":     {split: true, damage: func(o Options) { flipText(t, o.LogDir, logOf[engine], "entry 40") }, last: 39, term: 5},
			"before the snapshot": {damage: func(o Options) { flipText(t, o.LogDir, logOf[engine], "entry 10") }, last: 20, term: 5},
			"the log is gone":     {lost: true, damage: func(o Options) { removeIn(t, o.LogDir, logOf[engine]) }, last: 20, term: 5},
			"vote":                {damage: func(o Options) { flipText(t, o.Dir, stableName, "zkdV") }, last: 60, term: 3},
			"vote is gone":        {damage: func(o Options) { removeIn(t, o.Dir, stableName) }, last: 60, term: 3},
			"the log's directory": {split: true, lost: true, damage: func(o Options) { removeIn(t, o.LogDir, "*") }, last: 20, term: 5},
			"the log's FORMAT":    {split: true, damage: func(o Options) { removeIn(t, o.LogDir, formatName) }, last: 60, term: 5},
			"snapshot, log gone":  {none: true, lost: true, damage: func(o Options) { removeIn(t, o.LogDir, logOf[engine]) }, last: 0, term: 5},
		} {
			t.Run(name, func(t *testing.T) {
				o := wreckIn(t, engine, !tt.none, tt.split)
				if o.LogDir == "" {
					o.LogDir = o.Dir
				}
				tt.damage(o)
				if s, err := Open(o); err == nil {
					s.Close()
					t.Fatal("it opens")
				}
				before := treeOf(t, o)
				w, err := OpenWreck(o, tt.lost)
				if err != nil {
					t.Fatal(err)
				}
				if after := treeOf(t, o); fmt.Sprint(after) != fmt.Sprint(before) {
					t.Error("a look has changed it")
				}
				if w.Index != tt.last || w.HighestTerm() != tt.term && tt.last > 0 || len(w.Damage) == 0 {
					t.Errorf("remains %+v, highest term %d", w.Remains, w.HighestTerm())
				}
				if _, err := OpenWreck(o, tt.lost); !errors.Is(err, ErrInUse) {
					t.Errorf("opened twice: %v", err)
				}
				s, err := w.Rebuild()
				if err != nil {
					t.Fatal(err)
				}
				kept, err := w.Replace(s)
				if err := errors.Join(err, w.Close()); err != nil {
					t.Fatal(err)
				}
				checkRebuilt(t, o, tt.none, tt.last)
				if _, err := os.Stat(filepath.Join(kept, formatName)); err != nil {
					t.Errorf("the damaged store is not kept: %v", err)
				}
				if left, _ := filepath.Glob(filepath.Join(o.Dir, rebuiltDir)); len(left) > 0 {
					t.Errorf("left: %v", left)
				}
			})
		}
	})
}

// A log that is somewhere else, or is another's, is no damage: it may be whole.
func TestLogElsewhereIsNoDamage(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine string) {
		o, other, single := wreckIn(t, engine, true, true), wreckIn(t, engine, true, true), wreckIn(t, engine, true, false)
		empty := t.TempDir()
		for name, tt := range map[string]struct {
			dir, logDir, hint string
			lost              bool // whether it may be
		}{
			"not there":       {o.Dir, filepath.Join(t.TempDir(), "new", "raft"), "not mounted?", true},
			"empty":           {o.Dir, empty, "not mounted?", true},
			"line taken out":  {o.Dir, "", "a dataLogDir line taken out", true},
			"line added":      {single.Dir, empty, "a dataLogDir line added", false},
			"another's":       {o.Dir, other.LogDir, "another data directory", false},
			"another is both": {o.Dir, single.Dir, "another data directory", false},
		} {
			at := o
			at.Dir, at.LogDir = tt.dir, tt.logDir
			before := treeOf(t, at)
			w, err := OpenWreck(at, false)
			if err == nil {
				t.Errorf("%s: taken for damage: %v", name, errors.Join(errors.Join(w.Damage...), w.Close()))
				continue
			}
			wantErr(t, err, ErrEngine, tt.hint)
			if says := strings.Contains(err.Error(), "--log-lost"); says != tt.lost {
				t.Errorf("%s: %v", name, err)
			}
			if _, err := os.Stat(tt.logDir); name == "not there" && !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s: a look has made it", name)
			}
			w, err = OpenWreck(at, true)
			if (err == nil) != tt.lost {
				t.Errorf("%s, said to be lost: %v", name, err)
			}
			if err == nil {
				if w.Index != 20 || w.Startable || w.Close() != nil {
					t.Errorf("%s, said to be lost: %+v", name, w.Remains)
				}
			}
			if after := treeOf(t, at); fmt.Sprint(after) != fmt.Sprint(before) {
				t.Errorf("%s: a look has changed it", name)
			}
			_, err = Open(at) // a start says the same
			wantErr(t, err, ErrEngine, tt.hint)
		}
		mustClose(t, mustOpen(t, o))
	})
}

func treeOf(t *testing.T, o Options) (all []string) {
	t.Helper()
	for _, dir := range []string{o.Dir, o.LogDir} {
		_ = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() && d.Name() != lockName {
				b, _ := os.ReadFile(path)
				all = append(all, fmt.Sprintf("%s %x", path, b))
			}
			return err
		})
	}
	return all
}

// checkRebuilt opens a store and looks for entries up to last.
func checkRebuilt(t *testing.T, o Options, none bool, last uint64) {
	t.Helper()
	s := mustOpen(t, o)
	defer s.Close()
	list, err := s.Snapshots().List()
	if err != nil || (len(list) == 1) == none {
		t.Fatalf("snapshots %v, %v", list, err)
	}
	first := uint64(1)
	if !none {
		first = list[0].Index + 1
		_, r, err := s.Snapshots().Open(list[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(r); err != nil || string(b) != "the state" || list[0].Configuration.Servers[0].ID != "1.1" {
			t.Errorf("snapshot %+v of %q, %v", list[0], b, err)
		}
		r.Close()
	}
	for i := first; i <= last; i++ {
		var l raft.Log
		if err := s.Log().GetLog(i, &l); err != nil || string(l.Data) != fmt.Sprintf("entry %d", i) || l.Term != 3 {
			t.Fatalf("entry %d: %+v, %v", i, l, err)
		}
	}
	if got, err := s.Log().LastIndex(); err != nil || got != last && last >= first {
		t.Errorf("the log ends with %d, %v", got, err)
	}
}

// A rebuilding that was cut short, and is begun once more without anybody having opened the store, does not begin with
// what of the damaged store is left in its place: from its decision on it is only to be finished.
func TestRebuildingCutShort(t *testing.T) {
	logOf := map[string]string{EngineWAL: "*.wal", EngineBolt: "raft.db"}
	eachEngine(t, func(t *testing.T, engine string) {
		for _, split := range []bool{false, true} {
			from := wreckIn(t, engine, true, split)
			if from.LogDir == "" {
				from.LogDir = from.Dir
			}
			flipText(t, from.LogDir, logOf[engine], "entry 40")
			unfinished := 0
			for renames := 0; ; renames++ {
				o := from
				o.Dir, o.LogDir = clone(t, from.Dir), ""
				if split {
					o.LogDir = clone(t, from.LogDir)
				}
				err := rebuildUntil(o, renames)
				if err == nil {
					break
				}
				if !errors.Is(err, errDies) {
					t.Fatal(err)
				}
				switch err := rebuildUntil(o, -1); {
				case errors.Is(err, ErrUnfinished):
					unfinished++
				case err != nil:
					t.Errorf("after %d renames: %v", renames, err)
				}
				checkRebuilt(t, o, false, 39)
			}
			if unfinished < 5 {
				t.Errorf("it had to be finished in %d cases", unfinished)
			}
		}
	})
}

var errDies = errors.New("the process dies")

// rebuildUntil rebuilds a store with a disk that does nothing more after so many renames of Replace, -1: any number.
func rebuildUntil(o Options, renames int) error {
	armed := false
	o.Disk = &faulty{before: func(op Op) error {
		if !armed || renames < 0 {
			return nil
		}
		if renames == 0 {
			return errDies
		}
		if op.Kind == OpRename {
			renames--
		}
		return nil
	}}
	w, err := OpenWreck(o, false)
	if err != nil {
		return err
	}
	if w.Startable { // nothing is left to do
		return w.Close()
	}
	s, err := w.Rebuild()
	if err == nil {
		armed = true
		_, err = w.Replace(s)
	}
	return errors.Join(err, w.Close())
}
