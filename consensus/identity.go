package consensus

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/hashicorp/raft"

	"zkd/consensus/peer"
)

// identity is who a data directory is to the others. It lies beside the store,
// because it outlives it: a server whose store had to be set aside still knows
// where it belongs.
type identity struct {
	path string

	Format  int           `json:"format"`
	Cluster clusterID     `json:"cluster"` // zero before the first leader has chosen it
	RaftID  raft.ServerID `json:"raft_id"` // "" for one that has yet to join
	// Rejoin says why the store must not be used any more: it is set aside at
	// the next start, before anything else.
	Rejoin string `json:"rejoin,omitempty"`
}

const identityFormat = 1

// clusterID tells ensembles apart whatever their addresses.
type clusterID peer.Cluster

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
func readIdentity(storeDir string) (identity, error) {
	id := identity{path: identityPath(storeDir), Format: identityFormat}
	b, err := os.ReadFile(id.path)
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
	if err := replaceFile(id.path, append(b, '\n')); err != nil {
		return fmt.Errorf("consensus: write identity: %w", err)
	}
	return nil
}

// replaceFile writes a file anew: whole and durable, or not at all.
func replaceFile(path string, content []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return nil // renamed all the same
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// firstID is the raft id of a server in the ensemble that it helped to form.
func firstID(server uint64) raft.ServerID {
	return raft.ServerID(strconv.FormatUint(server, 10) + ".1")
}

// serverOf returns the N of server.N whose raft id it is.
func serverOf(id raft.ServerID) (server uint64, ok bool) {
	n, rest, ok := strings.Cut(string(id), ".")
	server, err := strconv.ParseUint(n, 10, 64)
	return server, ok && err == nil && rest != ""
}
