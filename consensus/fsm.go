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
	"zkd/internal/mutant"
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

// NewBatch is a batch as Apply gets it on servers where its requests did not
// begin, for tests of a StateMachine.
func NewBatch(index, term uint64, ms int64, preamble []byte, requests ...[]byte) *Batch {
	b := &Batch{Index: index, Term: term, Time: ms, Preamble: preamble}
	for _, r := range requests {
		b.rest = append(binary.BigEndian.AppendUint32(b.rest, uint32(len(r))), r...)
	}
	return b
}

// Next returns the next request and, if it was submitted by this process, its
// waiter. The request aliases the log entry.
func (b *Batch) Next() (request []byte, w Waiter, ok bool) {
	for len(b.rest) > 0 {
		n := int(binary.BigEndian.Uint32(b.rest))
		request, b.rest = b.rest[4:4+n], b.rest[4+n:]
		if b.local != nil {
			w = b.local.take(b.seq)
		}
		b.seq++
		if n > 0 {
			return request, w, true
		}
		synced(w)
	}
	return nil, nil, false
}

// origin is what is known of a server's stream of requests.
type origin struct{ incarnation, seq uint64 }

// fsm joins raft to the StateMachine. It holds the replicated state that
// makes each request count once: the last one applied of each origin.
type fsm struct {
	node *Node
	sm   StateMachine
	// counted returns when an entry is durable here, if raft has counted this
	// server's copy to find it committed; settled when all is that has been stored.
	// Both are set before raft is started.
	counted func(index uint64) error
	settled func() error
	failed  error // of counted: nothing is applied any more

	mu      sync.Mutex // guards what others than the apply goroutine read
	origins map[uint64]origin
	starts  []uint64 // incarnations of this server that this process has met
	cluster clusterID
	members *Membership
	digests digests

	time    int64
	batch   Batch
	growth  growth
	replies []any
}

func newFSM(n *Node, sm StateMachine) *fsm {
	f := &fsm{node: n, sm: sm, origins: map[uint64]origin{}, counted: func(uint64) error { return nil }, settled: func() error { return nil }}
	f.growth.restart(n.cfg.SnapshotRequests)
	return f
}

var _ raft.BatchingFSM = (*fsm)(nil)

// Apply implements raft.FSM; raft calls ApplyBatch instead.
func (f *fsm) Apply(l *raft.Log) any { return f.ApplyBatch([]*raft.Log{l})[0] }

// ApplyBatch implements raft.BatchingFSM. An entry that was committed and
// cannot be applied means that this server's state is no longer what the log
// says: it must not go on.
//
// On a leader the entries may be committed and not yet durable here, if others
// were faster. Raft counts them as if they were, so they are not applied before:
// a reply, an event or a read would be worth no more than this process. A follower
// knows of a commit only from a leader, who does not count it before it answers:
// it applies what others have on disk, though its own is still at it.
func (f *fsm) ApplyBatch(logs []*raft.Log) []any {
	f.replies = slices.Grow(f.replies[:0], len(logs))[:len(logs)]
	if f.failed == nil && !mutant.Is(mutant.Apply) {
		f.failed = f.counted(logs[len(logs)-1].Index)
	}
	if f.failed != nil {
		return f.replies // the store has failed, and with it the node
	}
	if !mutant.Is(mutant.Announce) {
		f.node.announce(logs)
	}
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
	f.node.commits.apply(logs[len(logs)-1].Index)
	f.sm.Applied()
	if mutant.Is(mutant.Announce) {
		f.node.announce(logs)
	}
	f.publish()
	f.node.applied(logs)
	return f.replies
}

// publish shows the node what the state now says of the members.
func (f *fsm) publish() {
	m := f.sm.Membership()
	f.mu.Lock()
	changed := m != f.members
	f.members = m
	f.mu.Unlock()
	if changed {
		f.node.membersChanged(m)
	}
}

func (f *fsm) membership() *Membership {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.members
}

