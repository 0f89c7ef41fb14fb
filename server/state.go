package server

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"zkd/consensus"
	"zkd/digest"
	"zkd/proto/jute"
	"zkd/session"
	"zkd/watch"
	"zkd/znode"
)

// state is what all servers hold alike, joined with what only this one has:
// the tree and the session table under one lock, and the watches of this
// server's connections. The apply goroutine writes it; connections read it
// under mu, and hold mu until what they have read is queued.
type state struct {
	mu    sync.RWMutex
	tree  *znode.Tree
	table *session.Table
	zxid  int64  // of the last transaction applied: epoch and counter
	term  uint64 // raft term of the last batch
	now   int64  // time of the last batch, ms

	members membership

	watches *watch.Manager[*conn]
	failed  func(error) // told when a snapshot finds that this state is damaged
}

func newState() *state {
	s := &state{tree: znode.New(), table: session.NewTable(), watches: watch.New[*conn]()}
	s.members.changed()
	return s
}

// enterTerm starts a new epoch with the first batch of a raft term. The epoch
// is the state's own: a counter that is used up carries into it, without an
// election.
func (s *state) enterTerm(term uint64) {
	if term > s.term {
		s.term = term
		epoch := max(s.zxid>>32+1, int64(term))
		s.zxid = epoch << 32
	}
}

// digest returns the digest of the whole state: servers that have applied the
// same entries have the same one. The caller is the apply goroutine.
func (s *state) digest() uint64 {
	return digest.Words(0, [6]uint64{uint64(s.zxid), s.term, s.members.sum, s.table.Digest(), s.tree.Digest()})
}

// The image of a state, big-endian: u8 format, u64 digest, i64 zxid, u64 term,
// then the images of the membership, of the session table and of the tree.
const imageFormat = 0x83

type stateImage struct {
	s                             *state
	head                          []byte // format, digest, zxid and term
	members                       []byte // their image
	sessions                      []session.Session
	tree                          *znode.Snapshot
	membersDigest, sessionsDigest uint64
}

// snapshot captures the state. It is called between two applies, or by a
// goroutine other than the one that applies.
func (s *state) snapshot() *stateImage {
	s.mu.Lock()
	defer s.mu.Unlock()
	head := binary.BigEndian.AppendUint64([]byte{imageFormat}, s.digest())
	head = jute.AppendInt64(head, s.zxid)
	return &stateImage{
		s: s, head: binary.BigEndian.AppendUint64(head, s.term),
		members: s.members.appendImage(nil), membersDigest: s.members.sum,
		sessions: s.table.All(), sessionsDigest: s.table.Digest(),
		tree: s.tree.Snapshot(),
	}
}

// Persist implements consensus.State. A state that turns out to be damaged is
// the end of this server: no later snapshot of it would be any better.
func (i *stateImage) Persist(w io.Writer) error {
	err := i.verifyHead()
	if err == nil {
		err = i.write(w)
	}
	if errors.Is(err, consensus.ErrDamaged) {
		i.s.failed(err)
	}
	return err
}

func (i *stateImage) write(w io.Writer) error {
	if _, err := w.Write(session.AppendImage(append(i.head, i.members...), i.sessions)); err != nil {
		return err
	}
	_, err := i.tree.WriteTo(w)
	return damaged(err)
}

// Release implements consensus.State.
func (i *stateImage) Release() {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	i.tree.Release()
}

// restore replaces the state by the one in an image. Nobody has read the new
// one when swapped is called.
func (s *state) restore(r io.Reader, swapped func()) error {
	next, err := loadState(r)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.zxid, s.term, s.members = next.zxid, next.term, next.members
	s.tree, s.table = next.tree, next.table
	swapped()
	return nil
}

// loadState reads an image, to its end.
func loadState(r io.Reader) (s *state, err error) {
	s = &state{}
	want, known, err := s.loadHead(r)
	if err != nil {
		return nil, err
	}
	if s.table, err = session.Load(r); err != nil {
		return nil, err
	}
	if s.tree, err = znode.Load(r); err != nil {
		return nil, err
	}
	if _, err := io.ReadFull(r, make([]byte, 1)); !errors.Is(err, io.EOF) {
		return nil, errors.Join(errors.New("server: snapshot goes on behind its end"), err)
	}
	if got := s.digest(); known && got != want {
		return nil, fmt.Errorf("server: the snapshot's content has the digest %#016x, should have %#016x", got, want)
	}
	return s, nil
}

// loadHead reads what is in front of the session table. The first format began
// with the zxid, whose first byte is less than imageFormat, and had no digest
// and no membership.
func (s *state) loadHead(r io.Reader) (sum uint64, known bool, err error) {
	var b [24]byte
	if _, err := io.ReadFull(r, b[:1]); err != nil {
		return 0, false, fmt.Errorf("server: read snapshot: %w", err)
	}
	format, rest := b[0], b[:]
	switch {
	case format == imageFormat:
	case format > 0x7f:
		return 0, false, fmt.Errorf("server: snapshot of the unknown format %#x, written by another release", format)
	default:
		b[8], rest = format, b[9:]
	}
	if _, err := io.ReadFull(r, rest); err != nil {
		return 0, false, fmt.Errorf("server: read snapshot: %w", err)
	}
	be := binary.BigEndian
	s.zxid, s.term = int64(be.Uint64(b[8:])), be.Uint64(b[16:])
	if format != imageFormat {
		s.members.changed()
		return 0, false, nil
	}
	s.members, err = loadMembership(r)
	return be.Uint64(b[:]), true, err
}
