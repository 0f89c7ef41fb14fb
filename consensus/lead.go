package consensus

import (
	"context"
	"encoding/binary"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"zkd/consensus/store"
	"zkd/internal/mutant"
)

// watchEvery is how often a server looks at its relation to the leader when
// raft reports no change by itself.
const watchEvery = 50 * time.Millisecond

// watch follows who leads: it keeps the contact clock, wakes the sender, and
// begins and ends this server's own leadership.
func (n *Node) watch(ctx context.Context) {
	changes := make(chan raft.Observation, 16)
	r := n.raft.Load()
	observer := raft.NewObserver(changes, false, func(o *raft.Observation) bool {
		switch o.Data.(type) {
		case raft.LeaderObservation, raft.RaftState:
			return true
		}
		return false
	})
	r.RegisterObserver(observer)
	defer r.DeregisterObserver(observer)
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	var own leadership
	defer own.end()
	var last leader
	for {
		now := n.leader()
		n.refreshContact(r, now)
		if now != last {
			n.reportLeader(last, now)
			last = now
			if l := n.uplink.Load(); l != nil && raft.ServerID(l.Peer().RaftID) != now.id {
				_ = l.Close() // the sender may be stuck in it
			}
			n.stream.signal()
		}
		switch term, leads := n.leadsNow(); {
		case leads && own.term != term:
			own.end()
			own.begin(ctx, n, term)
		case !leads && own.term != 0:
			own.end()
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-changes:
		}
	}
}

// reportLeader logs who leads now. That a server which starts knows nobody yet
// is news to nobody.
func (n *Node) reportLeader(before, now leader) {
	switch {
	case now.id != "":
		n.log.Info("leader", "leader", now.id, "term", now.term)
	case before.id != "":
		n.log.Info("no leader", "before", before.id, "term", now.term)
	default:
		n.log.Debug("no leader yet", "term", now.term)
	}
}

// refreshContact notes that this server is in touch with a leader, if it is.
func (n *Node) refreshContact(r *raft.Raft, now leader) {
	switch {
	case now.id == "":
	case now.id == n.raftID():
		if r.State() == raft.Leader && !n.standsBack() { // raft ends that itself without a majority
			n.contact.Store(int64(time.Since(n.began)))
		}
	default:
		if at := r.LastContact(); !at.IsZero() {
			n.contact.Store(max(n.contact.Load(), int64(at.Sub(n.began))))
		}
	}
}

// leadership is one term of leading.
type leadership struct {
	term uint64
	stop context.CancelFunc
	done sync.WaitGroup
}

// begin starts what a leader does, once it has applied all that was committed
// under those before it.
func (l *leadership) begin(ctx context.Context, n *Node, term uint64) {
	ctx, l.stop = context.WithCancel(ctx)
	l.term = term
	n.lookAtPeers()
	l.done.Go(func() {
		for n.await(n.raft.Load().Barrier(0), ctx.Done()) != nil || !n.nameCluster(ctx) {
			n.pause(ctx, watchEvery)
			if ctx.Err() != nil {
				return
			}
		}
		n.settled.Store(term)
		var duties sync.WaitGroup
		defer duties.Wait()
		if e := n.cfg.Ensemble; e != nil {
			duties.Go(func() { n.drive(ctx) })
		}
		if n.cfg.Lead != nil {
			duties.Go(func() { n.cfg.Lead(ctx, term) })
		}
	})
}

func (l *leadership) end() {
	if l.term == 0 {
		return
	}
	l.stop()
	l.done.Wait()
	l.term = 0
}

// nameCluster gives the cluster its id if it has none.
func (n *Node) nameCluster(ctx context.Context) bool {
	if n.fsm.clusterID().known() {
		return true
	}
	id := newClusterID()
	entry := append([]byte{clusterFormat}, id[:]...)
	n.intake.sent(1)
	return n.await(n.raft.Load().Apply(entry, 0), ctx.Done()) == nil
}

// succession is how long one server waits for the one before it to take over
// from a leader whose process is gone.
func (t *timing) succession() time.Duration { return t.times(100*time.Millisecond, 2) }

