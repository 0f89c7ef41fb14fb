package peer

import (
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// nudges tell members of a commit at once. Raft itself does so with the next
// entry, or after its CommitTimeout.
type nudges struct {
	t *Transport

	mu     sync.Mutex
	closed bool
	wg     sync.WaitGroup
	peers  map[raft.ServerID]*nudge
	pipes  map[raft.ServerID]*pipeline
}

// nudge is what one peer is to be told.
type nudge struct {
	busy        bool // a goroutine is at it
	term, index uint64
	rest        time.Time // it did not hear the last one: leave it alone until then
}

const (
	// nudgeRest is how long a peer that cannot be reached is left alone.
	nudgeRest = time.Second
	// nudgeAgain is when a peer is told once more that had not got the entry,
	// nudgeLater the longest that this grows to, nudgeTries how often it is
	// done: one that is so far behind learns of the commit in time.
	nudgeAgain = 200 * time.Microsecond
	nudgeLater = 10 * time.Millisecond
	nudgeTries = 50
)

func (n *nudges) init(t *Transport) {
	n.t, n.peers, n.pipes = t, map[raft.ServerID]*nudge{}, map[raft.ServerID]*pipeline{}
}

// Nudge tells the members that the entry with that term and index is
// committed, for a leader in that very term. To raft it is an empty
// AppendEntries like others, so neither its loss nor its delay matters. It does
// not wait. A peer whose entries go through a pipeline has been written to when
// it returns, or will be with the entry itself. For others a goroutine sees to
// it: while such a peer has not answered, only the newest is kept for it, and
// one that has not got the entry itself is told again a little later.
func (t *Transport) Nudge(to []raft.Server, term, index uint64) {
	n := &t.nudges
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return
	}
	for _, s := range to {
		if string(s.ID) == t.stream.id {
			continue
		}
		if pipe := n.pipes[s.ID]; pipe != nil && pipe.tell(term, index) {
			continue
		}
		p := n.peers[s.ID]
		if p == nil {
			p = &nudge{}
			n.peers[s.ID] = p
		}
		p.term, p.index = term, index
		if p.busy || !p.rest.IsZero() && time.Now().Before(p.rest) {
			continue
		}
		p.busy, p.rest = true, time.Time{}
		n.wg.Go(func() { n.tell(s, p) })
	}
	if len(n.peers) > 2*len(to)+8 {
		n.forget(to)
	}
}

// forget drops peers that are members no more; mu is held.
func (n *nudges) forget(members []raft.Server) {
	keep := map[raft.ServerID]bool{}
	for _, s := range members {
		keep[s.ID] = true
	}
	for id, p := range n.peers {
		if !keep[id] && !p.busy {
			delete(n.peers, id)
		}
	}
}

// tell tells a peer what there is to tell it.
func (n *nudges) tell(s raft.Server, p *nudge) {
	n.mu.Lock()
	defer n.mu.Unlock()
	var told uint64
	tries, wait := nudgeTries, nudgeAgain
	for !n.closed && p.index != told {
		req := raft.AppendEntriesRequest{
			RPCHeader: n.t.header(), Term: p.term,
			PrevLogEntry: p.index, PrevLogTerm: p.term, LeaderCommitIndex: p.index,
		}
		told = p.index
		if pipe := n.pipes[s.ID]; pipe != nil && pipe.tell(req.Term, told) {
			continue // it gets there behind the entry
		}
		n.mu.Unlock()
		var resp raft.AppendEntriesResponse
		err := n.t.AppendEntries(s.ID, s.Address, &req, &resp)
		if early := err == nil && !resp.Success && resp.Term <= req.Term; early && tries > 0 {
			// A majority has the entry, this peer is still to get it.
			select {
			case <-n.t.stream.done:
			case <-time.After(wait):
			}
			told, tries, wait = 0, tries-1, min(2*wait, nudgeLater)
		}
		n.mu.Lock()
		if err != nil {
			p.rest = time.Now().Add(nudgeRest)
			break
		}
	}
	p.busy = false
}

// opened has the nudges of a peer go the way of its entries.
func (n *nudges) opened(p *pipeline) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.pipes[p.peer] = p
}

func (n *nudges) ended(p *pipeline) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.pipes[p.peer] == p {
		delete(n.pipes, p.peer)
	}
}

func (n *nudges) close() {
	n.mu.Lock()
	n.closed = true
	n.mu.Unlock()
	n.wg.Wait()
}