func (f *fsm) apply(l *raft.Log) error {
	if len(l.Data) == 0 {
		return errBatch
	}
	applied := false
	switch l.Data[0] {
	case clusterFormat:
		return f.applyCluster(l.Data)
	case groupFormat:
		for rest := l.Data[1:]; len(rest) > 0; {
			var batch []byte
			var err error
			if batch, rest, err = cutBatch(rest); err != nil {
				return err
			}
			ok, err := f.applyBatch(l, batch)
			if err != nil {
				return err
			}
			applied = applied || ok
		}
	default:
		var err error
		if applied, err = f.applyBatch(l, l.Data); err != nil {
			return err
		}
	}
	if applied {
		f.mu.Lock()
		f.digests.add(l.Index, f.sm.Digest())
		f.mu.Unlock()
	}
	return nil
}

// applyBatch applies a batch of an entry, unless it is not the next one of its
// origin.
func (f *fsm) applyBatch(l *raft.Log, data []byte) (applied bool, err error) {
	b := &f.batch
	first, incarnation, err := decodeBatch(b, data)
	if err != nil {
		return false, err
	}
	b.Index, b.Term = l.Index, l.Term
	if f.time = max(f.time, b.Time); mutant.Is(mutant.Time) {
		f.time = b.Time
	}
	b.Time = f.time
	n, err := countRequests(b.rest)
	if err != nil {
		return false, err
	}
	s := &f.node.stream
	here := b.origin == s.origin && incarnation == s.incarnation.Load()
	switch f.follows(b.origin, incarnation, first, first+n-1) {
	case superseded:
		if here {
			f.node.fatal(f.node.superseded())
		}
		return false, nil
	case duplicate:
		return false, nil
	case gap:
		if here {
			s.resend()
		}
		return false, nil
	case overlap:
		if here {
			f.node.fatal(fmt.Errorf("consensus: requests %d to %d of this server are applied in part", first, first+n-1))
		}
		return false, nil // whoever sends that must not stop the others
	}
	b.seq, b.local = first, nil
	if here {
		b.local = s
	}
	if f.growth.add(n, len(data), f.node.cfg.SnapshotBytes) {
		f.node.askSnapshot()
	}
	f.sm.Apply(b)
	if here {
		s.done(first + n - 1)
	}
	return true, nil
}

var errIncarnation = errors.New("the clock of this server has been set back")

// place is where a batch stands among those of its origin.
type place uint8

const (
	next       place = iota
	duplicate        // applied before
	superseded       // of a process of that server that has been replaced
	gap              // one before it was lost with its leader: this one will come again behind that
	overlap          // not sent by servers in their right mind: batches keep their borders
)

// follows places the requests first to last of an origin, and counts them as
// applied if they are the next. Every server comes to the same result.
func (f *fsm) follows(id, incarnation, first, last uint64) place {
	f.mu.Lock()
	defer f.mu.Unlock()
	o := f.origins[id]
	switch {
	case incarnation < o.incarnation && !mutant.Is(mutant.Replaced):
		return superseded
	case incarnation != o.incarnation:
		o = origin{incarnation: incarnation}
	case last <= o.seq && mutant.Is(mutant.Once):
		return next
	case last <= o.seq:
		return duplicate
	case first <= o.seq:
		return overlap
	}
	if first != o.seq+1 && !mutant.Is(mutant.Gap) {
		return gap
	}
	if id == f.node.stream.origin && incarnation != f.origins[id].incarnation {
		f.starts = append(f.starts, incarnation)
	}
	f.origins[id] = origin{incarnation, last}
	return next
}

// metStart tells whether the state has seen this server start behind one
// number and before another.
func (f *fsm) metStart(behind, before uint64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.ContainsFunc(f.starts, func(n uint64) bool { return behind < n && n < before })
}

// The entry by which the first leader names the cluster: u8 format 2, 16 bytes.
const clusterFormat = 2

func (f *fsm) applyCluster(data []byte) error {
	var id clusterID
	if len(data) != 1+len(id) {
		return errBatch
	}
	f.mu.Lock()
	if !f.cluster.known() {
		copy(f.cluster[:], data[1:])
	}
	id = f.cluster
	f.mu.Unlock()
	f.node.belongsTo(id)
	return nil
}

func (f *fsm) clusterID() clusterID {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.cluster
}

// digests remembers the digest of the state behind each of the last entries.
type digests struct {
	ring   [4096]struct{ index, digest uint64 }
	newest uint64
}

