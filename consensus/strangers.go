package consensus

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"zkd/consensus/peer"
	"zkd/internal/mutant"
)

// Servers of one list may belong to two clusters: most of them formed one on
// empty disks, and then came the one that has the data. Nothing that servers do
// by themselves can put that right, so they see to it that nobody is served by
// both, and say so until somebody has.

// Stranger is a server of the list that belongs to another cluster.
type Stranger struct {
	ServerID uint64 `json:"server_id"`
	Cluster  string `json:"cluster"` // hex
}

// strangers returns the servers of the list that were seen to belong to another
// cluster. Who does not answer any more may come back as it was.
func (n *Node) strangers() (all []Stranger) {
	own := n.who().Cluster
	if n.net == nil || !own.known() {
		return nil
	}
	clusters := n.census.clusters()
	for _, server := range slices.Sorted(maps.Keys(clusters)) {
		if clusters[server] != own {
			all = append(all, Stranger{server, clusters[server].String()})
		}
	}
	return all
}

// alone tells whether zoo.cfg has a list of several voters, and the log of this
// server itself alone: it was a cluster of its own. One that was made so by a
// recovery has another raft id, and was chosen by an operator.
func (n *Node) alone() bool {
	if n.net == nil || n.raft.Load() == nil || n.raftID() != firstID(n.cfg.ServerID) {
		return false
	}
	listed := 0
	for _, m := range n.cfg.Ensemble.Members {
		if !m.Observer {
			listed++
		}
	}
	voters := voters(n.configuration().Servers)
	return listed > 1 && len(voters) == 1 && voters[0] == n.raftID()
}

// standsBack tells whether this server must not serve clients: it was a cluster
// of its own, and others of its zoo.cfg belong to another one.
func (n *Node) standsBack() bool {
	return n.alone() && !mutant.Is(mutant.StandBack) && slices.ContainsFunc(n.strangers(), func(s Stranger) bool {
		return slices.ContainsFunc(n.cfg.Ensemble.Members, func(m peer.Member) bool { return m.ID == s.ServerID })
	})
}

// lookAroundAtMost is how long a server that was a cluster of its own waits to
// hear from each of the others before it serves.
const lookAroundAtMost = 3 * time.Second

// unopposed returns when this server may serve clients as far as the others of
// its list are concerned.
func (n *Node) unopposed(ctx context.Context) error {
	limit := time.Now().Add(lookAroundAtMost)
	for n.alone() && (n.standsBack() || !n.lookedAround() && time.Now().Before(limit)) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("consensus: servers of the list belong to another cluster: %w", ctx.Err())
		case <-time.After(10 * time.Millisecond):
		}
	}
	return nil
}

// lookedAround tells whether all others were asked once.
func (n *Node) lookedAround() bool {
	return !slices.ContainsFunc(n.others(), func(server uint64) bool { return n.census.seen(server).at.IsZero() })
}

// beware says again and again that there are two clusters under one list.
func (n *Node) beware(ctx context.Context) {
	for ctx.Err() == nil {
		if strangers := n.strangers(); len(strangers) > 0 {
			var servers []string
			for _, s := range strangers {
				servers = append(servers, strconv.FormatUint(s.ServerID, 10)+": cluster "+s.Cluster)
			}
			args := []any{"cluster", n.who().Cluster, "servers", strings.Join(servers, "; "),
				"do", "keep the data of one cluster: stop the servers of the other, move their data directories away, start them again"}
			if n.standsBack() {
				n.log.Error("servers of the list belong to another cluster than the data of this one, which serves no clients", args...)
			} else {
				n.log.Error("servers of the list belong to another cluster and are no part of this ensemble", args...)
			}
			n.pause(ctx, complainEvery)
			continue
		}
		n.pause(ctx, askEvery)
	}
}
