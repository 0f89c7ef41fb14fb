package store

import (
	"testing"

	"github.com/hashicorp/raft"
)

func castVote(t testing.TB, s *Store, term uint64, candidate string) {
	t.Helper()
	for _, err := range []error{
		s.Stable().SetUint64([]byte(keyTerm), term),
		s.Stable().SetUint64([]byte(keyVoteTerm), term),
		s.Stable().Set([]byte(keyVoteCand), []byte(candidate)),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func wantVote(t testing.TB, s *Store, term, voteTerm uint64, candidate string) {
	t.Helper()
	gt, err1 := s.Stable().GetUint64([]byte(keyTerm))
	gv, err2 := s.Stable().GetUint64([]byte(keyVoteTerm))
	gc, err3 := s.Stable().Get([]byte(keyVoteCand))
	if err1 != nil || err2 != nil || err3 != nil || gt != term || gv != voteTerm || string(gc) != candidate {
		t.Fatalf("term %d, vote %d for %q (%v %v %v), want %d, %d, %q", gt, gv, gc, err1, err2, err3, term, voteTerm, candidate)
	}
}

func TestStable(t *testing.T) {
	o := opts(t.TempDir(), EngineWAL)
	s := mustOpen(t, o)
	wantVote(t, s, 0, 0, "")
	if has, err := raft.HasExistingState(s.Log(), s.Stable(), s.Snapshots()); has || err != nil {
		t.Fatalf("a new store has state: %v %v", has, err)
	}
	castVote(t, s, 5, "a")
	if err := s.Stable().Set([]byte("k"), []byte("v")); err != nil {
		t.Fatal(err)
	}
	if err := s.Stable().SetUint64([]byte("n"), 1<<60); err != nil {
		t.Fatal(err)
	}
	mustClose(t, s)
	s = mustOpen(t, o)
	wantVote(t, s, 5, 5, "a")
	if v, err := s.Stable().Get([]byte("k")); string(v) != "v" || err != nil {
		t.Fatalf("%q %v", v, err)
	}
	if v, err := s.Stable().GetUint64([]byte("n")); v != 1<<60 || err != nil {
		t.Fatalf("%d %v", v, err)
	}
	if v, err := s.Stable().Get([]byte("absent")); v != nil || err != nil {
		t.Fatalf("%q %v", v, err)
	}
	for name, err := range map[string]error{
		"older term":             s.Stable().SetUint64([]byte(keyTerm), 4),
		"older vote":             s.Stable().SetUint64([]byte(keyVoteTerm), 4),
		"candidate without term": s.Stable().Set([]byte(keyVoteCand), []byte("b")),
		"text for a number":      s.Stable().Set([]byte(keyTerm), []byte("b")),
	} {
		if err == nil {
			t.Fatal(name + " was accepted")
		}
	}
	wantVote(t, s, 5, 5, "a")
}

// A vote that was given is not forgotten when the power fails, whatever is
// risked with the log in tests.
func TestVoteIsSynced(t *testing.T) {
	s := mustOpen(t, opts(t.TempDir(), EngineWAL))
	if db := s.stable.db; db.NoSync || db.NoGrowSync {
		t.Errorf("bbolt leaves syncs out: %v, for growth: %v", db.NoSync, db.NoGrowSync)
	}
}

// A crash between raft's two writes leaves the old vote whole: the new term
// must never appear with the old candidate (raft#661).
func TestStableVoteIsAtomic(t *testing.T) {
	o := opts(t.TempDir(), EngineWAL)
	s := mustOpen(t, o)
	castVote(t, s, 5, "a")
	if err := s.Stable().SetUint64([]byte(keyTerm), 6); err != nil {
		t.Fatal(err)
	}
	if err := s.Stable().SetUint64([]byte(keyVoteTerm), 6); err != nil {
		t.Fatal(err)
	}
	wantVote(t, s, 6, 5, "a")
	mustClose(t, s) // the candidate never came
	s = mustOpen(t, o)
	wantVote(t, s, 6, 5, "a")
	castVote(t, s, 6, "b")
	mustClose(t, s)
	s = mustOpen(t, o)
	wantVote(t, s, 6, 6, "b")
}

func TestVoteRecordEveryByte(t *testing.T) {
	good := vote{term: 9, voteTerm: 8, candidate: "zkd-1.2"}.encode()
	if v, err := decodeVote(good); err != nil || v.candidate != "zkd-1.2" {
		t.Fatal(v, err)
	}
	for i := range good {
		for bit := range 8 {
			bad := append([]byte(nil), good...)
			bad[i] ^= 1 << bit
			if _, err := decodeVote(bad); err == nil {
				t.Fatalf("byte %d bit %d flipped, and accepted", i, bit)
			}
		}
		if _, err := decodeVote(good[:i]); err == nil {
			t.Fatalf("cut at %d, and accepted", i)
		}
	}
}
