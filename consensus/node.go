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
// In an ensemble the batches of a follower go to the leader over a link
// (propose.go, links.go), package peer being the network. A server without
// state first finds its place (enter.go); the leader makes raft's members what
// the state machine says they should be (drive.go).
//
// Goroutines, all ended by Close: those of the raft library and of package
// peer; the proposer, the snapshotter, one that follows who leads, one that
// waits for a failure; in an ensemble the one that finds this server's place,
// one that reads what the leader says, those that wait for the leader to be
// lost (mourn, hasten, suspect), and the driver's and Config.Lead's while this
// server leads.
package consensus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"

	"zkd/consensus/peer"
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
	// the next snapshot; 0 requests means 100,000, 0 bytes means any.
	SnapshotRequests int
	SnapshotBytes    int64
	// Lead runs while this server leads and has applied everything that was
	// committed before; ctx ends with the leadership, and Lead must return.
	Lead func(ctx context.Context, term uint64)
	// OnFatal is called once, on a goroutine of its own, when this server can
	// no longer be right: it must stop answering at once. It and Lead may be nil.
	OnFatal func(error)
	Logger  *slog.Logger // nil discards
	// Now is the wall clock, nil the machine's. Nothing but times shown to clients
	// depends on it.
	Now func() time.Time
	// Trailing is how many entries stay behind a snapshot at least, 0 for the
	// usual number. Fewer than can be under way are too few.
	Trailing uint64
	// Ensemble is nil for a server that is its whole cluster.
	Ensemble *Ensemble

	tune func(*raft.Config) // by tests; nil otherwise
}

func (c *Config) setDefaults() {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.OnFatal == nil {
		c.OnFatal = func(error) {}
	}
	if c.SnapshotRequests == 0 {
		c.SnapshotRequests = 100_000
	}
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

// Node is this server's part in the log.
type Node struct {
	cfg     Config
	log     *slog.Logger
	began   time.Time
	store   *store.Store
	raft    atomic.Pointer[raft.Raft] // nil until this server belongs somewhere
	fsm     *fsm
	stream  stream
	intake  intake
	clock   clock
	commits commits

	// Of an ensemble only.
	net        *peer.Network
	trans      *peer.Transport
	members    roster
	applicants applicants
	census     census
	peers      atomic.Pointer[[]raft.Server] // the others, while this server leads
	contact    atomic.Int64                  // ns since began
	newcomer   atomic.Bool                   // asks to be taken in
	settled    atomic.Uint64                 // the last term in which it led and had applied all from before
	refused    atomic.Bool                   // raft did not take what it was given
	uplink     atomic.Pointer[peer.Link]     // the newest to a leader

	timing  atomic.Pointer[timing] // set when raft is started; see pace
	unnamed bool                   // the store is of a cluster that had no id yet; set before any goroutine starts

	becoming chan struct{} // held by become, which takes as long as the disk

	mu     sync.Mutex
	id     identity
	listOf []peer.Member // newest list of members, by the state or by a peer

	life     context.Context
	stop     context.CancelFunc
	closing  <-chan struct{} // closed by stop
	gone     chan struct{}   // the same, for letGo
	started  chan struct{}   // closed when raft has been started
	entering sync.WaitGroup  // the goroutines that find this server's place, and who else is there
	proposer sync.WaitGroup
	done     sync.WaitGroup // the other goroutines
	// unanswered counts what raft was given and somebody waits for, or did.
	unanswered atomic.Int64
	fatalOnce  sync.Once
	closeOnce  sync.Once
	closeErr   error

	snapshotNow chan struct{}
	failed      chan struct{} // closed by fatal
	// shutdown ends raft and returns what to wait for. A second call of raft's
	// own returns a future that does not wait.
	shutdown func() raft.Future
}

// Open takes the state in a server's directories and, where there is none,
// an empty one, to its place: alone, or among its peers. It does not wait for
// them; Ready does.
func Open(cfg Config, sm StateMachine) (*Node, error) {
	if sm == nil {
		return nil, errors.New("consensus: there is no state machine")
	}
	cfg.setDefaults()
	n := &Node{
		cfg: cfg, log: cfg.Logger, began: time.Now(), clock: clock{wall: cfg.Now}, becoming: make(chan struct{}, 1),
		snapshotNow: make(chan struct{}, 1), failed: make(chan struct{}), started: make(chan struct{}),
	}
	n.contact.Store(-int64(24 * time.Hour)) // never
	n.stream.init(cfg.ServerID, cfg.Preamble)
	n.census.init()
	n.applicants.asked = make(chan struct{}, 1)
	n.fsm = newFSM(n, sm)
	n.cfg.Store.OnFatal = n.fatal
	n.cfg.Store.OnDamagedSnapshot = n.snapshotDamaged
	if cfg.Ensemble != nil {
		n.cfg.Store.CacheBytes = store.CacheBytes
	}
	if err := n.openStore(); err != nil {
		return nil, err
	}
	if err := n.start(); err != nil {
		return nil, errors.Join(err, n.store.Close())
	}
	return n, nil
}

// Ready returns when this server has its place and everything committed before
// it was called is applied here. Requests may be submitted from then on.
func (n *Node) Ready(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return fmt.Errorf("consensus: wait for the ensemble: %w", ctx.Err())
	case <-n.started:
	}
	r := n.raft.Load()
	for !n.replayed(r) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("consensus: wait for a leader: %w", ctx.Err())
		case <-time.After(5 * time.Millisecond):
		}
	}
	if err := n.unopposed(ctx); err != nil {
		return err
	}
	if err := n.begin(ctx); err != nil {
		return err
	}
	if err := n.gathered(ctx); err != nil {
		return err
	}
	if err := n.enfranchised(ctx); err != nil {
		return err
	}
	if n.store.Stats().SnapshotsDamaged > 0 {
		// The log has made up for it; do not rely on that twice.
		n.askSnapshot()
	}
	return nil
}

