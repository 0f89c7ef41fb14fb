package consensus

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/hashicorp/raft"

	"zkd/consensus/store"
)

// Recovery makes a server the only member of a new cluster, with the state that
// its own disk has: the way out when a majority of an ensemble is lost for good.
// The server must not run; an open Recovery keeps it from being started.
type Recovery struct {
	ServerID uint64
	Cluster  string // that it belonged to; "" if that had no id yet
	RaftID   string // that it had
	Distrust string // why it was to copy its state from the others, "" mostly
	// Members are those that the log knows of, be the last change committed
	// or not.
	Members []MemberStatus
	// Index and Term are those of the last entry, Snapshot is the newest
	// snapshot's.
	Index, Term, Snapshot uint64

	// Damage is what is not whole, of a server that Salvage has opened. Durable is
	// an entry that it had once: those behind Index are lost, and what came after
	// them, if anything did. Taken is when the snapshot was.
	// A server that is Startable has no need of a recovery.
	Damage    []error
	Durable   uint64
	Taken     time.Time
	Startable bool
	Kept      string // where the damaged files are, after Recover

	// CutShort is set if an earlier recovery was, before it was done: the server
	// does not start, and this recovery finishes it.
	CutShort bool

	cfg   Config
	id    identity
	store *store.Store
	wreck *store.Wreck // what store is to be made of; nil if nothing is damaged
}

// termLeap is how far a recovery moves the term. The epoch of zxids is never
// less than the term, so those given out from now on are larger than any that
// the lost servers have given out, unless they had that many elections that this
// server knows nothing of: one a second for twelve days. There is room for two
// thousand recoveries.
const termLeap = 1 << 20

// lastTerm is the highest that makes an epoch: zxids are signed.
const lastTerm = 1<<31 - 1

// OpenRecovery looks at what a server has. Of cfg only what is about its
// directories counts.
func OpenRecovery(cfg Config) (*Recovery, error) { return openRecovery(cfg, (*Recovery).openStore) }

// OpenSalvage is OpenRecovery for a server whose data is damaged: it has what is
// whole, up to the first damage. logLost says that its log is not somewhere else
// when there is none: see store.OpenWreck.
func OpenSalvage(cfg Config, logLost bool) (*Recovery, error) {
	return openRecovery(cfg, func(r *Recovery) (raft.Configuration, error) { return r.openWreck(logLost) })
}

func openRecovery(cfg Config, open func(*Recovery) (raft.Configuration, error)) (*Recovery, error) {
	cfg.setDefaults()
	r := &Recovery{cfg: cfg}
	var err error
	if r.id, err = readIdentity(cfg.Store.Disk, cfg.Store.Dir); err != nil {
		return nil, err
	}
	if r.id.RaftID == "" {
		r.id.RaftID = firstID(cfg.ServerID)
	}
	server, _ := serverOf(r.id.RaftID)
	if server != cfg.ServerID {
		return nil, fmt.Errorf("consensus: %w: it is that of server %d, this one is %d by myid or server.N", ErrIdentity, server, cfg.ServerID)
	}
	r.ServerID, r.RaftID, r.Cluster, r.Distrust = server, string(r.id.RaftID), r.id.Cluster.String(), r.id.Rejoin
	// Whatever goes wrong with the store from here on, its calls return it.
	r.cfg.Store.OnFatal = func(error) {}
	r.cfg.OnFatal = r.cfg.Store.OnFatal
	members, err := open(r)
	if err == nil && r.Index == 0 {
		err = fmt.Errorf("consensus: %w: %s", ErrNoState, cfg.Store.Dir)
	}
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	r.CutShort = r.cutShort(members)
	for _, m := range members.Servers {
		member := MemberStatus{RaftID: string(m.ID), Voter: m.Suffrage == raft.Voter}
		member.ServerID, _ = serverOf(m.ID)
		r.Members = append(r.Members, member)
	}
	return r, nil
}

