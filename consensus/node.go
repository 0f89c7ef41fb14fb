// Package consensus puts the requests of a server into the replicated log and
// hands every committed one, in log order, to the state machine of package
// server. It wraps hashicorp/raft; requests are opaque bytes to it.
//
// The way of a request: Submit adds it to the batch that is being gathered
// (stream.go); one goroutine turns batches into raft entries, a few in flight
// at a time, so that one fsync serves all that came in during the one before;
// raft commits them and calls the adapter (fsm.go), which checks that every
// request of an origin is applied once and in order and passes it on.
//
// Goroutines: those of the raft library, the proposer, the snapshotter and one
// that waits for a failure, all ended by Close.
package consensus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"zkd/consensus/store"
)

// Config of a Node.
type Config struct {
	ServerID uint64 // of zoo.cfg; the origin of this server's requests
	Store    store.Options
	// Preamble goes before each batch of requests and is handed to the state
	// machine with it: what the leader decides for all requests alike.
	Preamble []byte
	// SnapshotRequests and SnapshotBytes are how much may be applied before
	// the next snapshot; 0 bytes means any.
	SnapshotRequests int
	SnapshotBytes    int64
	// OnFatal is called once, on a goroutine of its own, when this server can
	// no longer be right: it must stop answering at once.
	OnFatal func(error)
	Logger  *slog.Logger
	// Ensemble is nil for a server that is its whole cluster.
	Ensemble *Ensemble
}

// StateMachine is what committed requests are applied to. Its methods but
// Persist's are called from one goroutine.
type StateMachine interface {
	// Apply applies one batch.
	Apply(b *Batch)
	// Applied is called when no further batch is at hand: a good moment to
	// send what Apply has prepared.
	Applied()
	// Snapshot returns the state as it is, quickly: nothing is applied
	// meanwhile.
	Snapshot() (State, error)
	// Restore replaces the state by one that Persist wrote, or leaves it as it
	// is and returns an error.
	Restore(r io.Reader) error
	// Dropped is called for the waiter of a request that a restored state has
	// in it already: what came of it here nobody can tell any more.
	Dropped(w Waiter)
	// Digest is a digest of the whole state, equal on all servers that have
	// applied the same.
	Digest() uint64
	// Membership is what the state says of the members, nil if nothing yet. A
	// new pointer is a new content.
	Membership() *Membership
}

// State is a snapshot of a StateMachine.
type State interface {
	Persist(w io.Writer) error // concurrently with Apply
	Release()                  // after Persist, whatever came of it
}

// ErrClosed is returned once the node was closed.
var ErrClosed = errors.New("consensus: closed")

// Node is this server's part in the log.
type Node struct {
	cfg    Config
	store  *store.Store
	raft   *raft.Raft
	fsm    *fsm
	stream stream

	stop      context.CancelFunc
	closing   <-chan struct{} // closed by stop
	proposer  sync.WaitGroup
	done      sync.WaitGroup // the other goroutines
	fatalOnce sync.Once
	closeOnce sync.Once
	closeErr  error

	snapshotNow chan struct{}
	failed      chan struct{} // closed by fatal
	// shutdown ends raft and returns what to wait for. A second call of raft's
	// own returns a future that does not wait.
	shutdown func() raft.Future
}

// Open starts a server that is the only member of its cluster, on the state
// in its directories or, where there is none, on an empty one. Committed
// entries are replayed into sm before Ready returns.
func Open(cfg Config, sm StateMachine) (*Node, error) {
	n := &Node{cfg: cfg, snapshotNow: make(chan struct{}, 1), failed: make(chan struct{})}
	n.stream.init(cfg.ServerID, cfg.Preamble)
	n.fsm = newFSM(n, sm)
	cfg.Store.OnFatal = n.fatal
	var err error
	if n.store, err = store.Open(cfg.Store); err != nil {
		return nil, err
	}
	if err := n.start(); err != nil {
		return nil, errors.Join(err, n.store.Close())
	}
	return n, nil
}