// enfranchised returns when this server has its vote, if the members' list gives
// it one. Who sees a replaced server at work may take down the next: from then on
// it must count.
func (n *Node) enfranchised(ctx context.Context) error {
	for {
		m := n.fsm.membership()
		if n.Role() != Observing || m == nil {
			return nil
		}
		if own := memberOf(m.Current, n.raftID()); own == nil || own.Observer {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("consensus: wait for the vote: %w", ctx.Err())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// replayed tells whether what is known to be committed is applied, under a
// leader who knows what is: only then is it known which requests of this
// server count already.
func (n *Node) replayed(r *raft.Raft) bool {
	if _, leads := n.leadsNow(); leads {
		return n.await(r.Barrier(0), n.closing) == nil
	}
	commit := r.CommitIndex()
	return n.leader().id != "" && commit > 0 && n.inContact() && r.AppliedIndex() >= commit
}

// Sync returns when everything that was committed before it was called is
// applied here. It is a request like any other, so it waits for a leader.
func (n *Node) Sync(ctx context.Context) error {
	done := make(syncWaiter)
	n.Submit(done, nil, nil)
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("consensus: sync: %w", ctx.Err())
	case <-n.closing:
		return ErrClosed
	}
}

// syncWaiter waits for a sync. It is closed when that is applied.
type syncWaiter chan struct{}

// synced wakes who waits for a sync, and tells whether w is one.
func synced(w Waiter) bool {
	done, ok := w.(syncWaiter)
	if ok {
		close(done)
	}
	return ok
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
	select {
	case <-n.failed:
		n.shutdown() // Close waits for it
	case <-ctx.Done():
	}
}

// Storage returns figures about the log and the snapshots.
func (n *Node) Storage() store.Stats { return n.store.Stats() }

// Figures returns the counters of the write path as of now.
func (n *Node) Figures() Figures { return n.stream.figures() }

// Snapshot takes a snapshot now and waits until it is on disk, or the node fails.
func (n *Node) Snapshot() error {
	if err := n.keepLogs(); err != nil {
		return err
	}
	err := n.await(n.raft.Load().Snapshot(), nil) // the disk may hang
	if errors.Is(err, raft.ErrNothingNewToSnapshot) {
		return nil
	}
	return err
}

// Close ends the node; a leader hands over first. Requests not yet applied
// stay unanswered.
func (n *Node) Close() error {
	n.closeOnce.Do(func() {
		n.handOver()
		n.stream.close()
		n.stop()
		n.entering.Wait()
		// Raft forgets what it has accepted and not begun when it is shut down:
		// whoever waits for that would wait for ever.
		n.proposer.Wait()
		n.done.Wait()
		n.settle()
		var err error
		if n.net != nil {
			err = n.net.Close()
		}
		if n.shutdown != nil {
			err = errors.Join(err, n.endRaft())
		}
		n.closeErr = errors.Join(err, n.store.Close())
	})
	return n.closeErr
}

// endRaft returns when raft has ended, or hangs with the disk: the process is to
// end all the same.
func (n *Node) endRaft() error {
	ended := make(chan error, 1)
	go func() { ended <- n.shutdown().Error() }()
	for {
		select {
		case err := <-ended:
			return err
		case <-time.After(10 * time.Millisecond):
			if err := n.store.Err(); errors.Is(err, store.ErrStalled) {
				return err
			}
		}
	}
}

// settleAtMost bounds how long Close waits for raft: a leader without a majority
// answers when its lease ends.
const settleAtMost = 3 * time.Second

// settle waits until raft has answered for everything that it was given.
func (n *Node) settle() {
	limit := time.After(settleAtMost)
	for n.unanswered.Load() > 0 {
		select {
		case <-limit:
			return
		case <-n.failed: // it was shut down, and answers no more
			return
		case <-time.After(time.Millisecond):
		}
	}
}

// errAbandoned is what await returns when it gives up.
var errAbandoned = errors.New("consensus: not waited for any longer")

// await waits for a future, until stop is closed, or the node fails. Raft never
// answers for what it accepted but had not begun when it was shut down, which a
// failure does as well, so every wait needs another way out, and Close sees to
// it that raft has answered.
func (n *Node) await(f raft.Future, stop <-chan struct{}) error {
	letGo(f, n.gone)
	done := make(chan error, 1)
	n.unanswered.Add(1)
	go func() {
		done <- f.Error()
		n.unanswered.Add(-1)
	}()
	select {
	case err := <-done:
		return err
	case <-stop:
	case <-n.failed:
	}
	return errAbandoned
}
