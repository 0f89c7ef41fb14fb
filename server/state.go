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

// The image of a state, big-endian: i64 zxid, u64 term, then the images of
// the session table and of the tree.
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
	head := jute.AppendInt64(nil, s.zxid)
	return &stateImage{
		s: s, head: binary.BigEndian.AppendUint64(head, s.term),
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
	var b [16]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return fmt.Errorf("server: read snapshot: %w", err)
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
	s.zxid, s.term = int64(binary.BigEndian.Uint64(b[:])), binary.BigEndian.Uint64(b[8:])
	s.tree, s.table = tree, table
	return nil
}
