package consensus

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"zkd/consensus/peer"
)

const (
	// driveEvery is how often a leader looks whether raft's members are those
	// that the replicated state wants.
	driveEvery = 100 * time.Millisecond
	// guestTime is how long a newcomer that did not catch up in time, and was
	// not made a member, may go on copying: the next attempt finds it ready.
	guestTime = 10 * time.Minute
	// caughtUp is how many entries behind a newcomer may be when it becomes a
	// voter.
	caughtUp = 256
)

// driver makes raft's configuration what the replicated state says it should
// be, one change at a time, while this server leads.
type driver struct {
	n        *Node
	version  uint64                      // of the reconfiguration under way, 0 for none
	patience patience                    // with it
	guests   map[raft.ServerID]time.Time // since when somebody is in raft who is not listed
}

// applicants are the raft ids under which servers have asked to be taken in.
type applicants struct {
	mu   sync.Mutex
	asks map[uint64]applicant // by server id
}

type applicant struct {
	id     raft.ServerID
	at     time.Time
	reason string // why it is not in yet
}

// asked notes that a server wants to be taken in, and answers what came of it.
func (n *Node) asked(id raft.ServerID) joinAnswer {
	server, ok := serverOf(id)
	if _, leads := n.leadsNow(); !leads || !ok {
		return joinAnswer{Reason: "not the leader"}
	}
	if n.listed(id) {
		return joinAnswer{Taken: true}
	}
	a := &n.applicants
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.asks == nil {
		a.asks = map[uint64]applicant{}
	}
	ask := a.asks[server]
	if ask.id != id {
		ask.reason = ""
		if time.Since(ask.at) < inContact && ask.id != "" {
			return joinAnswer{Reason: fmt.Sprintf("another server asks with the same id: two have myid %d", server)}
		}
	}
	ask.id, ask.at = id, time.Now()
	a.asks[server] = ask
	return joinAnswer{Reason: ask.reason}
}

func (n *Node) applying() map[uint64]raft.ServerID {
	a := &n.applicants
	a.mu.Lock()
	defer a.mu.Unlock()
	now := map[uint64]raft.ServerID{}
	for server, ask := range a.asks {
		if time.Since(ask.at) < inContact {
			now[server] = ask.id
		}
	}
	return now
}

func (n *Node) putOff(server uint64, reason string) {
	a := &n.applicants
	a.mu.Lock()
	defer a.mu.Unlock()
	if ask, ok := a.asks[server]; ok {
		ask.reason = reason
		a.asks[server] = ask
	}
}

