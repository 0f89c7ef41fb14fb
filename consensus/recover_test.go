package consensus

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"zkd/consensus/store"
	"zkd/test/quick"
)

// recoveryConfig is that of a server of the trio that does not run.
func (e *trio) recoveryConfig(id uint64) Config {
	cfg := config(e.t, filepath.Join(e.dir, fmt.Sprint(id)))
	cfg.ServerID = id
	return cfg
}

func (e *trio) recover(id uint64) (cluster, raftID string) {
	e.t.Helper()
	r, err := OpenRecovery(e.recoveryConfig(id))
	if err != nil {
		e.t.Fatal(err)
	}
	cluster, raftID, err = r.Recover(newMachine(0))
	if err := errors.Join(err, r.Close()); err != nil {
		e.t.Fatal(err)
	}
	return cluster, raftID
}

func TestRecover(t *testing.T) {
	quick.Skip(t)
	e := newTrio(t, 3)
	for id := range uint64(3) {
		e.launch(id+1, e.members)
	}
	e.ready(1, 2, 3)
	submit(e.nodes[2], 2, 100, "before")
	e.same(200)
	before := e.nodes[1].Status()
	for id := range uint64(3) {
		e.stop(id + 1)
	}

	r, err := OpenRecovery(e.recoveryConfig(1))
	if err != nil {
		t.Fatal(err)
	}
	if r.Cluster != before.Cluster || r.RaftID != before.RaftID || r.Index < before.Last || !slices.Equal(r.Others(), []uint64{2, 3}) || len(r.Members) != 3 {
		t.Errorf("looks like %+v, was %+v", r, before)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	cluster, raftID := e.recover(1)
	if cluster == before.Cluster || raftID == before.RaftID {
		t.Errorf("still %s in %s", raftID, cluster)
	}

	// Alone it is a majority, and has all that was there.
	e.launch(1, e.members)
	e.ready(1)
	submit(e.nodes[1], 1, 100, "after")
	e.same(300)
	if s := e.nodes[1].Status(); s.Cluster != cluster || s.RaftID != raftID || s.Term <= before.Term+termLeap {
		t.Errorf("goes on as %+v after term %d", s, before.Term)
	}

	// One with its old data stays out.
	e.launch(2, e.members)
	submit(e.nodes[1], 1, 100, "with the other about")
	until(t, "requests", func() bool { return len(e.states[1].all()) == 400 })
	if s := e.nodes[2].Status(); s.Cluster != before.Cluster || s.Applied > before.Last+10 || len(e.nodes[1].configuration().Servers) != 1 {
		t.Errorf("a lost member is back: %+v", s)
	}
	e.stop(2)

	// Without it, it comes in, and so does the third.
	for _, id := range []uint64{2, 3} {
		dir := filepath.Join(e.dir, fmt.Sprint(id))
		if err := errors.Join(os.RemoveAll(dir), os.Remove(identityPath(dir))); err != nil {
			t.Fatal(err)
		}
		e.launch(id, e.members)
	}
	e.ready(2, 3)
	submit(e.nodes[3], 1, 100, "together")
	e.same(500)
	until(t, "three voters", func() bool {
		voters := 0
		for _, m := range e.nodes[e.leader()].Status().Members {
			if m.Voter {
				voters++
			}
		}
		return voters == 3
	})
}

// A recovery that ends between its steps is done again; the server does not
// start before.
func TestRecoverCutShort(t *testing.T) {
	e := newTrio(t, 1)
	e.launch(1, e.members)
	e.ready(1)
	submit(e.nodes[1], 1, 100, "before")
	e.same(100)
	e.stop(1)
	path := identityPath(e.recoveryConfig(1).Store.Dir)
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	e.recover(1)
	if err := os.WriteFile(path, old, 0o600); err != nil { // as if it had not come to that
		t.Fatal(err)
	}
	e.launch(1, e.members)
	until(t, "refusal", func() bool { _, ended := e.errs.Load(uint64(1)); return ended })
	if err := e.nodes[1].Close(); err != nil {
		t.Fatal(err)
	}
	delete(e.nodes, 1)
	cluster, _ := e.recover(1)
	e.launch(1, e.members)
	e.ready(1)
	e.same(100)
	if got := e.nodes[1].Status().Cluster; got != cluster {
		t.Errorf("cluster %s, want %s", got, cluster)
	}
}

// A server that was alone can be recovered too, and go on alone.
func TestRecoverAlone(t *testing.T) {
	cfg := config(t, t.TempDir())
	m := newMachine(100)
	n := start(t, cfg, m)
	submit(n, 1, 100, "before")
	wait(t, m)
	if _, err := OpenRecovery(cfg); !errors.Is(err, store.ErrInUse) {
		t.Errorf("while it runs: %v", err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	other := cfg
	other.ServerID = 9
	if _, err := OpenRecovery(other); !errors.Is(err, ErrIdentity) {
		t.Errorf("by another server: %v", err)
	}
	r, err := OpenRecovery(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Others()) != 0 {
		t.Errorf("others: %v", r.Others())
	}
	if _, _, err := r.Recover(newMachine(0)); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	m = newMachine(200)
	n = start(t, cfg, m)
	submit(n, 1, 100, "after")
	wait(t, m)
}

func TestRecoverNothing(t *testing.T) {
	cfg := config(t, filepath.Join(t.TempDir(), "raft"))
	if _, err := OpenRecovery(cfg); !errors.Is(err, ErrNoState) {
		t.Errorf("from a directory that is not there: %v", err)
	}
	if _, err := os.Stat(cfg.Store.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a directory was made: %v", err)
	}
}

// All but an old copy are lost. It has not found out what it is before, and must not later: there is nobody to copy from.
func TestRecoverOldCopy(t *testing.T) {
	quick.Skip(t)
	e, _ := withOldCopy(t)
	e.launch(3, e.members)
	until(t, "entries of the others", func() bool { return len(e.states[3].all()) == 200 })
	for id := range uint64(3) {
		e.stop(id + 1)
	}
	e.recover(3)
	e.launch(3, e.members)
	e.ready(3)
	submit(e.nodes[3], 1, 100, "after")
	e.same(300)
}
