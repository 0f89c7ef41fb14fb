package consensus

import (
	"context"
	"time"

	"github.com/hashicorp/raft"
)

// timing is what raft, and what stands around it, gives the network. It follows
// the round trips that were seen when raft was started: servers at one place
// notice the loss of a leader's host soon, and those on two continents can have
// one.
type timing struct {
	roundTrip time.Duration // to the slowest voter of those that were there
	// election is for how long a leader may not be heard from before the voters
	// agree to do without it. Its heartbeats come five times as often, and its
	// own lease has ended by then.
	election time.Duration
}

const (
	leastElection = 1500 * time.Millisecond
	// tripsPerElection: a candidate that has no connection yet needs one round
	// trip to connect, one or two for the hello, and one for the vote.
	tripsPerElection = 4
	// measureAtMost is how long a server waits to see how far away the others
	// are.
	measureAtMost = 2 * time.Second
)

// measure waits until the round trip to most of the voters is known, or nobody
// is there.
func (n *Node) measure(ctx context.Context) {
	for end := time.Now().Add(measureAtMost); time.Now().Before(end) && ctx.Err() == nil; n.pause(ctx, 5*time.Millisecond) {
		voters, seen := 0, 0
		for _, m := range n.known() {
			if m.Observer {
				continue
			}
			voters++
			if _, ok := n.net.RoundTrip(m.ID); ok || m.ID == n.cfg.ServerID {
				seen++
			}
		}
		if seen > voters/2 {
			return
		}
	}
}

// setTiming fixes the timing by what has been measured. It gives raft no more
// than half of what the configuration gives a server that hears from no leader.
func (n *Node) setTiming() {
	t := timing{roundTrip: n.roundTrip(), election: leastElection}
	t.election = max(t.election, min(time.Second+tripsPerElection*t.roundTrip, n.cfg.Ensemble.Silence/2))
	if t.election > leastElection {
		n.log.Info("the other servers are far away, elections take longer", "round_trip", t.roundTrip, "election", t.election)
	}
	n.timing.Store(&t)
	n.applicants.slow.Store(int64(2 * tripsPerElection * t.roundTrip))
}

// pace returns the timing that raft was started with.
func (n *Node) pace() *timing {
	if t := n.timing.Load(); t != nil {
		return t
	}
	return &timing{election: leastElection}
}

// roundTrip returns that to the slowest voter of those that were there.
func (n *Node) roundTrip() (slowest time.Duration) {
	for _, m := range n.known() {
		if trip, ok := n.net.RoundTrip(m.ID); ok && !m.Observer {
			slowest = max(slowest, trip)
		}
	}
	return slowest
}

// tune gives raft its timing.
func (t *timing) tune(rc *raft.Config) {
	rc.HeartbeatTimeout, rc.ElectionTimeout = t.election, t.election
	rc.LeaderLeaseTimeout = t.election * 2 / 3
}

// times is a time, or as many round trips if those take longer.
func (t *timing) times(least time.Duration, trips int) time.Duration {
	return max(least, time.Duration(trips)*t.roundTrip)
}
