package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"path/filepath"

	"go.etcd.io/bbolt"

	"zkd/internal/mutant"
)

const stableName = "vote.db"

// raft's key names.
const (
	keyTerm     = "CurrentTerm"
	keyVoteTerm = "LastVoteTerm"
	keyVoteCand = "LastVoteCand"
)

var (
	stableBucket = []byte("zkd")   // one key: the vote record
	otherBucket  = []byte("other") // any other key, as CRC32C of key and value (4), value
	voteKey      = []byte("vote")
)

// stableStore is the raft.StableStore. raft writes the term of a vote and its
// candidate separately (raft#661): a crash in between would pair the new term
// with an old candidate, who could then collect this vote again without
// comparing logs. So the term is only remembered until the candidate arrives,
// and both go to disk in one transaction.
type stableStore struct {
	files files
	path  string
	fail  *failure
	dog   *watchdog

	mu      mutex
	db      *bbolt.DB
	vote    vote
	pending uint64 // vote term waiting for its candidate, 0 = none
}

func openStable(s *Store, path string, created bool) (*stableStore, error) {
	st := &stableStore{files: s.files, path: path, fail: s.fail, mu: newMutex()}
	st.dog = newWatchdog(&s.opt, s.log, func(err error) { s.fail.fail(err) })
	if err := s.files.settleBoltFile(path, created, s.files.renewSync, createStable); err != nil {
		return nil, err
	}
	err := guard(func() (err error) {
		if st.db, err = bbolt.Open(path, 0o600, boltOptions(s.opt.NoSync || mutant.Is(mutant.VoteSync))); err != nil {
			return err
		}
		return st.db.View(st.load)
	})
	if err != nil {
		return nil, fmt.Errorf("store: open vote file %s: %w", path, err)
	}
	return st, nil
}

// createStable writes a file with an empty vote record and closes it.
func createStable(path string) error {
	return guard(func() error {
		db, err := bbolt.Open(path, 0o600, boltOptions(false))
		if err != nil {
			return err
		}
		err = db.Update(func(tx *bbolt.Tx) error {
			if _, err := tx.CreateBucket(otherBucket); err != nil {
				return err
			}
			b, err := tx.CreateBucket(stableBucket)
			if err != nil {
				return err
			}
			return b.Put(voteKey, vote{}.encode())
		})
		return errors.Join(err, db.Close())
	})
}

// load reads the vote and verifies every other value too, so that damage stops
// the start and not an election.
func (st *stableStore) load(tx *bbolt.Tx) (err error) {
	b, other := tx.Bucket(stableBucket), tx.Bucket(otherBucket)
	if b == nil || other == nil {
		return fmt.Errorf("%w: a bucket is missing", ErrCorrupt)
	}
	if st.vote, err = decodeVote(b.Get(voteKey)); err != nil {
		return err
	}
	return other.ForEach(func(k, v []byte) error {
		_, err := openValue(k, v)
		return err
	})
}

func sealValue(key, value []byte) []byte {
	sum := crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, value)
	return append(binary.LittleEndian.AppendUint32(make([]byte, 0, 4+len(value)), sum), value...)
}

func openValue(key, stored []byte) ([]byte, error) {
	if len(stored) < 4 {
		return nil, fmt.Errorf("%w: value of %q has %d bytes", ErrCorrupt, key, len(stored))
	}
	sum := crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, stored[4:])
	if want := binary.LittleEndian.Uint32(stored); sum != want {
		return nil, fmt.Errorf("%w: value of %q has checksum %08x, contents give %08x", ErrCorrupt, key, want, sum)
	}
	return append([]byte(nil), stored[4:]...), nil
}

// Set stores a value durably. LastVoteCand completes the vote begun by
// SetUint64(LastVoteTerm).
func (st *stableStore) Set(key, val []byte) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	switch string(key) {
	case keyTerm, keyVoteTerm:
		return fmt.Errorf("store: set %s in %s: it is a number", key, st.path)
	case keyVoteCand:
		if st.pending == 0 || len(val) > maxCandidate {
			return fmt.Errorf("store: set %s in %s: no term was given for a vote for %q", key, st.path, val)
		}
		v := st.vote
		v.voteTerm, v.candidate = st.pending, string(val)
		// raft votes in its current term only, which it stores first.
		v.term = max(v.term, v.voteTerm)
		st.pending = 0
		return st.putVote(v)
	}
	return st.update("set "+string(key), func(tx *bbolt.Tx) error {
		return tx.Bucket(otherBucket).Put(key, sealValue(key, val))
	})
}

