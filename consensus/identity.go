package consensus

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"

	"github.com/hashicorp/raft"

	"zkd/consensus/peer"
	"zkd/consensus/store"
	"zkd/internal/mutant"
)

// identity is who a data directory is to the others. It lies beside the store,
// because it outlives it: a server whose store had to be set aside still knows
// where it belongs.
type identity struct {
	disk store.Disk
	path string

	Format  int           `json:"format"`
	Cluster clusterID     `json:"cluster"` // zero before the first leader has chosen it
	RaftID  raft.ServerID `json:"raft_id"` // "" for one that has yet to join
	// Rejoin says why the store must not be used any more: it is set aside at
	// the next start, before anything else.
	Rejoin string `json:"rejoin,omitempty"`
	// Start is the incarnation of the last process of this server that sent
	// requests. It is on file before the first of them is: a state that knows a
	// later one has seen this server since this directory was copied. 0 is not
	// known.
	Start uint64 `json:"start,omitempty"`
	// Sound is the last start that found this directory to be no old copy, First
	// the one after it, while that or a later one has yet to find out; 0 otherwise.
	Sound uint64 `json:"sound,omitempty"`
	First uint64 `json:"first,omitempty"`
}

const identityFormat = 1

// clusterID tells ensembles apart whatever their addresses.
type clusterID peer.Cluster

func newClusterID() (c clusterID) {
	_, _ = rand.Read(c[:]) // never fails, see crypto/rand
	return c
}

func (c clusterID) known() bool { return c != clusterID{} }

func (c clusterID) String() string {
	if !c.known() {
		return ""
	}
	return hex.EncodeToString(c[:])
}

// MarshalText implements encoding.TextMarshaler.
func (c clusterID) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (c *clusterID) UnmarshalText(b []byte) error {
	*c = clusterID{}
	if len(b) == 0 {
		return nil
	}
	if len(b) != hex.EncodedLen(len(c)) {
		return errors.New("a cluster id has 32 hexadecimal digits")
	}
	_, err := hex.Decode(c[:], b)
	return err
}

func identityPath(storeDir string) string { return filepath.Clean(storeDir) + ".id" }

// readIdentity returns what is on file, or an empty identity.
func readIdentity(disk store.Disk, storeDir string) (identity, error) {
	id := identity{disk: disk, path: identityPath(storeDir), Format: identityFormat}
	b, err := store.ReadFile(disk, id.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return id, nil
	case err != nil:
		return id, fmt.Errorf("consensus: read identity: %w", err)
	}
	if err := json.Unmarshal(b, &id); err != nil {
		return id, fmt.Errorf("consensus: read identity %s: %w", id.path, err)
	}
	if id.Format != identityFormat {
		return id, fmt.Errorf("consensus: read identity %s: format %d is not %d", id.path, id.Format, identityFormat)
	}
	if _, ok := serverOf(id.RaftID); !ok && id.RaftID != "" {
		return id, fmt.Errorf("consensus: read identity %s: raft_id %q is not of the form server.incarnation", id.path, id.RaftID)
	}
	return id, nil
}

// write replaces the file, and returns when that will survive a power failure.
func (id *identity) write() error {
	b, err := json.MarshalIndent(id, "", "  ")
	if err != nil {
		return fmt.Errorf("consensus: write identity: %w", err)
	}
	if err := store.ReplaceFile(id.disk, id.path, append(b, '\n')); err != nil {
		return fmt.Errorf("consensus: write identity: %w", err)
	}
	return nil
}

// firstID is the raft id of a server in the ensemble that it helped to form.
func firstID(server uint64) raft.ServerID {
	return raft.ServerID(strconv.FormatUint(server, 10) + ".1")
}

// laterID is one for a server that comes into an ensemble which is there
// already. Nobody had it before.
func laterID(server uint64) raft.ServerID {
	if mutant.Is(mutant.Incarnation) {
		return firstID(server)
	}
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails, see crypto/rand
	incarnation := binary.BigEndian.Uint64(b[:]) | 1<<63
	return raft.ServerID(strconv.FormatUint(server, 10) + "." + strconv.FormatUint(incarnation, 16))
}

// serverOf returns the N of server.N whose raft id it is.
func serverOf(id raft.ServerID) (server uint64, ok bool) { return peer.ServerOf(string(id)) }
