package consensus

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"zkd/consensus/peer"
	"zkd/consensus/store"
)

// openStore opens the store that the identity on file belongs to. A member of
// an ensemble whose own is damaged goes on with an empty one.
func (n *Node) openStore() (err error) {
	if n.id, err = readIdentity(n.cfg.Store.Disk, n.cfg.Store.Dir); err != nil {
		return err
	}
	if n.id.Rejoin != "" {
		if err := n.setAside(errors.New(n.id.Rejoin)); err != nil {
			return err
		}
	}
	n.store, err = store.Open(n.cfg.Store)
	switch {
	case !errors.Is(err, store.ErrCorrupt):
	case n.cfg.Ensemble == nil:
		err = fmt.Errorf("%w; %s", err, wayOn)
	case n.id.Cluster.known():
		n.log.Error("this server's own state is damaged, it is set aside and copied from the others", "err", err)
		if err := n.setAside(err); err != nil {
			return err
		}
		n.store, err = store.Open(n.cfg.Store)
	}
	return err
}

// wayOn is what is left to do where nobody has a copy of the state.
const wayOn = "a server alone needs a copy of its data directories put back, or what zkd recover --damaged can save"

func (n *Node) start() error {
	has, err := n.begun()
	if err != nil {
		return err
	}
	n.unnamed = has && n.id.RaftID == ""
	n.life, n.stop = context.WithCancel(context.Background())
	n.closing, n.gone = n.life.Done(), make(chan struct{})
	context.AfterFunc(n.life, func() { close(n.gone) })
	if n.cfg.Ensemble == nil {
		err = n.startAlone(has)
	} else {
		err = n.startAmongPeers(has)
	}
	if err != nil {
		n.stop()
		n.entering.Wait()
		n.done.Wait()
	}
	return err
}

func (n *Node) startAlone(has bool) error {
	if n.id.RaftID == "" {
		if err := n.become(func(id *identity) { id.RaftID = firstID(n.cfg.ServerID) }); err != nil {
			return err
		}
	}
	var first *founding
	if !has {
		first = &founding{members: raft.Configuration{Servers: []raft.Server{{ID: n.id.RaftID, Address: raft.ServerAddress(n.id.RaftID)}}}}
	}
	return n.startRaft(first)
}

func (n *Node) startAmongPeers(has bool) error {
	for err := n.listen(); err != nil; err = n.listen() {
		if again := n.cfg.Ensemble.ListenAgain; again == nil || !again(err) {
			return err
		}
	}
	n.entering.Go(func() { n.takeCensus(n.life) })
	var err error
	switch {
	case !has:
		n.entering.Go(func() {
			if err := n.enter(n.life); err != nil && n.life.Err() == nil {
				n.fatal(err)
			}
		})
	case n.id.RaftID == "":
		err = n.become(func(id *identity) { id.RaftID = firstID(n.cfg.ServerID) })
		fallthrough
	default:
		if err == nil {
			n.measure(n.life)
			err = n.startRaft(nil)
		}
	}
	if err != nil {
		return errors.Join(err, n.net.Close())
	}
	return nil
}