// mourn stands for election when the leader's process is known to have ended,
// without waiting for its heartbeats to be missed. Servers try one after the
// other; whoever is refused, because its log is not up to date, has cost a term
// and nothing else (TimeoutNow, Raft dissertation §3.10, is always safe).
func (n *Node) mourn(ctx context.Context) {
	for {
		var lost raft.ServerID
		select {
		case <-ctx.Done():
			return
		case id := <-n.net.Lost():
			lost = raft.ServerID(id)
		}
		if dead := n.leader(); lost == dead.id {
			n.succeed(ctx, dead)
		}
	}
}

// visit asks a leader whose link has ended whether it still leads: its process
// may have been started again so soon that its port never refused anybody.
func (n *Node) visit(ctx context.Context, last leader) {
	server, _ := serverOf(last.id)
	asking, cancel := context.WithTimeout(ctx, n.pace().brief())
	defer cancel()
	var a probeAnswer
	if err := n.ask(asking, server, queryProbe, &a); err != nil || a.Leads && a.RaftID == last.id {
		return
	}
	if n.leader() == last {
		n.succeed(ctx, last)
	}
}

// succeed stands for election, when its turn has come, unless somebody else has
// succeeded meanwhile. An election that had no winner leaves a later term.
func (n *Node) succeed(ctx context.Context, dead leader) {
	turn := rank(n.configuration().Servers, n.raftID(), dead.id)
	if turn < 0 {
		return // no voter
	}
	n.pause(ctx, time.Duration(turn)*n.pace().succession())
	for range 3 {
		if id := n.leader().id; ctx.Err() != nil || id != "" && id != dead.id {
			return
		}
		if n.raft.Load().State() == raft.Follower {
			n.log.Info("the leader's process has ended, standing for election", "leader", dead.id)
			n.trans.StandForElection()
		}
		n.pause(ctx, time.Duration(len(n.configuration().Servers))*n.pace().succession())
	}
}

// leaderHeard returns who leads, as far as this server still hears from it.
func (n *Node) leaderHeard() raft.ServerID {
	if n.Contact() > n.pace().election {
		return ""
	}
	return n.leader().id
}

// hasten makes one of the servers that have no leader stand for election at
// once, where each would wait a random time and the first to do so may not be
// the one that can win: when a majority of the voters answers, none of them
// hears from a leader, and none has a longer log.
func (n *Node) hasten(ctx context.Context) {
	for ctx.Err() == nil {
		if n.leaderHeard() == "" && n.foremostNow(ctx) && n.leaderHeard() == "" && n.raft.Load().State() == raft.Follower {
			n.log.Info("no leader is heard from, standing for election")
			n.trans.StandForElection()
			n.pause(ctx, n.pace().times(time.Second, tripsPerElection+1))
		}
		n.pause(ctx, watchEvery)
	}
}

func (n *Node) foremostNow(ctx context.Context) bool {
	if rank(n.configuration().Servers, n.raftID(), "") < 0 {
		return false // no voter
	}
	answers := n.probeAll(ctx, n.pace().times(300*time.Millisecond, tripsPerElection+1))
	return foremost(n.configuration().Servers, n.raftID(), n.raft.Load().LastIndex(), answers)
}

// foremost tells whether the voter own, whose log ends with last, is the one to
// stand for election by what the others have answered.
func foremost(servers []raft.Server, own raft.ServerID, last uint64, answers map[uint64]probeAnswer) bool {
	voters, there, self := 0, 1, false
	for _, s := range servers {
		if s.Suffrage != raft.Voter {
			continue
		}
		voters++
		if s.ID == own {
			self = true
			continue
		}
		server, _ := serverOf(s.ID)
		a, ok := answers[server]
		if !ok || a.RaftID != s.ID {
			continue
		}
		if a.Leader != "" || a.Last > last || a.Last == last && s.ID < own && len(a.Raft) > 0 {
			return false
		}
		if len(a.Raft) > 0 { // its raft has been started, and can vote
			there++
		}
	}
	return self && there > voters/2
}

