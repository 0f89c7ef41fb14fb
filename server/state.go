package server

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"zkd/consensus"
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
}

func newState() *state {
	return &state{tree: znode.New(), table: session.NewTable(), watches: watch.New[*conn]()}
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

// The image of a state, big-endian: u8 format, i64 zxid, u64 term, then the
// images of the membership, of the session table and of the tree.
//
// The first format began with the zxid, whose first byte is less than
// imageFormat, and had no membership.
const imageFormat = 0x82

type stateImage struct {
	s        *state
	head     []byte
	sessions []session.Session
	tree     *znode.Snapshot
}

// snapshot captures the state. The caller is the apply goroutine.
func (s *state) snapshot() consensus.State {
	s.mu.Lock()
	defer s.mu.Unlock()
	head := jute.AppendInt64([]byte{imageFormat}, s.zxid)
	head = binary.BigEndian.AppendUint64(head, s.term)
	return &stateImage{
		s: s, head: s.members.appendImage(head),
		sessions: s.table.All(), tree: s.tree.Snapshot(),
	}
}

// Persist implements consensus.State.
func (i *stateImage) Persist(w io.Writer) error {
	if _, err := w.Write(session.AppendImage(i.head, i.sessions)); err != nil {
		return err
	}
	_, err := i.tree.WriteTo(w)
	return err
}

// Release implements consensus.State.
func (i *stateImage) Release() {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	i.tree.Release()
}

// restore replaces the state by the one in an image.
func (s *state) restore(r io.Reader) error {
	zxid, term, members, err := loadHead(r)
	if err != nil {
		return err
	}
	table, err := session.Load(r)
	if err != nil {
		return err
	}
	tree, err := znode.Load(r)
	if err != nil {
		return err
	}
	if _, err := io.ReadFull(r, make([]byte, 1)); !errors.Is(err, io.EOF) {
		return errors.Join(errors.New("server: snapshot goes on behind its end"), err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.zxid, s.term, s.members = zxid, term, members
	s.tree, s.table = tree, table
	return nil
}

// loadHead reads what is in front of the session table.
func loadHead(r io.Reader) (zxid int64, term uint64, members membership, err error) {
	var b [16]byte
	if _, err := io.ReadFull(r, b[:1]); err != nil {
		return 0, 0, members, fmt.Errorf("server: read snapshot: %w", err)
	}
	format, rest := b[0], b[1:]
	switch {
	case format == imageFormat:
		rest = b[:]
	case format > 0x7f:
		return 0, 0, members, fmt.Errorf("server: snapshot of the unknown format %#x, written by a later release", format)
	}
	if _, err := io.ReadFull(r, rest); err != nil {
		return 0, 0, members, fmt.Errorf("server: read snapshot: %w", err)
	}
	if format == imageFormat {
		members, err = loadMembership(r)
	}
	return int64(binary.BigEndian.Uint64(b[:])), binary.BigEndian.Uint64(b[8:]), members, err
}
