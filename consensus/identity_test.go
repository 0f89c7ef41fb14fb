package consensus

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/raft"
)

// A directory stays with the server id that made it: under another the server
// would wait for ever for a leader that cannot be.
func TestDirectoryOfAnotherServer(t *testing.T) {
	cfg := config(t, t.TempDir())
	if err := start(t, cfg, &machine{}).Close(); err != nil {
		t.Fatal(err)
	}
	cfg.ServerID++
	n, err := Open(cfg, &machine{})
	if err == nil {
		n.Close()
	}
	if !errors.Is(err, ErrIdentity) {
		t.Errorf("opened by another server: %v", err)
	}
}

func TestIdentityFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "raft")
	blank, err := readIdentity(nil, dir)
	if err != nil || blank.RaftID != "" || blank.Cluster.known() || blank.Rejoin != "" {
		t.Fatalf("without a file: %+v, %v", blank, err)
	}
	for _, id := range []identity{
		{RaftID: firstID(3)},
		{RaftID: laterID(3), Cluster: newClusterID()},
		{Cluster: newClusterID()}, // to join
		{RaftID: "3.1", Cluster: newClusterID(), Start: 1 << 60},
		{RaftID: "3.1", Cluster: newClusterID(), Rejoin: "its state \"differs\"\n"},
	} {
		id.path, id.Format = blank.path, blank.Format
		if err := id.write(); err != nil {
			t.Fatal(err)
		}
		if got, err := readIdentity(nil, dir); err != nil || got != id {
			t.Errorf("read %+v, %v; wrote %+v", got, err, id)
		}
	}
	files, err := os.ReadDir(filepath.Dir(dir))
	if err != nil || len(files) != 1 {
		t.Errorf("left behind: %v, %v", files, err)
	}
}

func TestIdentityFileIsRefused(t *testing.T) {
	for name, content := range map[string]string{
		"empty":                   ``,
		"cut short":               `{"format": 1, "cluster": "`,
		"another format":          `{"format": 2, "raft_id": "3.1"}`,
		"short cluster":           `{"format": 1, "cluster": "00ff"}`,
		"no hexadecimal":          `{"format": 1, "cluster": "0123456789abcdef0123456789abcdeX"}`,
		"no incarnation":          `{"format": 1, "raft_id": "3"}`,
		"empty incarnation":       `{"format": 1, "raft_id": "3."}`,
		"no server":               `{"format": 1, "raft_id": ".1"}`,
		"a server in other words": `{"format": 1, "raft_id": "03.1"}`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "raft")
			if err := os.WriteFile(identityPath(dir), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			if id, err := readIdentity(nil, dir); err == nil || !strings.Contains(err.Error(), identityPath(dir)) {
				t.Errorf("read %+v, %v", id, err)
			}
		})
	}
}

func TestIdentityIsNotReplacedHalf(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "raft")
	id, _ := readIdentity(nil, dir)
	id.path = filepath.Join(dir, "none", "raft.id")
	n := Node{id: id, becoming: make(chan struct{}, 1)}
	if err := n.become(func(id *identity) { id.RaftID = "3.1" }); err == nil {
		t.Error("written into a directory that is not there")
	}
	if n.raftID() != "" {
		t.Errorf("it counts though it is not on disk: %s", n.raftID())
	}
}

func TestLaterIDs(t *testing.T) {
	a, b := laterID(3), laterID(3)
	if a == b || a == firstID(3) {
		t.Errorf("the same twice: %s, %s", a, b)
	}
	for _, id := range []raft.ServerID{a, b, firstID(3)} {
		if server, ok := serverOf(id); !ok || server != 3 {
			t.Errorf("%s is of server %d, %v", id, server, ok)
		}
	}
}
