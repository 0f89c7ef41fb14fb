package consensus

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hashicorp/raft"

	"zkd/consensus/peer"
	"zkd/internal/mutant"
)

const (
	// driveEvery is how often a leader looks whether raft's members are those
	// that the replicated state wants.
	driveEvery = 100 * time.Millisecond
	// guestTime is how long a newcomer that did not catch up in time, and was
	// not made a member, may go on copying: the next attempt finds it ready.
	guestTime = 10 * time.Minute
	// caughtUp is how many entries behind a server may be that is taken for up
	// to date.
	caughtUp = 256
	// settleTime is how long members have to report to a new leader before one
	// of them can be taken for gone.
	settleTime = time.Second
)

// driver makes raft's configuration what the replicated state says it should
// be, one change at a time, while this server leads.
type driver struct {
	n        *Node
	version  uint64                      // of the reconfiguration under way, 0 for none
	patience patience                    // with it
	leaving  map[raft.ServerID]bool      // lost their place by a reconfiguration
	heirs    map[raft.ServerID]bool      // whose server had a vote until its former incarnation was removed
	guests   map[raft.ServerID]time.Time // since when somebody is in raft who is not listed
	began    time.Time
	told     time.Time // when the end of a reconfiguration was last proposed
	warned   bool      // that the first clients do not wait for servers that are there
	changed  uint64    // the last change of raft's members is in the log by then
}

func newDriver(n *Node) *driver {
	return &driver{n: n, leaving: map[raft.ServerID]bool{}, heirs: map[raft.ServerID]bool{}, guests: map[raft.ServerID]time.Time{}, began: time.Now()}
}

// drive is the goroutine of a leader's driver.
func (n *Node) drive(ctx context.Context) {
	d := newDriver(n)
	d.changed = n.raft.Load().LastIndex()
	tick := time.NewTicker(driveEvery)
	defer tick.Stop()
	for {
		d.step(ctx, n.lookAtPeers())
		select {
		case <-ctx.Done():
			return
		case <-n.applicants.asked:
		case <-n.census.news:
		case <-tick.C:
		}
	}
}

// lookAtPeers returns raft's members, and notes the others as this leader's peers.
func (n *Node) lookAtPeers() []raft.Server {
	servers := n.configuration().Servers
	others := slices.DeleteFunc(slices.Clone(servers), func(s raft.Server) bool { return s.ID == n.raftID() })
	n.peers.Store(&others)
	return servers
}