// startRaft starts raft under the identity on file, founding a cluster first
// if first is not nil.
func (n *Node) startRaft(first *founding) error {
	id := n.raftID()
	rc := raft.DefaultConfig()
	rc.LocalID = id
	rc.BatchApplyCh = true
	rc.MaxAppendEntries = peer.MaxEntries
	rc.NoLegacyTelemetry = true
	// The node decides itself when to take a snapshot, see snapshotter.
	rc.SnapshotThreshold, rc.SnapshotInterval = 1<<62, 24*time.Hour
	rc.Logger = newRaftLogger(n.log)
	var trans raft.Transport
	var solo *soloTransport
	if n.net != nil {
		n.setTiming()
	}
	n.pace().tune(rc)
	if n.net == nil {
		rc.PreVoteDisabled = true // there is nobody to ask
		solo = newSoloTransport(raft.ServerAddress(id))
		trans = solo
	} else {
		// A commit is made known by a nudge; this is the fallback.
		rc.CommitTimeout = 250 * time.Millisecond
		n.intake.patience = peerPatience
		n.trans = n.net.Transport(string(id))
		n.trans.AnswerWhen(n.allDurable)
		n.trans.OnNudge(n.commits.tell)
		trans = transport{n.trans, n.store.Durable, n.closing}
		n.fsm.counted = n.store.AwaitCounted
		n.fsm.settled = n.allDurable
		n.store.SyncBehind(n.syncsBehind)
	}
	if n.cfg.tune != nil {
		n.cfg.tune(rc)
	}
	snaps := n.store.Snapshots()
	if first != nil {
		if err := n.found(first); err != nil {
			return err
		}
	}
	kept, err := snaps.List()
	if err != nil {
		return fmt.Errorf("consensus: list snapshots: %w", err)
	}
	r, err := n.newRaft(rc, snaps, trans)
	if err != nil {
		// The store sets a damaged snapshot aside when it is read, and without
		// any the log begins too late.
		if left, _ := snaps.List(); len(kept) > 0 && len(left) == 0 {
			return n.Distrust(fmt.Errorf("consensus: none of the snapshots can be read: %w; %s", err, wayOn))
		}
		return fmt.Errorf("consensus: start raft: %w", err)
	}
	n.raft.Store(r)
	if n.trans != nil {
		n.trans.SkipSnapshots(func() (term, index uint64) { return r.CurrentTerm(), r.AppliedIndex() })
	}
	if err := n.belongs(id); err != nil {
		return errors.Join(err, r.Shutdown().Error())
	}
	n.shutdown = sync.OnceValue(r.Shutdown)
	if solo != nil {
		// There is nobody to wait for: stand for election at once.
		solo.timeoutNow(rc.ProtocolVersion)
	}
	n.run()
	close(n.started)
	return nil
}

// run starts the goroutines that need raft.
func (n *Node) run() {
	n.proposer.Add(1)
	go n.propose(n.life)
	tasks := []func(context.Context){n.watch, n.snapshotter, n.haltOnFailure}
	if n.net != nil {
		tasks = append(tasks, n.hasten, n.mourn, n.suspect, n.beware)
	}
	for _, task := range tasks {
		n.done.Go(func() { task(n.life) })
	}
}

// belongs checks that a member that the log knows is this server. With
// another id it would wait for ever for the one whose place it took.
func (n *Node) belongs(id raft.ServerID) error {
	servers := n.configuration().Servers
	if server, _ := serverOf(id); server != n.cfg.ServerID {
		return fmt.Errorf("consensus: %w: it is that of server %d, this one is %d by myid or server.N", ErrIdentity, server, n.cfg.ServerID)
	}
	if n.net != nil {
		return nil // a newcomer is not in the log yet, and who was removed finds out
	}
	var have []string
	for _, m := range servers {
		if m.ID == id && len(servers) == 1 {
			return nil
		}
		server, _ := serverOf(m.ID)
		have = append(have, strconv.FormatUint(server, 10))
	}
	if onlyMember(servers, n.cfg.ServerID) {
		return fmt.Errorf("consensus: the log is that of %s, and %s says %s: a recovery was cut short, run zkd recover again",
			servers[0].ID, n.who().path, id)
	}
	if len(have) > 1 {
		return fmt.Errorf("consensus: zoo.cfg has this server alone, and its data is that of an ensemble of the servers %s: list them in zoo.cfg, "+
			"or make this one a cluster of its own by zkd recover (%w)", strings.Join(have, ","), ErrIdentity)
	}
	return fmt.Errorf("consensus: %w: its log is that of server %s, this one is %d by myid or server.N",
		ErrIdentity, strings.Join(have, ","), n.cfg.ServerID)
}
