package peer

import (
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
)

// counter is a state machine that counts entries and can be fat.
type counter struct {
	mu       sync.Mutex
	applied  int
	restored int64 // bytes
	fat      int64 // size of a snapshot
}

func (c *counter) Apply(*raft.Log) any {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.applied++
	return nil
}

func (c *counter) count() (applied int, restored int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.applied, c.restored
}

func (c *counter) Snapshot() (raft.FSMSnapshot, error) { return fatSnapshot(c.fat), nil }

func (c *counter) Restore(r io.ReadCloser) error {
	n, err := io.Copy(io.Discard, r)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.restored += n
	return err
}

type fatSnapshot int64

func (s fatSnapshot) Persist(sink raft.SnapshotSink) error {
	piece := make([]byte, 64<<10)
	for n := int64(s); n > 0; n -= int64(len(piece)) {
		if _, err := sink.Write(piece[:min(n, int64(len(piece)))]); err != nil {
			return err
		}
	}
	return sink.Close()
}

func (fatSnapshot) Release() {}

// node is a raft member of a test.
type node struct {
	*testNet
	raft  *raft.Raft
	trans *Transport
	fsm   *counter
	log   *logBuffer
}

func (n *node) config(commitTimeout time.Duration) *raft.Config {
	c := raft.DefaultConfig()
	c.LocalID = raft.ServerID(id(n.o.ServerID))
	// The tests say who leads; a busy machine must not.
	c.HeartbeatTimeout, c.ElectionTimeout, c.LeaderLeaseTimeout = patient, patient, patient
	c.CommitTimeout = commitTimeout
	c.TrailingLogs = 1
	c.SnapshotInterval = time.Hour
	c.Logger = hclog.New(&hclog.LoggerOptions{Output: n.log, Level: hclog.Debug})
	return c
}

// start runs raft on the host, whose configuration members is.
func (n *node) startRaft(t *testing.T, commitTimeout time.Duration, members []raft.Server) {
	t.Helper()
	n.fsm, n.log = &counter{}, &logBuffer{}
	store, snaps := raft.NewInmemStore(), raft.NewInmemSnapshotStore()
	n.trans = n.Transport(id(n.o.ServerID))
	c := n.config(commitTimeout)
	if members != nil {
		if err := raft.BootstrapCluster(c, store, store, snaps, n.trans, raft.Configuration{Servers: members}); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if n.raft, err = raft.NewRaft(c, n.fsm, store, store, snaps, n.trans); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.raft.Shutdown().Error(); err != nil {
			t.Errorf("raft: %v", err)
		}
		if t.Failed() {
			t.Logf("raft of server %d:\n%s", n.o.ServerID, n.log)
		}
	})
}

func raftServer(server uint64, s raft.ServerSuffrage) raft.Server {
	return raft.Server{ID: raft.ServerID(id(server)), Address: raft.ServerAddress(id(server)), Suffrage: s}
}

// lead makes the node the leader.
func (n *node) lead(t *testing.T) {
	t.Helper()
	n.trans.StandForElection()
	eventually(t, "a leader", func() bool {
		switch n.raft.State() {
		case raft.Leader:
			return n.raft.VerifyLeader().Error() == nil
		case raft.Follower:
			n.trans.StandForElection()
		}
		return false
	})
}

// cluster starts n servers with raft and returns them, the leader first.
func cluster(t *testing.T, n int, commitTimeout time.Duration) []*node {
	t.Helper()
	var nodes []*node
	var hosts []*testNet
	var members []raft.Server
	for i := range n {
		h := serve(t, uint64(i+1), id(uint64(i+1)), nil)
		hosts = append(hosts, h)
		nodes = append(nodes, &node{testNet: h})
		members = append(members, raftServer(uint64(i+1), raft.Voter))
	}
	introduce(hosts...)
	for _, n := range nodes {
		n.startRaft(t, commitTimeout, members)
	}
	nodes[0].lead(t)
	return nodes
}

// Raft's own CommitTimeout is so long here that only a nudge can tell the
// followers in time.
func TestNudgeMakesFollowersApply(t *testing.T) {
	nodes := cluster(t, 3, time.Hour)
	leader := nodes[0]
	servers := leader.raft.GetConfiguration().Configuration().Servers
	for i := range 20 {
		f := leader.raft.Apply([]byte("x"), patient)
		if err := f.Error(); err != nil {
			t.Fatal(err)
		}
		leader.trans.Nudge(servers, leader.raft.CurrentTerm(), f.Index())
		for _, n := range nodes {
			again := time.Now().Add(time.Second)
			eventually(t, fmt.Sprintf("entry %d applied by server %d", i, n.o.ServerID), func() bool {
				if time.Now().After(again) {
					// It may have come before the entry, to the slower follower.
					leader.trans.Nudge(servers, leader.raft.CurrentTerm(), f.Index())
					again = time.Now().Add(time.Second)
				}
				applied, _ := n.fsm.count()
				return applied == i+1
			})
		}
	}
}

func TestClusterOverTheTransport(t *testing.T) {
	nodes := cluster(t, 3, 20*time.Millisecond)
	for range 100 {
		nodes[0].raft.Apply(make([]byte, 1000), patient)
	}
	if err := nodes[0].raft.Barrier(patient).Error(); err != nil {
		t.Fatal(err)
	}
	for _, n := range nodes {
		eventually(t, "all applied", func() bool { a, _ := n.fsm.count(); return a == 100 })
	}
}