func (r *Recovery) openStore() (members raft.Configuration, err error) {
	there, err := store.Exists(r.cfg.Store.Dir)
	if err == nil && !there {
		err = fmt.Errorf("consensus: %w: %s", ErrNoState, r.cfg.Store.Dir)
	}
	if err != nil {
		return members, err
	}
	if r.store, err = store.Open(r.cfg.Store); err != nil {
		return members, err
	}
	return r.lookThroughLog()
}

func (r *Recovery) openWreck(logLost bool) (members raft.Configuration, err error) {
	if _, err := os.Stat(r.cfg.Store.Dir); err != nil {
		return members, fmt.Errorf("consensus: %w: %w", ErrNoState, err)
	}
	r.wreck, err = store.OpenWreck(r.cfg.Store, logLost)
	if errors.Is(err, store.ErrUnfinished) {
		return r.openRecovered()
	}
	if err != nil {
		return members, err
	}
	w := r.wreck.Remains
	if w.Startable && r.cutShort(w.Members) {
		err := r.wreck.Close()
		if r.wreck = nil; err != nil {
			return members, err
		}
		return r.openRecovered()
	}
	r.Index, r.Term, r.Snapshot, r.Taken, r.Durable = w.Index, w.Term, w.Snapshot, w.Taken, w.Durable
	r.Damage, r.Startable = w.Damage, w.Startable
	return w.Members, nil
}

// openRecovered opens what an earlier recovery has made of a damaged store. If a
// crash left that on its way to its place, it comes there now: that was decided.
func (r *Recovery) openRecovered() (members raft.Configuration, err error) {
	members, err = r.openStore()
	r.Startable = err == nil && !r.cutShort(members)
	return members, err
}

// cutShort tells whether the state is of a recovery that has not come to write
// the identity: it has this server alone, under a raft id that is not on file.
func (r *Recovery) cutShort(members raft.Configuration) bool {
	return onlyMember(members.Servers, r.ServerID) && members.Servers[0].ID != r.id.RaftID
}

// onlyMember tells whether a server is the only member.
func onlyMember(members []raft.Server, server uint64) bool {
	if len(members) != 1 {
		return false
	}
	only, ok := serverOf(members[0].ID)
	return ok && only == server
}

// lookThroughLog finds the last entry and the last list of members.
func (r *Recovery) lookThroughLog() (members raft.Configuration, err error) {
	snaps, err := r.store.Snapshots().List()
	if err != nil {
		return members, err
	}
	if len(snaps) > 0 {
		r.Snapshot, r.Index, r.Term, members = snaps[0].Index, snaps[0].Index, snaps[0].Term, snaps[0].Configuration
	}
	last, err := r.store.Log().LastIndex()
	if err != nil {
		return members, err
	}
	for i := r.Snapshot + 1; i <= last; i++ {
		var l raft.Log
		if err := r.store.Log().GetLog(i, &l); err != nil {
			return members, fmt.Errorf("consensus: entry %d: %w", i, err)
		}
		r.Index, r.Term = l.Index, l.Term
		if l.Type == raft.LogConfiguration {
			members = raft.DecodeConfiguration(l.Data)
		}
	}
	return members, nil
}