// rank is the place of own among the voters without one, -1 for none.
func rank(servers []raft.Server, own, without raft.ServerID) int {
	all := slices.DeleteFunc(voters(servers), func(id raft.ServerID) bool { return id == without })
	slices.Sort(all)
	return slices.Index(all, own)
}

// voters returns who has a vote.
func voters(servers []raft.Server) (ids []raft.ServerID) {
	for _, s := range servers {
		if s.Suffrage == raft.Voter {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

// announce is called before entries that are committed, and durable here, are
// applied. A leader tells its followers of the commit, which raft would do only
// with the next entry: when a client has its reply, the commit is on its way to
// every other server that a client may ask next.
func (n *Node) announce(logs []*raft.Log) {
	term, leads := n.leadsNow()
	last := logs[len(logs)-1]
	if peers := n.peers.Load(); leads && n.trans != nil && peers != nil && last.Term == term {
		n.commits.tell(last.Index)
		n.trans.Nudge(askedLast(*peers, last.Data), term, last.Index)
	}
}

// askedLast puts the server at the end where the requests of an entry began, if
// they have one origin: it answers when it has heard of the commit, and the
// others are to have heard by then.
func askedLast(servers []raft.Server, entry []byte) []raft.Server {
	if len(entry) < batchHeader || entry[0] != batchFormat {
		return servers
	}
	origin := binary.BigEndian.Uint64(entry[1:])
	at := slices.IndexFunc(servers, func(s raft.Server) bool { id, _ := serverOf(s.ID); return id == origin })
	if at < 0 || at == len(servers)-1 {
		return servers
	}
	return append(slices.Concat(servers[:at], servers[at+1:]), servers[at])
}

// applied is called when this server has applied entries. A leader goes on with
// what waits.
func (n *Node) applied(logs []*raft.Log) {
	term, leads := n.leadsNow()
	if !leads {
		return
	}
	own := 0
	for _, l := range logs {
		if l.Term == term && l.Type == raft.LogCommand {
			own++
		}
	}
	if n.intake.applied(own) {
		n.stream.signal()
	}
}

// syncsBehind tells whether this server may store entries now and sync them
// behind (ADR 6): as a follower, or when raft leads, whose goroutine asks, and
// others vote. Who votes with it may be out of date, as nothing but speed depends
// on it.
func (n *Node) syncsBehind() store.Sync {
	r, peers := n.raft.Load(), n.peers.Load()
	if r == nil {
		return store.AtOnce
	}
	switch state := r.State(); {
	case state == raft.Follower:
		return store.AsFollower
	case state == raft.Leader && peers != nil &&
		slices.ContainsFunc(*peers, func(s raft.Server) bool { return s.Suffrage == raft.Voter }):
		return store.AsLeader
	}
	return store.AtOnce
}

// allDurable returns when all that raft has stored so far is durable. Raft may
// have been a leader when it stored it, and tells its successor that it has it.
func (n *Node) allDurable() error {
	if mutant.Is(mutant.Answer) {
		return nil
	}
	return n.store.Settle(n.failed)
}

// handOverTime is how long a leader that stops waits for its successor.
const handOverTime = 3 * time.Second

// handOver gives the leadership to another voter, as far as one can take it.
func (n *Node) handOver() {
	r := n.raft.Load()
	if r == nil || r.State() != raft.Leader || n.trans == nil {
		return
	}
	successor := n.successor()
	if successor == "" {
		n.log.Info("no other voter is in contact that the leadership could be handed to")
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), handOverTime)
	defer cancel()
	if err := n.await(r.LeadershipTransferToServer(successor, raft.ServerAddress(successor)), ctx.Done()); err != nil {
		n.log.Info("leadership could not be handed over", "to", successor, "err", err)
	}
}

// successor returns the voter in contact that has applied most, "" for none.
func (n *Node) successor() (best raft.ServerID) {
	var most uint64
	for _, s := range n.configuration().Servers {
		applied, _, there := n.members.present(s.ID)
		if s.ID != n.raftID() && s.Suffrage == raft.Voter && there && (best == "" || applied > most) {
			best, most = s.ID, applied
		}
	}
	return best
}
