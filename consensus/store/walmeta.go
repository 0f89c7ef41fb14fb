package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"

	"github.com/hashicorp/raft-wal/types"
)

const walMetaName = "segments"

// walMeta keeps raft-wal's list of segments, in a small text file that is
// replaced as a whole: raft-wal's own keeps it in bbolt without a checksum, and
// a flipped digit there moves the limits of the log.
//
//	crc 8a1b2c3d         CRC32C of what follows the line
//	{"NextSegmentID":…}  JSON of types.PersistentState
//
// It changes only when a segment is begun or removed.
type walMeta struct {
	files  files
	dir    string
	failed func(error) // raft-wal commits in the background, too
}

func (m *walMeta) path() string { return filepath.Join(m.dir, walMetaName) }

// Load returns the empty state when there is no file yet.
func (m *walMeta) Load(string) (types.PersistentState, error) {
	b, err := m.files.readFile(m.path())
	if errors.Is(err, os.ErrNotExist) {
		return types.PersistentState{}, nil
	}
	if err != nil {
		return types.PersistentState{}, fmt.Errorf("store: read segment list %s: %w", m.path(), err)
	}
	st, err := decodeWALMeta(b)
	if err != nil {
		return st, fmt.Errorf("store: read segment list %s: %w", m.path(), err)
	}
	return st, nil
}

func decodeWALMeta(b []byte) (st types.PersistentState, err error) {
	head, body, _ := bytes.Cut(b, []byte("\n"))
	if want := fmt.Sprintf("crc %08x", crc32.Checksum(body, castagnoli)); string(head) != want {
		return st, fmt.Errorf("%w: it starts with %q, contents give %q", ErrCorrupt, head[:min(len(head), 32)], want)
	}
	if err := json.Unmarshal(body, &st); err != nil {
		return st, fmt.Errorf("%w: %v", ErrCorrupt, err)
	}
	return st, nil
}

// CommitState replaces the list durably. See walFiler for the codec.
func (m *walMeta) CommitState(st types.PersistentState) error {
	segments := append([]types.SegmentInfo(nil), st.Segments...)
	for i := range segments {
		segments[i].Codec = codecID
	}
	st.Segments = segments
	body, err := json.Marshal(st)
	if err == nil {
		err = m.files.replace(m.path(), fmt.Appendf(nil, "crc %08x\n%s", crc32.Checksum(body, castagnoli), body))
	}
	if err != nil {
		err = fmt.Errorf("store: update segment list %s: %w", m.path(), err)
		m.failed(err)
	}
	return err
}

// GetStable and SetStable are not used: terms and votes live in vote.db.
func (m *walMeta) GetStable([]byte) ([]byte, error) { return nil, errors.ErrUnsupported }
func (m *walMeta) SetStable(_, _ []byte) error      { return errors.ErrUnsupported }
func (m *walMeta) Close() error                     { return nil }
