package store

import (
	"sync"

	"github.com/hashicorp/raft-wal/types"
)

// rotation tells when raft-wal is changing from one segment to the next, which
// it does in the background. It holds its lock meanwhile, writes and syncs:
// whoever wants that lock waits here first, on a channel (see mutex).
type rotation struct {
	mu    sync.Mutex
	ended chan struct{} // nil: there is none
}

// begin is called by the append that has filled a segment.
func (r *rotation) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended == nil {
		r.ended = make(chan struct{})
	}
}

// end is called when the next segment is there. Only then: a rotation that
// fails is the end of the store.
func (r *rotation) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended != nil {
		close(r.ended)
		r.ended = nil
	}
}

func (r *rotation) underway() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ended
}

func (r *rotation) await(fail *failure) error {
	ended := r.underway()
	if ended == nil {
		return nil
	}
	select {
	case <-ended:
		return nil
	case <-fail.ch:
		return fail.err
	}
}

// walWriter tells of the segment that an append has filled: raft-wal asks for
// that after each of them, and then rotates.
type walWriter struct {
	types.SegmentWriter
	fs *walFS
}

func (w walWriter) Sealed() (bool, uint64, error) {
	sealed, indexStart, err := w.SegmentWriter.Sealed()
	if sealed && err == nil {
		w.fs.rotation.begin()
	}
	return sealed, indexStart, err
}