// step makes at most one change.
func (d *driver) step(ctx context.Context, servers []raft.Server) {
	m := d.n.fsm.membership()
	if m == nil {
		d.gather(ctx, servers)
		return
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
	c := d.next(servers, want)
	switch {
	case c.what != nothing:
		d.make(ctx, c)
	case m.Wanted == nil || d.n.cfg.Ensemble.Reconfigured == nil:
	case d.reached(servers, want):
		d.tell(m.Version, true)
	case d.patience.over(d.count(servers, want).mayDecide(), d.n.cfg.Ensemble.CatchUp):
		d.n.log.Warn("reconfiguration given up: too few of the voters that it wants are in contact, or they do not catch up", "version", m.Version)
		d.tell(m.Version, false)
	}
}

// tellEvery is how long the end of a reconfiguration has to be applied before
// it is proposed again.
const tellEvery = time.Second

func (d *driver) tell(version uint64, ok bool) {
	if time.Since(d.told) > tellEvery {
		d.told = time.Now()
		d.n.cfg.Ensemble.Reconfigured(version, ok)
	}
}

// change is one step from raft's members to those wanted.
type change struct {
	what action
	id   raft.ServerID // whom it is about
}

type action string

const (
	nothing  action = ""
	add      action = "add" // without a vote
	addVoter action = "add with a vote"
	promote  action = "promote"
	demote   action = "demote"
	remove   action = "remove"
	handOver action = "hand over" // by the leader, which is to lose its vote
)

// next decides what to do next about raft's members.
func (d *driver) next(servers []raft.Server, want []peer.Member) change {
	if c := d.takeIn(servers, want); c.what != nothing {
		return c
	}
	return d.adjust(servers, want)
}

// takeIn admits one of the servers that ask, in the place of what its id meant
// before.
func (d *driver) takeIn(servers []raft.Server, want []peer.Member) change {
	for server, id := range d.n.applicants.current(time.Now()) {
		if memberOf(want, id) == nil {
			d.n.applicants.putOff(server, fmt.Sprintf("server %d is not in the list of members; %s", server, d.n.howToBeListed()))
			continue
		}
		before, after := incarnations(servers, server, id)
		if after {
			continue
		}
		if before == nil {
			return d.admit(servers, memberOf(want, id), id)
		}
		if time.Since(d.began) < settleTime && before.ID != d.n.raftID() && !d.n.runsAs(server, id) {
			continue // it may not have found this leader yet
		}
		if d.there(before.ID) && !d.n.runsAs(server, id) {
			d.n.applicants.putOff(server, fmt.Sprintf("server %d is running already, as %s: two have the same myid", server, before.ID))
			continue
		}
		if before.Suffrage == raft.Voter && !d.majorityWithout(servers, before.ID) {
			d.n.applicants.putOff(server, "too few voters are in contact and up to date to replace one now")
			continue
		}
		d.n.log.Info("a server without state takes the place that it has in the list", "server", server, "was", before.ID, "is", id)
		d.heirs[id] = before.Suffrage == raft.Voter
		return change{remove, before.ID}
	}
	return change{}
}

// howToBeListed is what a server waits for that is not in the list.
func (n *Node) howToBeListed() string {
	if e := n.cfg.Ensemble; e != nil && e.File != "" {
		return "it is taken in when most servers run with a zoo.cfg that lists it"
	}
	return "add it by reconfig or zkd member add"
}

// admit makes a server a member that was none. One that takes the place of a
// voter gets its vote at once where that does not raise the number that a majority
// needs: until it has caught up, the others are then as many as they were without
// it, and when it has, one of them can be spared. Everybody else catches up first.
func (d *driver) admit(servers []raft.Server, as *peer.Member, id raft.ServerID) change {
	have, heir := len(voters(servers)), d.heirs[id]
	if as.Observer || !heir || (have+1)/2 > have/2 || mutant.Is(mutant.Enfranchise) {
		return change{add, id}
	}
	return change{addVoter, id}
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

// there tells whether a member is in contact.
func (d *driver) there(id raft.ServerID) bool {
	_, _, ok := d.n.members.present(id)
	return ok || id == d.n.raftID()
}

// upToDate tells whether a member is in contact and has caught up: it can confirm
// the next entry. One that waits for a snapshot cannot, vote or not.
func (d *driver) upToDate(id raft.ServerID) bool {
	return id == d.n.raftID() || d.n.members.caughtUp(id)
}

// majorityWithout tells whether the voters but one can still decide.
func (d *driver) majorityWithout(servers []raft.Server, without raft.ServerID) bool {
	voters, able := 0, 0
	for _, s := range servers {
		if s.Suffrage != raft.Voter || s.ID == without {
			continue
		}
		voters++
		if d.upToDate(s.ID) || mutant.Is(mutant.UpToDate) && d.there(s.ID) {
			able++
		}
	}
	return able > voters/2
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

// memberOf returns the wanted member that a raft id is of, nil if there is
// none.
func memberOf(want []peer.Member, id raft.ServerID) *peer.Member {
	server, _ := serverOf(id)
	for i := range want {
		if want[i].ID == server {
			return &want[i]
		}
	}
	return nil
}

// incarnationOf returns raft's member of a server id, nil if there is none.
func incarnationOf(servers []raft.Server, server uint64) *raft.Server {
	for i := range servers {
		if of, _ := serverOf(servers[i].ID); of == server {
			return &servers[i]
		}
	}
	return nil
}

// make does what was decided, and waits for it.
func (d *driver) make(ctx context.Context, c change) {
	if c.what == handOver {
		d.n.log.Info("this leader is to be no voter any more, handing over")
		d.n.handOver()
		return
	}
	what := string(c.what) + " " + string(c.id)
	d.n.log.Info("changing the members", "change", what)
	r, at := d.n.raft.Load(), raft.ServerAddress(c.id)
	var done raft.IndexFuture
	switch c.what {
	case add:
		done = r.AddNonvoter(c.id, at, 0, 0)
	case promote, addVoter:
		done = r.AddVoter(c.id, at, 0, 0)
	case demote:
		done = r.DemoteVoter(c.id, 0, 0)
	default:
		done = r.RemoveServer(c.id, 0, 0)
	}
	err := d.n.await(done, ctx.Done())
	d.changed = r.LastIndex()
	if err != nil {
		d.n.log.Warn("members not changed", "change", what, "err", err)
	} else if c.what == remove {
		d.n.members.tell(c.id, linkRemoved) // raft does not
	}
}

// judge acts upon digests that differ.
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
	wrong, self := n.members.judge(voters, all)
	if self {
		n.rejoin("its state differs from that of most other servers")
	}
	for _, l := range wrong {
		_ = l.Send(linkDiverged) // a link that breaks is opened again
	}
}