func (n *Node) start() error {
	rc := raft.DefaultConfig()
	rc.LocalID = raft.ServerID(fmt.Sprintf("%d.1", n.cfg.ServerID))
	rc.HeartbeatTimeout, rc.ElectionTimeout = 1500*time.Millisecond, 1500*time.Millisecond
	rc.LeaderLeaseTimeout = time.Second
	rc.BatchApplyCh = true
	rc.NoLegacyTelemetry = true
	rc.PreVoteDisabled = true // there is nobody to ask
	// The node decides itself when to take a snapshot, see snapshotter.
	rc.SnapshotThreshold, rc.SnapshotInterval = 1<<62, 24*time.Hour
	rc.Logger = newRaftLogger(n.cfg.Logger)
	trans := newSoloTransport(raft.ServerAddress(rc.LocalID))

	log, stable, snaps := n.store.Log(), n.store.Stable(), n.store.Snapshots()
	has, err := raft.HasExistingState(log, stable, snaps)
	if err != nil {
		return fmt.Errorf("consensus: look for existing state: %w", err)
	}
	if !has {
		members := raft.Configuration{Servers: []raft.Server{{ID: rc.LocalID, Address: trans.LocalAddr()}}}
		if err := raft.BootstrapCluster(rc, log, stable, snaps, trans, members); err != nil {
			return fmt.Errorf("consensus: found cluster: %w", err)
		}
	}
	if n.raft, err = raft.NewRaft(rc, n.fsm, log, stable, snaps, trans); err != nil {
		return fmt.Errorf("consensus: start raft: %w", err)
	}
	n.shutdown = sync.OnceValue(n.raft.Shutdown)
	if err := n.belongs(rc.LocalID); err != nil {
		return errors.Join(err, n.shutdown().Error())
	}
	// There is nobody to wait for: stand for election at once.
	trans.timeoutNow(rc.ProtocolVersion)

	ctx, stop := context.WithCancel(context.Background())
	n.stop, n.closing = stop, ctx.Done()
	n.proposer.Add(1)
	n.done.Add(2)
	go n.propose(ctx)
	go n.snapshotter(ctx)
	go n.haltOnFailure(ctx)
	return nil
}

// ErrIdentity is returned by Open for a directory of another server.
var ErrIdentity = errors.New("the data directory belongs to another server")

// belongs checks that the member that the log knows is this server. With
// another id it would wait for ever for the one whose place it took.
func (n *Node) belongs(id raft.ServerID) error {
	members := n.raft.GetConfiguration()
	if err := members.Error(); err != nil {
		return fmt.Errorf("consensus: read members: %w", err)
	}
	var have []string
	for _, m := range members.Configuration().Servers {
		if m.ID == id {
			return nil
		}
		server, _, _ := strings.Cut(string(m.ID), ".")
		have = append(have, server)
	}
	return fmt.Errorf("consensus: %w: its log is that of server %s, this one is %d by myid or server.N",
		ErrIdentity, strings.Join(have, ","), n.cfg.ServerID)
}

// Ready returns when everything committed before it was called is applied and
// this server leads.
func (n *Node) Ready(ctx context.Context) error {
	for {
		if n.raft.State() == raft.Leader {
			if await(n.raft.Barrier(0), ctx.Done()) == nil {
				n.stream.begin(n.fsm.incarnation(n.cfg.ServerID))
				if n.store.Stats().SnapshotsDamaged > 0 {
					// The log has made up for it; do not rely on that twice.
					n.askSnapshot()
				}
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("consensus: wait for leadership: %w", ctx.Err())
		case <-n.raft.LeaderCh():
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// fatal reports the first reason for which this server must stop.
func (n *Node) fatal(err error) {
	n.fatalOnce.Do(func() {
		close(n.failed)
		go n.cfg.OnFatal(err)
	})
}

// haltOnFailure stops raft as soon as the node has failed. Left alone it would
// stand for election, and panic because no vote can be stored any more.
func (n *Node) haltOnFailure(ctx context.Context) {
	defer n.done.Done()
	select {
	case <-n.failed:
		n.shutdown() // Close waits for it
	case <-ctx.Done():
	}
}

// Storage returns figures about the log and the snapshots.
func (n *Node) Storage() store.Stats { return n.store.Stats() }

// Figures are counters of the write path.
type Figures struct {
	Entries  int64 // raft entries proposed
	Requests int64 // requests in them
	Waiting  int   // requests submitted and not yet applied
}

// Figures returns the counters as of now.
func (n *Node) Figures() Figures { return n.stream.figures() }

// Snapshot takes a snapshot now and waits until it is on disk.
func (n *Node) Snapshot() error {
	if err := n.keepLogs(); err != nil {
		return err
	}
	err := n.raft.Snapshot().Error()
	if errors.Is(err, raft.ErrNothingNewToSnapshot) {
		return nil
	}
	return err
}

// Close ends the node. Requests not yet applied stay unanswered.
func (n *Node) Close() error {
	n.closeOnce.Do(func() {
		n.stream.close()
		n.stop()
		// Raft forgets what it has accepted and not begun when it is shut down:
		// whoever waits for that would wait for ever.
		n.proposer.Wait()
		err := n.shutdown().Error()
		n.done.Wait()
		n.closeErr = errors.Join(err, n.store.Close())
	})
	return n.closeErr
}