// SetUint64 stores a number durably, except LastVoteTerm: see the type.
func (st *stableStore) SetUint64(key []byte, val uint64) error {
	switch string(key) {
	case keyTerm:
		return st.setTerm(val)
	case keyVoteTerm:
		return st.holdVoteTerm(val)
	case keyVoteCand:
		return fmt.Errorf("store: set %s in %s: it is not a number", key, st.path)
	}
	return st.Set(key, binary.LittleEndian.AppendUint64(nil, val))
}

func (st *stableStore) setTerm(term uint64) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	v := st.vote
	if term < v.term {
		return fmt.Errorf("store: set %s in %s: term %d is older than %d", keyTerm, st.path, term, v.term)
	}
	if term == v.term {
		return st.fail.check() // raft repeats it; the disk has it
	}
	v.term = term
	return st.putVote(v)
}

func (st *stableStore) holdVoteTerm(term uint64) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	if term == 0 || term < st.vote.voteTerm {
		return fmt.Errorf("store: set %s in %s: term %d after %d", keyVoteTerm, st.path, term, st.vote.voteTerm)
	}
	st.pending = term
	if mutant.Is(mutant.VoteWhole) {
		v := st.vote
		v.term, v.voteTerm = max(v.term, term), term
		return st.putVote(v)
	}
	return st.fail.check()
}

func (st *stableStore) putVote(v vote) error {
	err := st.update("store the vote", func(tx *bbolt.Tx) error {
		return tx.Bucket(stableBucket).Put(voteKey, v.encode())
	})
	if err == nil {
		st.vote = v
	}
	return err
}

func (st *stableStore) update(what string, fn func(*bbolt.Tx) error) error {
	if err := st.fail.check(); err != nil {
		return err
	}
	st.dog.begin(what+" in", st.path)
	err := guard(func() error { return st.files.do(OpCommit, st.path, func() error { return st.db.Update(fn) }) })
	st.dog.end()
	if err != nil {
		return st.fail.fail(fmt.Errorf("store: %s in %s: %w", what, st.path, diskFull(err)))
	}
	return st.fail.check()
}

// Get returns nil for an unknown key. Of a vote it tells what is on disk.
func (st *stableStore) Get(key []byte) (val []byte, err error) {
	if err := st.fail.check(); err != nil {
		return nil, err
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	switch string(key) {
	case keyVoteCand:
		if st.vote.voteTerm == 0 {
			return nil, nil
		}
		return []byte(st.vote.candidate), nil
	case keyTerm:
		return binary.LittleEndian.AppendUint64(nil, st.vote.term), nil
	case keyVoteTerm:
		return binary.LittleEndian.AppendUint64(nil, st.vote.voteTerm), nil
	}
	err = guard(func() error {
		return st.db.View(func(tx *bbolt.Tx) (err error) {
			if v := tx.Bucket(otherBucket).Get(key); v != nil {
				val, err = openValue(key, v)
			}
			return err
		})
	})
	if err != nil {
		return nil, st.fail.fail(fmt.Errorf("store: get %q from %s: %w", key, st.path, err))
	}
	return val, nil
}

// GetUint64 returns 0 for an unknown key.
func (st *stableStore) GetUint64(key []byte) (uint64, error) {
	b, err := st.Get(key)
	if err != nil || len(b) == 0 {
		return 0, err
	}
	if len(b) != 8 {
		return 0, fmt.Errorf("store: get %q from %s: the value is not a number", key, filepath.Base(st.path))
	}
	return binary.LittleEndian.Uint64(b), nil
}

func (st *stableStore) close() error {
	st.mu.Lock()
	defer st.mu.Unlock()
	if err := guard(st.db.Close); err != nil {
		return fmt.Errorf("store: close %s: %w", st.path, err)
	}
	return nil
}
