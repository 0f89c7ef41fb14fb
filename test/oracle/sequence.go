package oracle

import (
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"slices"
	"sync"
	"time"

	"zkd/proto/jute"
	"zkd/server"
	"zkd/test/wire"
)

// Entry is one request of the committed sequence with what became of it.
type Entry struct {
	Index, Term uint64 // of raft's entry that it came in
	Time        int64  // ms
	Zxid        int64  // of the state behind it
	Op          wire.Op
	Xid         int32
	Session     int64
	Generation  uint32
	IDs         []Identity
	Body        []byte
	SkipACL     bool
	TTLNodes    bool
	Void        bool // the request of a connection that was replaced, or of a session that had ended
	Code        wire.Code
	Reply       []byte
	Digest      uint64 // of the server's state behind it
	// Seen is when it was first heard of, which is not before it was applied.
	Seen time.Time
}

// Identity is who a client has shown to be.
type Identity struct{ Scheme, ID string }

// Sequence is the committed sequence as the servers tell it, each in a Stream. Safe for concurrent use.
type Sequence struct {
	seed maphash.Seed

	mu       sync.Mutex
	groups   []group            // by index
	entries  map[uint64][]Entry // by index, those that Take has not returned
	taken    uint64             // up to this index
	skipped  map[uint64]string  // indexes that a server went past without applying anything
	streams  []*Stream
	faults   faults
	last     uint64
	restores int
}

// group is what is remembered of a raft entry for ever: servers that are late, or start again, must repeat it.
type group struct {
	sums   []uint32 // of its requests
	closed int32    // number of its requests, once a server has gone on; 0 before
}

// NewSequence returns an empty sequence.
func NewSequence() *Sequence {
	return &Sequence{
		seed: maphash.MakeSeed(), groups: make([]group, 1), entries: map[uint64][]Entry{}, skipped: map[uint64]string{},
	}
}

// Stream is what one process of one server applies, in order. It is a server.Witness.
type Stream struct {
	s      *Sequence
	server string
	// Guarded by s.mu. The stream has everything from index first to index last, and of last the first n requests.
	first, last uint64
	n           int
	whole       bool // it began with an empty state
}

var _ server.Witness = (*Stream)(nil)

// Stream begins the stream of a process, which has the name of its server.
func (s *Sequence) Stream(server string) *Stream {
	t := &Stream{s: s, server: server, whole: true}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.streams = append(s.streams, t)
	return t
}

// Applied implements server.Witness.
func (t *Stream) Applied(a *server.Applied) {
	e := Entry{
		Index: a.Index, Term: a.Term, Time: a.Time, Zxid: a.Zxid, Op: wire.Op(a.Op), Xid: a.Xid, Session: a.Session,
		Generation: a.Generation, Body: a.Body, SkipACL: a.SkipACL, TTLNodes: a.TTLNodes, Void: a.Void,
		Code: wire.Code(a.Code), Reply: a.Reply, Digest: a.Digest,
	}
	t.add(&e, a.IDs)
}

// Restored implements server.Witness: what comes next need not follow what came before.
func (t *Stream) Restored(int64) {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	t.first, t.last, t.n, t.whole = 0, 0, 0, false
	t.s.restores++
}

// Add adds an entry whose memory the sequence may keep.
func (t *Stream) Add(e Entry) { t.add(&e, nil) }

// add takes an entry. What it points to may be changed afterwards if ids is not nil.
func (t *Stream) add(e *Entry, ids []jute.ID) {
	for _, id := range ids {
		e.IDs = append(e.IDs, Identity{id.Scheme, id.ID})
	}
	s := t.s
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case e.Index < t.last || e.Index == 0:
		s.faults.say(Replicas, "%s applied entry %d behind entry %d", t.server, e.Index, t.last)
		return
	case e.Index > t.last:
		s.pass(t, e.Index)
		t.last, t.n = e.Index, 0
		if t.first == 0 {
			t.first = e.Index
		}
	}
	for uint64(len(s.groups)) <= e.Index {
		s.groups = append(s.groups, group{})
	}
	g := &s.groups[e.Index]
	sum := s.sum(e)
	n := t.n
	t.n++
	switch {
	case n < len(g.sums):
		if g.sums[n] != sum {
			s.differs(t, e, n)
		}
		return
	case g.closed > 0:
		s.faults.say(Replicas, "%s applied more of entry %d than others: %v", t.server, e.Index, e)
		return
	case s.skipped[e.Index] != "" && n == 0:
		s.faults.say(Durable, "entry %d was applied by %s and lost: %s went past it. It has %v", e.Index, t.server, s.skipped[e.Index], e)
	}
	g.sums = append(g.sums, sum)
	s.last = max(s.last, e.Index)
	if e.Index <= s.taken {
		s.faults.say(Replicas, "%s has entry %d only now: %v", t.server, e.Index, e)
		return
	}
	kept := *e
	kept.Body, kept.Reply = slices.Clone(e.Body), slices.Clone(e.Reply)
	if kept.Seen.IsZero() {
		kept.Seen = time.Now()
	}
	s.entries[e.Index] = append(s.entries[e.Index], kept)
}

