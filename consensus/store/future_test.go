package store

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"testing"

	"github.com/hashicorp/raft"
)

// A log with an entry of a newer zkd is refused, and not taken for damaged: a
// member of an ensemble would set it aside.
func TestEntryOfTheFuture(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine string) {
		o := opts(t.TempDir(), engine)
		s := mustOpen(t, o)
		mustStore(t, s, batch(1, 3, 10)...)
		next := entry(4, 100)
		next.Extensions = nil
		rec := appendRecord(nil, s.logs.salt, next, 0)
		rec[4] = recordVersion + 1
		binary.LittleEndian.PutUint32(rec[44:], crc32.Update(s.logs.salt, castagnoli, rec[:44]))
		if err := s.logs.eng.StoreLogs([]*raft.Log{{Index: 4, Term: next.Term, Data: rec}}); err != nil {
			t.Fatal(err)
		}
		mustClose(t, s)
		_, err := Open(o)
		wantErr(t, err, ErrEngine, "version 2", o.Dir)
		if errors.Is(err, ErrCorrupt) {
			t.Errorf("taken for damaged: %v", err)
		}
	})
}
