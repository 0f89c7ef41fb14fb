package store

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func firstSegment(t *testing.T, dir string) (*os.File, uint32) {
	t.Helper()
	paths, err := filepath.Glob(dir + "/*.wal")
	if err != nil || len(paths) == 0 {
		t.Fatal("no segment", err)
	}
	f, err := os.Open(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	fm, ok, err := files{}.readFormat(dir)
	if err != nil || !ok {
		t.Fatal(err)
	}
	return f, fm.salt()
}

// unrotate takes back a rotation: the list as it was before the sealing append.
func unrotate(t *testing.T, dir string) {
	t.Helper()
	db := &walMeta{dir: dir, failed: func(err error) { t.Error(err) }}
	state, err := db.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(state.Segments) == 1 {
		return
	}
	state.Segments = state.Segments[:1]
	state.Segments[0].SealTime = time.Time{}
	state.Segments[0].MaxIndex, state.Segments[0].IndexStart = 0, 0
	if err := db.CommitState(state); err != nil {
		t.Fatal(err)
	}
	paths, _ := filepath.Glob(dir + "/*.wal")
	for _, p := range paths[1:] {
		os.Remove(p)
	}
}
