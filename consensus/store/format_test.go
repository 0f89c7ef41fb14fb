package store

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

// A dataLogDir that was taken out of the configuration, or put in, is named as what it is. It is no damage: a member of an
// ensemble would throw its state away for it.
func TestLogDirectoryOfAnotherConfiguration(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine string) {
		for _, split := range []bool{true, false} {
			o := opts(filepath.Join(t.TempDir(), "raft"), engine)
			other := o
			if split {
				o.LogDir = filepath.Join(t.TempDir(), "raft")
			} else {
				other.LogDir = filepath.Join(t.TempDir(), "raft")
			}
			s := mustOpen(t, o)
			mustStore(t, s, batch(1, 5, 20)...)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			w, err := Open(other)
			if err == nil {
				w.Close()
			}
			if !errors.Is(err, ErrEngine) || errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "dataLogDir line") {
				t.Errorf("two directories before: %t: %v", split, err)
			}
			s = mustOpen(t, o)
			if last, err := s.Log().LastIndex(); err != nil || last != 5 {
				t.Errorf("afterwards: %d, %v", last, err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	})
}