func (d *digests) add(index, digest uint64) {
	d.ring[index%uint64(len(d.ring))] = struct{ index, digest uint64 }{index, digest}
	d.newest = index
}

// digestAt returns the digest behind an entry, if it is remembered.
func (f *fsm) digestAt(index uint64) (digest uint64, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	e := f.digests.ring[index%uint64(len(f.digests.ring))]
	return e.digest, e.index == index && index > 0
}

// newest returns the last entry applied since the start, and the digest then.
func (f *fsm) newest() (index, digest uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	index = f.digests.newest
	return index, f.digests.ring[index%uint64(len(f.digests.ring))].digest
}

var errBatch = errors.New("malformed batch")

func decodeBatch(b *Batch, data []byte) (first, incarnation uint64, err error) {
	if len(data) > 0 && data[0] != batchFormat {
		return 0, 0, fmt.Errorf("%w of format %d, which this zkd does not know: was it written by a newer one?", errBatch, data[0])
	}
	if len(data) < batchHeader {
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
	return max(f.origins[id].incarnation+1, uint64(f.node.clock.read().UnixNano()))
}

// The image of a state: u32 magic "ZKD2", 16 bytes cluster id, i64 time of the
// last batch, u32 number of origins, for each u64 id, incarnation and seq,
// big-endian; then that of the StateMachine. "ZKD1" was without a cluster id.
const (
	imageMagic  = 0x5a4b4432
	imageMagic1 = 0x5a4b4431
)

type fsmState struct {
	head  []byte
	state State
	stop  <-chan struct{} // closed when nobody waits for it any more
}

// Snapshot implements raft.FSM.
func (f *fsm) Snapshot() (raft.FSMSnapshot, error) {
	if f.failed != nil {
		return nil, f.failed // the state is behind what raft takes it for
	}
	if err := f.settled(); err != nil {
		return nil, err // it must not be ahead of the log
	}
	state, err := f.sm.Snapshot()
	if err != nil {
		return nil, err
	}
	f.growth.restart(f.node.cfg.SnapshotRequests)
	be := binary.BigEndian
	head := be.AppendUint32(nil, imageMagic)
	head = append(head, f.cluster[:]...)
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
	w := &pacedWriter{w: sink, pace: pace{stop: s.stop, began: time.Now()}}
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
	cluster, now, origins, err := readImageHead(r)
	if err != nil {
		return err
	}
	if err := f.sm.Restore(r); err != nil {
		return err
	}
	if mutant.Is(mutant.Origins) {
		origins = map[uint64]origin{}
	}
	f.mu.Lock()
	f.origins, f.time, f.cluster = origins, now, cluster
	f.digests = digests{}
	own := f.origins[f.node.stream.origin]
	f.starts = append(f.starts, own.incarnation)
	f.mu.Unlock()
	if s := &f.node.stream; own.incarnation != 0 && own.incarnation == s.incarnation.Load() {
		for _, w := range s.skip(own.seq) {
			if !synced(w) {
				f.sm.Dropped(w)
			}
		}
	}
	if cluster.known() {
		f.node.belongsTo(cluster)
	}
	f.publish()
	return nil
}

func readImageHead(r io.Reader) (cluster clusterID, now int64, origins map[uint64]origin, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("consensus: read snapshot: %w", err)
		}
	}()
	var b [24]byte
	be := binary.BigEndian
	if _, err = io.ReadFull(r, b[:4]); err != nil {
		return
	}
	switch m := be.Uint32(b[:]); m {
	case imageMagic:
		if _, err = io.ReadFull(r, cluster[:]); err != nil {
			return
		}
	case imageMagic1:
	default:
		err = fmt.Errorf("it begins with %#x", m)
		return
	}
	if _, err = io.ReadFull(r, b[:12]); err != nil {
		return
	}
	now, origins = int64(be.Uint64(b[:])), map[uint64]origin{}
	for n := be.Uint32(b[8:]); n > 0; n-- {
		if _, err = io.ReadFull(r, b[:]); err != nil {
			return
		}
		origins[be.Uint64(b[:])] = origin{be.Uint64(b[8:]), be.Uint64(b[16:])}
	}
	return
}