// drive is the goroutine of a leader's driver.
func (n *Node) drive(ctx context.Context) {
	d := driver{n: n, guests: map[raft.ServerID]time.Time{}}
	tick := time.NewTicker(driveEvery)
	defer tick.Stop()
	for {
		servers := n.configuration().Servers
		others := slices.DeleteFunc(slices.Clone(servers), func(s raft.Server) bool { return s.ID == n.raftID() })
		n.peers.Store(&others)
		d.step(ctx, servers)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// step makes at most one change.
func (d *driver) step(ctx context.Context, servers []raft.Server) {
	m := d.n.fsm.membership()
	if m == nil {
		return // the list of zoo.cfg is about to become the state's
	}
	want := m.Current
	if m.Wanted != nil {
		want = m.Wanted
		if d.version != m.Version {
			d.version = m.Version
			d.patience.begin()
		}
	} else {
		d.version = 0
	}
	done := d.takeIn(ctx, servers, want) || d.adjust(ctx, servers, want)
	switch {
	case done || m.Wanted == nil || d.n.cfg.Ensemble.Reconfigured == nil:
	case reached(servers, want):
		d.n.cfg.Ensemble.Reconfigured(m.Version, true)
	case d.patience.over(d.n.coming(servers, want), d.n.cfg.Ensemble.CatchUp):
		d.n.log.Warn("reconfiguration given up: new members are not there or do not catch up, or there is no majority for it", "version", m.Version)
		d.n.cfg.Ensemble.Reconfigured(m.Version, false)
	}
}

// takeIn admits one of the servers that ask, in the place of what its id meant
// before.
func (d *driver) takeIn(ctx context.Context, servers []raft.Server, want []peer.Member) bool {
	for server, id := range d.n.applying() {
		i := slices.IndexFunc(want, func(m peer.Member) bool { return m.ID == server })
		if i < 0 {
			d.n.putOff(server, fmt.Sprintf("server %d is not in the list of members; add it by reconfig", server))
			continue
		}
		before, after := incarnations(servers, server, id)
		if after {
			continue
		}
		if before == nil {
			return d.attempt(ctx, "add "+string(id), func(r *raft.Raft) raft.IndexFuture {
				return r.AddNonvoter(id, raft.ServerAddress(id), 0, 0)
			})
		}
		if _, _, there := d.n.members.present(before.ID); there || before.ID == d.n.raftID() {
			d.n.putOff(server, fmt.Sprintf("server %d is running already, as %s: two have the same myid", server, before.ID))
			continue
		}
		if before.Suffrage == raft.Voter && !d.majorityWithout(servers, before.ID) {
			d.n.putOff(server, "too few voters are in contact to replace one now")
			continue
		}
		d.n.log.Info("a server comes back without its state", "server", server, "was", before.ID, "is", id)
		return d.attempt(ctx, "remove "+string(before.ID), func(r *raft.Raft) raft.IndexFuture {
			return r.RemoveServer(before.ID, 0, 0)
		})
	}
	return false
}

// incarnations returns the member that a server id means now, if it is not id.
func incarnations(servers []raft.Server, server uint64, id raft.ServerID) (before *raft.Server, there bool) {
	for i, s := range servers {
		switch of, _ := serverOf(s.ID); {
		case s.ID == id:
			there = true
		case of == server:
			before = &servers[i]
		}
	}
	return before, there
}

// majorityWithout tells whether the voters but one can still decide.
func (d *driver) majorityWithout(servers []raft.Server, without raft.ServerID) bool {
	voters, there := 0, 0
	for _, s := range servers {
		if s.Suffrage != raft.Voter || s.ID == without {
			continue
		}
		voters++
		if _, _, ok := d.n.members.present(s.ID); ok || s.ID == d.n.raftID() {
			there++
		}
	}
	return there > voters/2
}

// adjust makes one change to those who are in raft: promotions first, then
// demotions, then removals, and the leader itself last of all.
func (d *driver) adjust(ctx context.Context, servers []raft.Server, want []peer.Member) bool {
	role := map[raft.ServerID]*peer.Member{}
	for _, s := range servers {
		server, _ := serverOf(s.ID)
		if i := slices.IndexFunc(want, func(m peer.Member) bool { return m.ID == server }); i >= 0 {
			role[s.ID] = &want[i]
		}
	}
	waiting := !allThere(servers, want)
	for _, s := range servers {
		if m := role[s.ID]; m != nil && !m.Observer && s.Suffrage != raft.Voter {
			if d.mayVote(s.ID) {
				return d.attempt(ctx, "promote "+string(s.ID), func(r *raft.Raft) raft.IndexFuture {
					return r.AddVoter(s.ID, s.Address, 0, 0)
				})
			}
			waiting = true
		}
	}
	if waiting && d.version != 0 {
		return false // a majority of the new list first
	}
	for _, s := range servers {
		m := role[s.ID]
		self := s.ID == d.n.raftID()
		switch {
		case self && (m == nil || m.Observer):
			if d.majorityWithout(servers, s.ID) {
				d.n.log.Info("this leader is to be no voter any more, handing over")
				d.n.handOver()
				return true
			}
		case m != nil && m.Observer && s.Suffrage == raft.Voter, m == nil && d.version == 0 && s.Suffrage == raft.Voter:
			if d.majorityWithout(servers, s.ID) {
				return d.attempt(ctx, "demote "+string(s.ID), func(r *raft.Raft) raft.IndexFuture { return r.DemoteVoter(s.ID, 0, 0) })
			}
		case m == nil && (d.version != 0 || d.overstayed(s.ID)):
			if s.Suffrage != raft.Voter || d.majorityWithout(servers, s.ID) {
				if d.change(ctx, "remove "+string(s.ID), func(r *raft.Raft) raft.IndexFuture { return r.RemoveServer(s.ID, 0, 0) }) {
					d.n.members.tell(s.ID, linkRemoved) // raft does not
				}
				return true
			}
		case m != nil:
			delete(d.guests, s.ID)
		}
	}
	return false
}

// overstayed tells whether a newcomer that was not made a member has copied
// for long enough.
func (d *driver) overstayed(id raft.ServerID) bool {
	since, ok := d.guests[id]
	if !ok {
		since = time.Now()
		d.guests[id] = since
	}
	return time.Since(since) > guestTime
}

// mayVote tells whether a non-voter is close enough behind to count.
func (d *driver) mayVote(id raft.ServerID) bool {
	applied, _, ok := d.n.members.present(id)
	return ok && applied+caughtUp >= d.n.raft.Load().CommitIndex()
}

// allThere tells whether every voter wanted is in raft, in whatever role.
// Observers decide nothing: they come in when they are there.
func allThere(servers []raft.Server, want []peer.Member) bool {
	for _, m := range want {
		if !m.Observer && !slices.ContainsFunc(servers, func(s raft.Server) bool { server, _ := serverOf(s.ID); return server == m.ID }) {
			return false
		}
	}
	return true
}

// reached tells whether raft's members are those wanted, in their roles.
func reached(servers []raft.Server, want []peer.Member) bool {
	for _, s := range servers {
		server, _ := serverOf(s.ID)
		i := slices.IndexFunc(want, func(m peer.Member) bool { return m.ID == server })
		if i < 0 || want[i].Observer == (s.Suffrage == raft.Voter) {
			return false
		}
	}
	return allThere(servers, want)
}

// attempt is change for a step that has had its turn, whatever came of it.
func (d *driver) attempt(ctx context.Context, what string, do func(*raft.Raft) raft.IndexFuture) bool {
	d.change(ctx, what, do)
	return true
}

// change makes one change of raft's configuration and waits for it.
func (d *driver) change(ctx context.Context, what string, do func(*raft.Raft) raft.IndexFuture) (done bool) {
	d.n.log.Info("changing the members", "change", what)
	err := await(do(d.n.raft.Load()), ctx.Done())
	if err != nil {
		d.n.log.Warn("members not changed", "change", what, "err", err)
	}
	return err == nil
}

// judge decides what to do when digests differ: the minority is wrong, and in
// doubt the follower.
func (n *Node) judge() {
	var voters, all []raft.ServerID
	for _, s := range n.configuration().Servers {
		if s.ID == n.raftID() {
			continue
		}
		all = append(all, s.ID)
		if s.Suffrage == raft.Voter {
			voters = append(voters, s.ID)
		}
	}
	same, open, other := n.members.verdicts(voters)
	switch {
	case open > 0: // they report soon
	case same+1 >= len(other):
		_, _, other = n.members.verdicts(all)
		for _, l := range other {
			_ = l.Send(linkDiverged) // a link that breaks is heard of again
		}
	default:
		n.rejoin("its state differs from that of most other servers")
	}
}
