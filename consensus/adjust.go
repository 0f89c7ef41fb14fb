package consensus

import (
	"time"

	"github.com/hashicorp/raft"

	"zkd/consensus/peer"
	"zkd/internal/mutant"
)

// What this file has is how the driver changes the part of those who are in
// raft. As in ZooKeeper a reconfiguration is made when a majority of the voters
// that it wants is in contact; here these must have their vote and the log as
// well. Who of the others is to vote comes into raft when it is there, and votes
// when it has caught up, also long after the reconfiguration.

// tally is what the voters of a list can do.
type tally struct {
	voters int // of the list
	voting int // of them, have a vote in raft, are in contact and have caught up
	coming int // of them, are in contact, and have no vote yet or nothing to use it on
}

// decides tells whether the list could decide by those who can confirm entries now.
func (t tally) decides() bool { return t.voting > t.voters/2 || mutant.Is(mutant.NewQuorum) }

// mayDecide tells whether it is worth waiting for those who are coming.
func (t tally) mayDecide() bool { return t.coming > 0 && t.voting+t.coming > t.voters/2 }

func (d *driver) count(servers []raft.Server, want []peer.Member) (t tally) {
	asking := d.n.applicants.current(time.Now())
	for _, m := range want {
		if m.Observer {
			continue
		}
		t.voters++
		s := incarnationOf(servers, m.ID)
		switch {
		case s == nil:
			if _, asks := asking[m.ID]; asks {
				t.coming++
			}
		case !d.there(s.ID):
		case s.Suffrage == raft.Voter && (d.upToDate(s.ID) || mutant.Is(mutant.UpToDate)):
			t.voting++
		default:
			t.coming++
		}
	}
	return t
}

// holds tells whether the reconfiguration under way has to wait before anybody
// loses a vote by it: until the voters that it wants can decide, and a while
// for those of them that are about to.
func (d *driver) holds(servers []raft.Server, want []peer.Member) bool {
	t := d.count(servers, want)
	return !t.decides() || t.coming > 0 && !d.patience.waited()
}

// reached tells whether the reconfiguration under way is made: nobody else
// votes, and of the voters that it wants a majority does and is up to date.
func (d *driver) reached(servers []raft.Server, want []peer.Member) bool {
	for _, s := range servers {
		if m := memberOf(want, s.ID); s.Suffrage == raft.Voter && (m == nil || m.Observer) {
			return false
		}
	}
	return !d.holds(servers, want)
}

// adjust changes the part of one who is in raft: promotions first, then
// demotions, then removals, and the leader itself last of all.
func (d *driver) adjust(servers []raft.Server, want []peer.Member) change {
	for _, s := range servers {
		if m := memberOf(want, s.ID); m != nil && !m.Observer && s.Suffrage != raft.Voter && d.upToDate(s.ID) {
			return change{promote, s.ID}
		}
	}
	if d.version != 0 && d.holds(servers, want) {
		return change{}
	}
	own := change{}
	for _, s := range servers {
		what := d.less(s, memberOf(want, s.ID))
		switch {
		case what == nothing || s.Suffrage == raft.Voter && !d.majorityWithout(servers, s.ID):
		case what == handOver:
			own = change{what, s.ID}
		default:
			return change{what, s.ID}
		}
	}
	return own
}

// less tells what one who is in raft has too much of: m is what the list has
// of it, nil for nothing.
func (d *driver) less(s raft.Server, m *peer.Member) action {
	votes := s.Suffrage == raft.Voter
	switch {
	case m != nil:
		delete(d.guests, s.ID)
		if !votes || !m.Observer {
			return nothing
		}
	case !votes && d.version != 0:
		// It is to get word of the end of the reconfiguration: its client may
		// have asked for it.
		d.leaving[s.ID] = true
		return nothing
	case !votes && (d.leaving[s.ID] || d.overstayed(s.ID)):
		return remove
	case !votes:
		return nothing
	}
	if s.ID == d.n.raftID() {
		return handOver
	}
	return demote
}
