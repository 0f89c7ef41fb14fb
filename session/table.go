// Package session knows which sessions exist and when they end.
//
// Table holds the facts that every server replicates: who exists, with which
// password and timeout, and which attachment is the newest. Tracker is the
// clock of the server that expires sessions; what it knows is never
// replicated. Neither has a goroutine or reads the time by itself.
package session

import (
	"cmp"
	"encoding/binary"
	"errors"
	"io"
	"slices"

	"zkd/digest"
	"zkd/proto/jute"
)

// ID identifies a session for ever: the server that made it in the top byte,
// the rest its own count. It is never 0.
type ID int64

// Password proves to any server that a client owns a session. It is random.
type Password [jute.PasswordSize]byte

// Session is what is replicated about a session.
type Session struct {
	ID         ID
	Password   Password
	Timeout    int32  // ms, as negotiated when it was created
	Generation uint32 // raised by every attach; requests of older ones are void
}

// Table is the set of live sessions. It has one writer and any number of
// readers, kept apart by a lock of the caller.
type Table struct {
	sessions map[ID]Session
	digest   uint64
}

// NewTable returns an empty table.
func NewTable() *Table { return &Table{sessions: map[ID]Session{}} }

// Create adds a session. It returns false if the id is taken.
func (t *Table) Create(s Session) bool {
	if _, ok := t.sessions[s.ID]; ok {
		return false
	}
	t.sessions[s.ID] = s
	t.digest += s.sum()
	return true
}

// Get returns a session.
func (t *Table) Get(id ID) (Session, bool) {
	s, ok := t.sessions[id]
	return s, ok
}

// Attach makes a connection the session's newest, and returns the session with
// the generation that the connection's requests carry.
func (t *Table) Attach(id ID) (Session, bool) {
	s, ok := t.sessions[id]
	if ok {
		t.digest -= s.sum()
		s.Generation++
		t.digest += s.sum()
		t.sessions[id] = s
	}
	return s, ok
}

// Remove ends a session.
func (t *Table) Remove(id ID) {
	if s, ok := t.sessions[id]; ok {
		t.digest -= s.sum()
		delete(t.sessions, id)
	}
}

// Digest returns a digest of all sessions, which every change keeps up to
// date: tables with the same sessions have the same one on every server.
func (t *Table) Digest() uint64 { return t.digest }

// Digest returns what a table of these sessions has as its digest.
func Digest(all []Session) (sum uint64) {
	for i := range all {
		sum += all[i].sum()
	}
	return sum
}

// sum is what a session adds to the digest of its table.
func (s *Session) sum() uint64 {
	le := binary.LittleEndian
	return digest.Words(0, [6]uint64{uint64(s.ID), uint64(s.Timeout), uint64(s.Generation),
		le.Uint64(s.Password[:]), le.Uint64(s.Password[8:])})
}

// Len returns the number of sessions.
func (t *Table) Len() int { return len(t.sessions) }

// All returns the sessions by id.
func (t *Table) All() []Session {
	all := make([]Session, 0, len(t.sessions))
	for _, s := range t.sessions {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b Session) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// The image of a table, little-endian: u32 number of sessions, then for each
// i64 id, 16 bytes password, i32 timeout, u32 generation.
const sessionSize = 8 + jute.PasswordSize + 4 + 4

// ErrImage is returned by Load for bytes that are no table.
var ErrImage = errors.New("session: image is not that of a table")

// AppendImage appends the image of the sessions.
func AppendImage(dst []byte, all []Session) []byte {
	le := binary.LittleEndian
	dst = le.AppendUint32(dst, uint32(len(all)))
	for _, s := range all {
		dst = le.AppendUint64(dst, uint64(s.ID))
		dst = append(dst, s.Password[:]...)
		dst = le.AppendUint32(dst, uint32(s.Timeout))
		dst = le.AppendUint32(dst, s.Generation)
	}
	return dst
}

// Load reads an image.
func Load(r io.Reader) (*Table, error) {
	t := NewTable()
	var b [sessionSize]byte
	if _, err := io.ReadFull(r, b[:4]); err != nil {
		return nil, imageError(err)
	}
	le := binary.LittleEndian
	for n := le.Uint32(b[:4]); n > 0; n-- {
		if _, err := io.ReadFull(r, b[:]); err != nil {
			return nil, imageError(err)
		}
		s := Session{
			ID: ID(le.Uint64(b[:])), Password: Password(b[8:24]),
			Timeout: int32(le.Uint32(b[24:])), Generation: le.Uint32(b[28:]),
		}
		if s.ID == 0 || s.Timeout <= 0 || !t.Create(s) {
			return nil, ErrImage
		}
	}
	return t, nil
}

func imageError(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrImage
	}
	return err
}
