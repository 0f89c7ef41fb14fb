package consensus

import (
	"context"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"zkd/consensus/peer"
)

// leader is who leads, "" if nobody is known to, and in which term. What was
// given to one leader must be given again to the next.
type leader struct {
	id   raft.ServerID
	term uint64
}

func (n *Node) leader() leader {
	r := n.raft.Load()
	if r == nil {
		return leader{}
	}
	_, id := r.LeaderWithID()
	return leader{id, r.CurrentTerm()}
}

// redial is the pause after an attempt to reach the leader that failed.
const redial = 20 * time.Millisecond

// sender takes the batches of this server to whoever leads: into its own log,
// or over a link. It belongs to the goroutine of propose.
type sender struct {
	n    *Node
	to   leader
	link *peer.Link
	down chan struct{} // closed when link is
}

// propose is the goroutine that sends what the stream has.
func (n *Node) propose(ctx context.Context) {
	defer n.proposer.Done()
	s := sender{n: n}
	defer s.hangUp()
	report := n.reportTicker()
	defer report.Stop()
	for ctx.Err() == nil {
		if now := n.leader(); now != s.to {
			s.hangUp()
			s.to = now
			n.stream.resend()
		}
		if !s.sendAll(ctx) {
			s.hangUp()
			n.stream.resend()
			n.pause(ctx, redial)
			continue
		}
		select {
		case <-ctx.Done():
		case <-n.stream.wake:
		case <-s.down:
			s.hangUp()
			n.stream.resend()
			n.pause(ctx, redial) // it may be about to lose its leadership
		case <-report.C:
			if s.link != nil && s.report() != nil {
				s.hangUp()
				n.stream.resend()
			}
		}
	}
}

// sendAll sends what may be sent now. It returns false if the leader could not
// be reached.
func (s *sender) sendAll(ctx context.Context) bool {
	n := s.n
	here, open := s.to.id == n.raftID(), n.stream.incarnation.Load() != 0
	switch {
	case s.to.id == "":
		return true
	case !here && s.link == nil && !s.dial(ctx):
		return false
	case !open:
		return true
	case here:
		for b := n.stream.next(maxInFlight); b != nil; b = n.stream.next(maxInFlight) {
			n.stream.entries.Add(1)
			// What becomes of it shows when it is applied, or in who leads.
			n.raft.Load().Apply(n.stream.entry(b, n.clock.now()), 0)
		}
		return true
	}
	for b := n.stream.next(maxInFlightRemote); b != nil; b = n.stream.next(maxInFlightRemote) {
		n.stream.entries.Add(1)
		head, requests := n.stream.forward(b)
		if s.link.Send(linkBatch, head, requests) != nil {
			return false
		}
	}
	return true
}

func (s *sender) dial(ctx context.Context) bool {
	link, err := s.n.net.Dial(ctx, string(s.to.id))
	if err != nil {
		s.n.log.Debug("the leader cannot be reached", "leader", s.to.id, "err", err)
		return false
	}
	down := make(chan struct{})
	s.link, s.down = link, down
	s.n.done.Go(func() {
		defer close(down)
		s.n.heedLeader(link)
	})
	return s.report() == nil
}

func (s *sender) hangUp() {
	if s.link == nil {
		return
	}
	_ = s.link.Close() // what it carried is sent again
	s.link, s.down = nil, nil
}

func (n *Node) pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// clock gives the time that goes into batches: that of the leader, and never
// earlier than what this server gave before.
type clock struct {
	mu   sync.Mutex
	last int64
}

func (c *clock) now() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = max(c.last, time.Now().UnixMilli())
	return c.last
}