// pass notes that a stream is done with its last index and goes on at another.
func (s *Sequence) pass(t *Stream, next uint64) {
	from := t.last
	if from > 0 {
		g := &s.groups[from]
		if g.closed > 0 && int(g.closed) != t.n || t.n < len(g.sums) {
			s.faults.say(Durable, "%s applied %d requests of entry %d, which has %d", t.server, t.n, from, len(g.sums))
		}
		g.closed = int32(t.n)
	}
	if from == 0 && !t.whole {
		return // behind a snapshot: the digests tell whether it has what was before
	}
	for i := from + 1; i < next; i++ {
		if i < uint64(len(s.groups)) && len(s.groups[i].sums) > 0 {
			s.faults.say(Durable, "entry %d was applied and lost: %s went from %d to %d past it", i, t.server, from, next)
		}
		if s.skipped[i] == "" {
			s.skipped[i] = t.server
		}
	}
}

// differs says how an entry differs from what another server has applied.
func (s *Sequence) differs(t *Stream, e *Entry, n int) {
	was := "something else, seen before"
	if old := s.entries[e.Index]; n < len(old) {
		was = fmt.Sprint(&old[n])
	}
	s.faults.say(Replicas, "%s applied as request %d of entry %d %v; another process applied %s", t.server, n, e.Index, e, was)
}

// sum hashes everything about an entry.
func (s *Sequence) sum(e *Entry) uint32 {
	var h maphash.Hash
	h.SetSeed(s.seed)
	var b [64]byte
	be := binary.BigEndian
	be.PutUint64(b[0:], e.Term)
	be.PutUint64(b[8:], uint64(e.Time))
	be.PutUint64(b[16:], uint64(e.Zxid))
	be.PutUint32(b[24:], uint32(e.Op))
	be.PutUint32(b[28:], uint32(e.Xid))
	be.PutUint64(b[32:], uint64(e.Session))
	be.PutUint32(b[40:], e.Generation)
	be.PutUint32(b[44:], uint32(e.Code))
	be.PutUint64(b[48:], e.Digest)
	be.PutUint32(b[56:], uint32(len(e.Body)))
	if e.Void {
		b[60] = 1
	}
	h.Write(b[:])
	h.Write(e.Body)
	h.Write(e.Reply)
	return uint32(h.Sum64())
}

// Take returns the entries, in order, that are certain to have no gap before them, and forgets them. At the end it
// returns all.
func (s *Sequence) Take(all bool) []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	upTo := s.taken
	for _, t := range s.streams {
		if (t.whole || t.first != 0 && t.first <= s.taken+1) && t.last > 0 {
			upTo = max(upTo, t.last-1) // there may be more of the last one
		}
	}
	if all {
		upTo = s.last
	}
	var list []Entry
	for ; s.taken < upTo; s.taken++ {
		list = append(list, s.entries[s.taken+1]...)
		delete(s.entries, s.taken+1)
	}
	return list
}

// Settled complains of servers that have not applied everything. It is for the end of a run, when all that are up
// have had time to.
func (s *Sequence) Settled(servers ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range servers {
		for i := len(s.streams) - 1; i >= 0; i-- {
			t := s.streams[i]
			if t.server != name {
				continue
			}
			if t.last != s.last || t.n != len(s.groups[t.last].sums) {
				s.faults.say(Durable, "%s has applied entries up to %d only; the last one is %d", name, t.last, s.last)
			}
			break
		}
	}
}

// Faults returns what is wrong with a sequence by itself; a Checker's faults contain it.
func (s *Sequence) Faults() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults.all()
}

func (e *Entry) String() string {
	return fmt.Sprintf("{term %d time %d zxid %#x session %#x generation %d xid %d op %d void %t code %v, %d and %d bytes, digest %#x}",
		e.Term, e.Time, e.Zxid, e.Session, e.Generation, e.Xid, e.Op, e.Void, e.Code, len(e.Body), len(e.Reply), e.Digest)
}
