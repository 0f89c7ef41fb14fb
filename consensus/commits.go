package consensus

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
)

// commits is what this server has been told of commits and has not applied yet. A
// client that has had the reply to a write on one server and asks another comes
// behind the commit there, as that was sent before the reply: a read that waits
// for what is known to be committed sees the write.
type commits struct {
	told, applied atomic.Uint64 // indexes
	// given is what a reader has waited for in vain. Until it is applied no
	// other waits: the disk hangs, or a snapshot is being taken over.
	given atomic.Uint64

	waits atomic.Bool // moved is set
	mu    sync.Mutex
	moved chan struct{} // closed when something is applied
}

// readPatience is how long a read waits for what is known to be committed, which
// takes some ten microseconds.
const readPatience = 10 * time.Millisecond

// tell notes that an entry is committed that reaches the state machine.
func (k *commits) tell(index uint64) { raise(&k.told, index) }

// apply notes that all is applied up to an entry.
func (k *commits) apply(index uint64) {
	k.applied.Store(index)
	if !k.waits.Load() {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.moved != nil {
		close(k.moved)
		k.moved = nil
		k.waits.Store(false)
	}
}

// await returns when all is applied of which this server had been told when it was
// called, or after a while.
func (k *commits) await(patience time.Duration) {
	want := k.told.Load()
	if applied := k.applied.Load(); applied >= want || applied < k.given.Load() {
		return
	}
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		k.mu.Lock()
		if k.moved == nil {
			k.moved = make(chan struct{})
			k.waits.Store(true)
		}
		moved := k.moved
		k.mu.Unlock()
		if k.applied.Load() >= want {
			return
		}
		select {
		case <-moved:
		case <-late.C:
			raise(&k.given, want)
			return
		}
	}
}

func raise(v *atomic.Uint64, to uint64) {
	for {
		now := v.Load()
		if now >= to || v.CompareAndSwap(now, to) {
			return
		}
	}
}

// AwaitKnown returns when this server has applied all that it has been told is
// committed, or after 10 ms: where applying takes longer, reads do not wait for
// it. It is for whoever is about to read the state, and no promise: only a sync
// makes sure that nothing is missing (Sync).
func (n *Node) AwaitKnown() {
	r := n.raft.Load()
	if n.net == nil || r == nil {
		return
	}
	if r.State() != raft.Leader {
		// A commit that came in with the request, or before it, is to be heard
		// first; the goroutine that hears it has been woken like this one.
		runtime.Gosched()
	}
	n.commits.await(readPatience)
}
