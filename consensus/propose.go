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
	late *time.Timer   // until another group may join those under way
}

// propose is the goroutine that sends what the stream has and, on the leader,
// what the others have sent.
func (n *Node) propose(ctx context.Context) {
	defer n.proposer.Done()
	s := sender{n: n, late: time.NewTimer(0)}
	defer s.late.Stop()
	defer s.hangUp()
	tick := time.NewTicker(n.reportEvery())
	defer tick.Stop()
	for ctx.Err() == nil {
		if now := n.leader(); now != s.to || n.refused.Swap(false) {
			s.to = now
			s.again()
		}
		if !s.sendAll(ctx) {
			s.again()
			n.pause(ctx, redial)
			continue
		}
		select {
		case <-ctx.Done():
		case <-n.stream.wake:
		case <-s.late.C:
		case <-s.down:
			last := s.to
			n.done.Go(func() { n.visit(ctx, last) })
			s.again()
			n.pause(ctx, redial) // it may be about to lose its leadership
		case <-tick.C:
			if s.link != nil && s.report() != nil {
				s.again()
			}
		}
	}
}

// again has everything that is not applied sent anew.
func (s *sender) again() {
	s.hangUp()
	s.n.intake.reset()
	s.n.stream.resend()
}

// sendAll sends what may be sent now. It returns false if the leader could not
// be reached.
func (s *sender) sendAll(ctx context.Context) bool {
	n := s.n
	switch {
	case s.to.id == "":
		return true
	case s.to.id == n.raftID():
		for s.propose() {
		}
		return true
	case s.link == nil && !s.dial(ctx):
		return false
	case n.stream.incarnation.Load() == 0:
		return true
	}
	for b := n.stream.next(maxInFlight); b != nil; b = n.stream.next(maxInFlight) {
		n.stream.entries.Add(1)
		head, requests := n.stream.forward(b)
		if s.link.Send(linkBatch, head, requests) != nil {
			return false
		}
	}
	return true
}

// propose gives raft one group, if there is anything to give and room for it.
// What becomes of it shows when it is applied, or in who leads.
func (s *sender) propose() bool {
	n := s.n
	if ok, in := n.intake.open(); !ok {
		if in > 0 && (n.intake.waits() || n.stream.waits()) {
			s.late.Reset(in)
		}
		return false
	}
	var batches [][]byte
	for _, a := range n.intake.take() {
		batches = append(batches, a.batch)
	}
	if n.stream.incarnation.Load() != 0 {
		if b := n.stream.next(maxInFlight); b != nil {
			batches = append(batches, n.stream.entry(b, n.clock.now()))
		}
	}
	if len(batches) == 0 {
		return false
	}
	entries := pack(batches)
	n.stream.entries.Add(int64(len(entries)))
	n.intake.sent(len(entries))
	r := n.raft.Load()
	given := make([]raft.ApplyFuture, len(entries))
	for i, e := range entries {
		given[i] = r.Apply(e, 0)
		letGo(given[i], n.gone)
	}
	n.unanswered.Add(1)
	go n.follow(given, s.to.term)
	return true
}

// follow sees to it that a group which raft has refused is given to it again:
// it refuses entries for as long as it tries to hand its leadership over.
func (n *Node) follow(group []raft.ApplyFuture, term uint64) {
	defer n.unanswered.Add(-1)
	refused := false
	for _, e := range group {
		refused = e.Error() != nil || refused
	}
	if !refused {
		return
	}
	n.pause(n.life, redial)
	if now, leads := n.leadsNow(); !leads || now != term || n.life.Err() != nil {
		return
	}
	n.members.hangUp() // what peers have sent they send again
	n.refused.Store(true)
	n.stream.signal()
}

func (s *sender) dial(ctx context.Context) bool {
	ctx, cancel := s.whileItLeads(ctx)
	link, err := s.n.net.Dial(ctx, string(s.to.id))
	cancel()
	if err != nil {
		s.n.log.Debug("the leader cannot be reached", "leader", s.to.id, "err", err)
		return false
	}
	down := make(chan struct{})
	s.link, s.down = link, down
	s.n.uplink.Store(link)
	s.n.done.Go(func() {
		defer close(down)
		s.n.heedLeader(link)
	})
	return s.report() == nil
}

// whileItLeads returns a context that ends when somebody else leads: a leader
// that is cut off may keep who dials it waiting for long.
func (s *sender) whileItLeads(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	n, to := s.n, s.to
	n.done.Go(func() {
		defer cancel()
		for ctx.Err() == nil && n.leader() == to {
			n.pause(ctx, redial)
		}
	})
	return ctx, cancel
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
	wall func() time.Time // nil is the machine's

	mu   sync.Mutex
	last int64
}

func (c *clock) now() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = max(c.last, c.read().UnixMilli())
	return c.last
}

// read returns what the clock shows, which may go back.
func (c *clock) read() time.Time {
	if c.wall == nil {
		return time.Now()
	}
	return c.wall()
}
