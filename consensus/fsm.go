package consensus

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"zkd/consensus/store"
)

// Batch is the committed requests of one entry, handed to the StateMachine.
type Batch struct {
	Index, Term uint64
	Time        int64 // ms since the epoch; never smaller than in the batch before
	Preamble    []byte

	origin, seq uint64 // of the request that Next returns
	rest        []byte
	local       *stream // nil unless the requests began here
}

// Next returns the next request and, if it was submitted by this process, its
// waiter. The request aliases the log entry.
func (b *Batch) Next() (request []byte, w Waiter, ok bool) {
	if len(b.rest) == 0 {
		return nil, nil, false
	}
	n := int(binary.BigEndian.Uint32(b.rest))
	request, b.rest = b.rest[4:4+n], b.rest[4+n:]
	if b.local != nil {
		w = b.local.take(b.seq)
	}
	b.seq++
	return request, w, true
}

// origin is what is known of a server's stream of requests.
type origin struct{ incarnation, seq uint64 }

// fsm joins raft to the StateMachine. It holds the replicated state that
// makes each request count once: the last one applied of each origin.
type fsm struct {
	node *Node
	sm   StateMachine

	mu      sync.Mutex // guards origins against incarnation
	origins map[uint64]origin
	time    int64
	batch   Batch
	growth  growth
	replies []any
}

func newFSM(n *Node, sm StateMachine) *fsm {
	f := &fsm{node: n, sm: sm, origins: map[uint64]origin{}}
	f.growth.restart(n.cfg.SnapshotRequests)
	return f
}

var _ raft.BatchingFSM = (*fsm)(nil)

// Apply implements raft.FSM; raft calls ApplyBatch instead.
func (f *fsm) Apply(l *raft.Log) any { return f.ApplyBatch([]*raft.Log{l})[0] }

// ApplyBatch implements raft.BatchingFSM. An entry that was committed and
// cannot be applied means that this server's state is no longer what the log
// says: it must not go on.
func (f *fsm) ApplyBatch(logs []*raft.Log) []any {
	for _, l := range logs {
		if l.Type != raft.LogCommand {
			continue
		}
		err := store.VerifyEntry(l)
		if err == nil {
			err = f.apply(l)
		}
		if err != nil {
			panic(fmt.Sprintf("consensus: entry %d of term %d, %d bytes: %v", l.Index, l.Term, len(l.Data), err))
		}
	}
	f.sm.Applied()
	f.replies = slices.Grow(f.replies[:0], len(logs))[:len(logs)]
	return f.replies
}

func (f *fsm) apply(l *raft.Log) error {
	b := &f.batch
	first, incarnation, err := decodeBatch(b, l.Data)
	if err != nil {
		return err
	}
	b.Index, b.Term = l.Index, l.Term
	f.time = max(f.time, b.Time)
	b.Time = f.time
	n, err := countRequests(b.rest)
	if err != nil {
		return err
	}
	f.mu.Lock()
	o := f.origins[b.origin]
	switch {
	case incarnation < o.incarnation, incarnation == o.incarnation && first+n-1 <= o.seq:
		f.mu.Unlock()
		return nil // applied before, or of a process that has been replaced
	case incarnation > o.incarnation:
		o = origin{incarnation: incarnation}
	}
	if first != o.seq+1 {
		f.mu.Unlock()
		return fmt.Errorf("request %d of origin %d follows %d", first, b.origin, o.seq)
	}
	f.origins[b.origin] = origin{incarnation, first + n - 1}
	f.mu.Unlock()

	b.seq, b.local = first, nil
	if s := &f.node.stream; b.origin == s.origin && incarnation == s.incarnation {
		b.local = s
	}
	if f.growth.add(n, len(l.Data), f.node.cfg.SnapshotBytes) {
		f.node.askSnapshot()
	}
	f.sm.Apply(b)
	return nil
}

var errBatch = errors.New("malformed batch")

