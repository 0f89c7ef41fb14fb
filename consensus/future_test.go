package consensus

import (
	"errors"
	"testing"
	"time"

	"github.com/hashicorp/raft"
)

// TestFuturesThatRaftForgets: nobody waits for them longer than the node lives. The state machine is held up, so raft
// is shut down with an entry that was committed and is not applied.
func TestFuturesThatRaftForgets(t *testing.T) {
	m := newMachine(0)
	n := start(t, config(t, t.TempDir()), m)
	gone := make(chan struct{})
	future := n.raft.Load().Barrier(0)
	if !letGo(future, gone) {
		t.Fatalf("%T has no channel by which it can be let go", future)
	}
	if err := future.Error(); err != nil {
		t.Fatal(err)
	}
	m.mu.Lock() // the state machine applies nothing
	stuck := n.raft.Load().Apply(entry(99, 1, 1, 0, "a"), 0)
	if !letGo(stuck, gone) {
		t.Fatalf("%T has no channel by which it can be let go", stuck)
	}
	answer := make(chan error, 1)
	go func() { answer <- stuck.Error() }()
	select {
	case err := <-answer:
		t.Errorf("answered too early: %v", err)
	case <-time.After(10 * time.Millisecond): // it may well be answered later, if this is broken
	}
	close(gone)
	if err := <-answer; !errors.Is(err, raft.ErrRaftShutdown) {
		t.Error(err)
	}
	m.mu.Unlock()
}

// never is a future without an answer.
type never struct{}

func (never) Error() error { select {} }

// Raft answers nothing once it was shut down, which the first failure does: who
// waits for it hears of that, a start that is replaying the log first of all.
func TestNobodyWaitsForAFailedNode(t *testing.T) {
	cfg := config(t, t.TempDir())
	cfg.OnFatal = func(error) {}
	n := start(t, cfg, newMachine(0))
	n.fatal(errors.New("failed on purpose"))
	if err := n.await(never{}, nil); !errors.Is(err, errAbandoned) {
		t.Error(err)
	}
	n.unanswered.Add(-1) // never will not
}
