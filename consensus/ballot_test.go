package consensus

import (
	"context"
	"errors"
	"testing"

	"zkd/consensus/store"
)

// noCommits is a disk that refuses to commit what bbolt has written.
type noCommits struct{ store.Disk }

var errNoCommit = errors.New("this disk commits nothing")

func (noCommits) Do(op store.Op, do func() error) error {
	if op.Kind == store.OpCommit {
		return errNoCommit
	}
	return do()
}

func (noCommits) Room(string) (free, total int64, err error) { return 1 << 40, 1 << 40, nil }
func (noCommits) SegmentSize() int64                         { return 0 }

// A server that cannot store the term it would stand for election in says why
// and ends in order; raft would have it panic.
func TestTermThatCannotBeStored(t *testing.T) {
	cfg := config(t, t.TempDir())
	if err := start(t, cfg, newMachine(0)).Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cfg.Store.Disk = noCommits{}
	cfg.OnFatal = cancel
	n, err := Open(cfg, newMachine(0))
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Ready(ctx); err == nil {
		t.Error("ready without a term")
	}
	if err := context.Cause(ctx); !errors.Is(err, errNoCommit) {
		t.Errorf("fatal: %v", err)
	}
	_ = n.Close() // says once more what is wrong; it must return
}