// Recover does it, with sm to replay the log into. Every entry that this server
// has counts as committed from now on. What the state says of the members stays:
// each of them can join again, without the state that it had.
//
// An error leaves the server as it was or, where it says so, in need of another
// Recover: it does not start before.
func (r *Recovery) Recover(sm StateMachine) (cluster, raftID string, err error) {
	if r.wreck != nil {
		if r.store, err = r.wreck.Rebuild(); err != nil {
			return "", "", fmt.Errorf("consensus: recover: %w", err)
		}
	}
	term, err := r.leap()
	if err != nil {
		return "", "", err
	}
	id := r.id
	// Another raft id, too: the old one is in the log of those who are lost.
	id.Cluster, id.RaftID, id.Rejoin = newClusterID(), laterID(r.ServerID), ""
	id.Start, id.Sound, id.First = 0, 0, 0 // what it has is what counts, be it an old copy
	if err := r.rebase(sm, id); err != nil {
		return "", "", err
	}
	// The state names the new cluster from here on, and the identity the old
	// one, until it is written: such a server does not start.
	err = r.store.Stable().SetUint64([]byte("CurrentTerm"), term)
	if err == nil && r.wreck != nil {
		r.Kept, err = r.wreck.Replace(r.store)
	}
	if err == nil {
		err = id.write()
	}
	if err != nil {
		return "", "", fmt.Errorf("consensus: recover: not finished, do it again: %w", err)
	}
	r.id = id
	return id.Cluster.String(), string(id.RaftID), nil
}

// leap returns the term to go on in.
func (r *Recovery) leap() (uint64, error) {
	term, err := r.store.Stable().GetUint64([]byte("CurrentTerm"))
	if err != nil {
		return 0, err
	}
	if term = max(term, r.Term) + termLeap; term > lastTerm {
		return 0, fmt.Errorf("consensus: recover: term %d would be too large for the epoch of a zxid", term)
	}
	return term, nil
}

// rebase replaces log and snapshots by one snapshot of the state that they lead
// to, of a cluster that has this server alone.
func (r *Recovery) rebase(sm StateMachine, id identity) error {
	n := &Node{cfg: r.cfg, log: r.cfg.Logger, began: time.Now(), snapshotNow: make(chan struct{}, 1), failed: make(chan struct{}), becoming: make(chan struct{}, 1), id: r.id}
	n.fsm = newFSM(n, sm)
	rc := raft.DefaultConfig()
	rc.LocalID = id.RaftID
	rc.Logger = newRaftLogger(r.cfg.Logger)
	rc.NoLegacyTelemetry = true
	alone := raft.Configuration{Servers: []raft.Server{{ID: id.RaftID, Address: raft.ServerAddress(id.RaftID)}}}
	err := raft.RecoverCluster(rc, &rebased{n.fsm, id.Cluster}, r.store.Log(), r.store.Stable(), r.store.Snapshots(),
		newSoloTransport(raft.ServerAddress(id.RaftID)), alone)
	if err != nil {
		if again := r.named(id.Cluster); again {
			return fmt.Errorf("consensus: recover: not finished, do it again: %w", err)
		}
		return fmt.Errorf("consensus: recover: %w", err)
	}
	return nil
}

// named tells whether the newest snapshot is of the new cluster already.
func (r *Recovery) named(cluster clusterID) bool {
	snaps, err := r.store.Snapshots().List()
	if err != nil || len(snaps) == 0 {
		return err != nil // who can tell
	}
	_, rc, err := r.store.Snapshots().Open(snaps[0].ID)
	if err != nil {
		return true
	}
	defer rc.Close()
	has, _, _, err := readImageHead(rc)
	return err != nil || has == cluster
}

// rebased is the state machine of a recovery: what it has is of another cluster
// when it is written.
type rebased struct {
	*fsm
	cluster clusterID
}

// Snapshot implements raft.FSM.
func (f *rebased) Snapshot() (raft.FSMSnapshot, error) {
	f.mu.Lock()
	f.fsm.cluster = f.cluster
	f.mu.Unlock()
	return f.fsm.Snapshot()
}

// Others are the servers that the log knows of beside this one.
func (r *Recovery) Others() (servers []uint64) {
	for _, m := range r.Members {
		if m.ServerID != r.ServerID && !slices.Contains(servers, m.ServerID) {
			servers = append(servers, m.ServerID)
		}
	}
	slices.Sort(servers)
	return servers
}

// Close gives the directories back.
func (r *Recovery) Close() (err error) {
	if r.store != nil {
		err = r.store.Close()
	}
	if r.wreck != nil {
		err = errors.Join(err, r.wreck.Close())
	}
	return err
}