func decodeBatch(b *Batch, data []byte) (first, incarnation uint64, err error) {
	if len(data) < batchHeader || data[0] != batchFormat {
		return 0, 0, errBatch
	}
	be := binary.BigEndian
	b.origin, incarnation = be.Uint64(data[1:]), be.Uint64(data[9:])
	first, b.Time = be.Uint64(data[17:]), int64(be.Uint64(data[25:]))
	n := int(be.Uint16(data[33:]))
	if data = data[batchHeader:]; len(data) < n {
		return 0, 0, errBatch
	}
	b.Preamble, b.rest = data[:n], data[n:]
	return first, incarnation, nil
}

// countRequests checks the lengths that Next relies on.
func countRequests(b []byte) (n uint64, err error) {
	for ; len(b) > 0; n++ {
		if len(b) < 4 {
			return 0, errBatch
		}
		size := int(binary.BigEndian.Uint32(b))
		if size > len(b)-4 {
			return 0, errBatch
		}
		b = b[4+size:]
	}
	if n == 0 {
		return 0, errBatch
	}
	return n, nil
}

// incarnation returns the number for this process's requests: above any that
// the state knows, whatever the clock did.
func (f *fsm) incarnation(id uint64) uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return max(f.origins[id].incarnation+1, uint64(time.Now().UnixNano()))
}

// The image of a state: u32 magic "ZKD1", i64 time of the last batch, u32
// number of origins, for each u64 id, incarnation and seq, big-endian; then
// that of the StateMachine.
const imageMagic = 0x5a4b4431

type fsmState struct {
	head  []byte
	state State
	stop  <-chan struct{} // closed when nobody waits for it any more
}

// Snapshot implements raft.FSM.
func (f *fsm) Snapshot() (raft.FSMSnapshot, error) {
	state, err := f.sm.Snapshot()
	if err != nil {
		return nil, err
	}
	f.growth.restart(f.node.cfg.SnapshotRequests)
	be := binary.BigEndian
	head := be.AppendUint32(nil, imageMagic)
	head = be.AppendUint64(head, uint64(f.time))
	head = be.AppendUint32(head, uint32(len(f.origins)))
	for _, id := range slices.Sorted(maps.Keys(f.origins)) {
		o := f.origins[id]
		head = be.AppendUint64(be.AppendUint64(be.AppendUint64(head, id), o.incarnation), o.seq)
	}
	return &fsmState{head, state, f.node.closing}, nil
}

// Persist implements raft.FSMSnapshot.
func (s *fsmState) Persist(sink raft.SnapshotSink) error {
	w := &pacedWriter{w: sink, stop: s.stop, began: time.Now()}
	_, err := w.Write(s.head)
	if err == nil {
		err = s.state.Persist(w)
	}
	if err != nil {
		return errors.Join(err, sink.Cancel())
	}
	return sink.Close()
}

// Release implements raft.FSMSnapshot.
func (s *fsmState) Release() { s.state.Release() }

// Restore implements raft.FSM. It replaces the state as a whole or not at all.
func (f *fsm) Restore(rc io.ReadCloser) (err error) {
	defer func() { err = errors.Join(err, rc.Close()) }()
	r := bufio.NewReaderSize(rc, 1<<20)
	var b [24]byte
	if _, err := io.ReadFull(r, b[:16]); err != nil {
		return fmt.Errorf("consensus: read snapshot: %w", err)
	}
	be := binary.BigEndian
	if m := be.Uint32(b[:]); m != imageMagic {
		return fmt.Errorf("consensus: snapshot begins with %#x", m)
	}
	now, origins := int64(be.Uint64(b[4:])), map[uint64]origin{}
	for n := be.Uint32(b[12:]); n > 0; n-- {
		if _, err := io.ReadFull(r, b[:]); err != nil {
			return fmt.Errorf("consensus: read snapshot: %w", err)
		}
		origins[be.Uint64(b[:])] = origin{be.Uint64(b[8:]), be.Uint64(b[16:])}
	}
	if err := f.sm.Restore(r); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.origins, f.time = origins, now
	return nil
}
