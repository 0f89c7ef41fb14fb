package consensus

import (
	"runtime"

	"github.com/hashicorp/raft"
)

// ballot is the store of terms and votes as raft has it once it runs. Raft
// panics when it cannot store a new term, with a stack in place of the reason
// and in the middle of whatever this server has to bring to an end. Here its main
// goroutine ends instead, which is as final: it votes, confirms and leads no
// more. The store has told why (store.Options.OnFatal).
type ballot struct{ raft.StableStore }

// SetUint64 implements raft.StableStore. Only raft's main goroutine raises the
// term; NewRaft, on the caller's, repeats the one that is stored.
func (b ballot) SetUint64(key []byte, value uint64) error {
	err := b.StableStore.SetUint64(key, value)
	if err != nil && string(key) == "CurrentTerm" {
		if stored, _ := b.GetUint64(key); value > stored {
			runtime.Goexit()
		}
	}
	return err
}
