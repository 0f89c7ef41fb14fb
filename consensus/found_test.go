package consensus

import (
	"errors"
	"path/filepath"
	"testing"

	"zkd/consensus/store"
)

// termOnly leaves in dir what a start leaves that was killed after it has stored the founding term and before the
// founding entry; with an identity or without one.
func termOnly(t *testing.T, dir string, id *identity, term uint64) {
	t.Helper()
	s, err := store.Open(config(t, dir).Store)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Stable().SetUint64([]byte("CurrentTerm"), term); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if id != nil {
		id.path, id.Format = identityPath(dir), identityFormat
		if err := id.write(); err != nil {
			t.Fatal(err)
		}
	}
}

// A server that was killed while it founded its cluster founds it again.
func TestFoundingCutShort(t *testing.T) {
	for name, id := range map[string]*identity{"with raft.id": {RaftID: firstID(3)}, "without": nil} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "raft")
			termOnly(t, dir, id, foundingTerm)
			n, err := Open(config(t, dir), newMachine(0))
			if err != nil {
				t.Fatal(err)
			}
			if err := n.Ready(t.Context()); err != nil {
				t.Error(err)
			}
			if err := n.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// So do members, also where all were cut short at the same point.
func TestFoundingOfMembersCutShort(t *testing.T) {
	e := newTrio(t, 3)
	for i, m := range e.members {
		id := &identity{RaftID: firstID(m.ID)}
		if i == 2 {
			id = nil
		}
		termOnly(t, filepath.Join(e.dir, string('0'+rune(m.ID))), id, uint64(foundingTerm+i))
	}
	for _, m := range e.members {
		e.launch(m.ID, e.members)
	}
	e.ready(1, 2, 3)
}

// A log that is empty although its server has led is not taken for a new one.
func TestLostLogIsNoNewOne(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "raft")
	termOnly(t, dir, &identity{RaftID: firstID(3)}, foundingTerm+1)
	n, err := Open(config(t, dir), newMachine(0))
	if err == nil {
		n.Close()
	}
	if !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("opened: %v", err)
	}
}
