package consensus

import (
	"errors"
	"fmt"
	"runtime"
	"strings"

	"github.com/hashicorp/raft"

	"zkd/internal/mutant"
)

// entries is the log as raft has it. Raft panics where it cannot read an entry
// that it is to apply, or looks through at its start: with a stack in place of
// the reason, and in the middle of whatever this server has to bring to an end.
// Here the goroutine ends instead, which is as final: nothing is applied, voted
// or confirmed any more.
type entries struct {
	raft.LogStore
	failed func(error)
}

// GetLog implements raft.LogStore.
func (e entries) GetLog(index uint64, l *raft.Log) error {
	err := e.LogStore.GetLog(index, l)
	if err != nil && calledToPanic() && !mutant.Is(mutant.Readable) {
		e.failed(fmt.Errorf("consensus: entry %d cannot be read: %w", index, err))
		runtime.Goexit()
	}
	return err
}

// calledToPanic tells whether the caller of GetLog is one of those that panic.
// All others, among them those that send entries, take an error for what it is,
// and their goroutines have others to end.
func calledToPanic() bool {
	var pcs [4]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	for {
		f, more := frames.Next()
		if strings.HasSuffix(f.Function, "/raft.(*Raft).processLogs") || strings.HasSuffix(f.Function, "/raft.NewRaft") {
			return true
		}
		if !more {
			return false
		}
	}
}

// newRaft is raft.NewRaft on a goroutine that entries may end.
func (n *Node) newRaft(rc *raft.Config, snaps raft.SnapshotStore, trans raft.Transport) (r *raft.Raft, err error) {
	err = errors.New("an entry that the log should have is missing")
	log := entries{n.store.Log(), n.fatal}
	done := make(chan struct{})
	go func() {
		defer close(done)
		r, err = raft.NewRaft(rc, n.fsm, log, ballot{n.store.Stable()}, snaps, trans)
	}()
	<-done
	if r == nil && n.store.Err() != nil {
		err = n.store.Err()
	}
	return r, err
}
