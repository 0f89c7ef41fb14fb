package consensus

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/raft"

	"zkd/consensus/peer"
	"zkd/internal/mutant"
)

// The first leader of an ensemble takes in the listed voters that are there
// before clients are served: two of three may have formed it, and from the first
// client on any one of those that run can be spared. Then it gives the state its
// list of members, for which all servers wait.

// gathering tells whether this server leads an ensemble whose state has no list
// yet.
func (n *Node) gathering() bool {
	e := n.cfg.Ensemble
	_, leads := n.leadsNow()
	return leads && e != nil && e.Founded != nil && n.fsm.membership() == nil
}

// gathered returns when the state has a list of members.
func (n *Node) gathered(ctx context.Context) error {
	e := n.cfg.Ensemble
	for e != nil && e.Founded != nil && n.fsm.membership() == nil {
		select {
		case <-ctx.Done():
			return fmt.Errorf("consensus: wait for the first list of members: %w", ctx.Err())
		case <-time.After(5 * time.Millisecond):
		}
	}
	return nil
}

// gather is the driver's step while there is no list but that of zoo.cfg.
func (d *driver) gather(ctx context.Context, servers []raft.Server) {
	if !d.n.gathering() || d.n.standsBack() {
		return
	}
	want := d.n.cfg.Ensemble.Members
	if c := d.takeIn(servers, want); c.what != nothing {
		d.make(ctx, c)
		return
	}
	if late := d.late(servers, want); len(late) > 0 && !d.goesOnWithout(late) {
		return
	}
	if time.Since(d.told) > tellEvery {
		d.told = time.Now()
		d.n.cfg.Ensemble.Founded()
	}
}

// goesOnWithout tells whether those who are late have had their time, and says so
// once.
func (d *driver) goesOnWithout(late []uint64) bool {
	patience := d.n.patience()
	if time.Since(d.began) < patience {
		return false
	}
	if !d.warned {
		d.warned = true
		d.n.log.Warn("serving without servers that are there and do not become members", "servers", late, "waited", patience)
	}
	return true
}

// late returns the listed voters that are there and do not have their votes yet,
// or do not know of all votes. Nobody waits for those that do not answer.
func (d *driver) late(servers []raft.Server, want []peer.Member) (late []uint64) {
	if len(voters(servers)) == 1 || mutant.Is(mutant.FirstClients) {
		return nil // it was alone before, and served
	}
	for _, m := range want {
		if m.Observer || m.ID == d.n.cfg.ServerID {
			continue
		}
		s, seen := incarnationOf(servers, m.ID), d.n.census.seen(m.ID)
		switch a := seen.answer; {
		case a != nil && s != nil && s.Suffrage == raft.Voter && s.ID == a.RaftID && a.Last >= d.changed:
		case a == nil && (seen.at.After(d.began) || time.Since(d.began) > foundingGrace):
		default:
			late = append(late, m.ID)
		}
	}
	return late
}
