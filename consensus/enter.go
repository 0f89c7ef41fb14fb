package consensus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/hashicorp/raft"

	"zkd/consensus/peer"
	"zkd/internal/mutant"
)

// Queries between servers, each answered by JSON.
const (
	queryStatus = 1 // who are you: Status
	queryProbe  = 2 // do you belong to a cluster: probeAnswer
	queryJoin   = 3 // take me in, under the raft id of my hello: joinAnswer
	// queryMembers is for Ensemble.Administer, which knows the answer's form.
	queryMembers = 4
)

// probeAnswer is what a server says of itself to one that has no state yet.
type probeAnswer struct {
	ServerID uint64        `json:"server_id"`
	Cluster  clusterID     `json:"cluster"`
	RaftID   raft.ServerID `json:"raft_id"`
	// Blank is a server without state that may help to form an ensemble, be it
	// that it has just begun to.
	Blank  bool          `json:"blank"`
	Leader raft.ServerID `json:"leader"`
	// Members, if the state has a list of its own already.
	Members []peer.Member `json:"members,omitempty"`
	// Listed is the list of its zoo.cfg while the state has none, Reached who has
	// answered it.
	Listed  []peer.Member `json:"listed,omitempty"`
	Reached []uint64      `json:"reached,omitempty"`
	// Last is the last entry of its log.
	Last uint64 `json:"last"`
	// Term is the highest one that it knows of.
	Term uint64 `json:"term"`
	// Leads and Raft are raft's own view: who is in it. Only that of a leader
	// counts.
	Leads bool            `json:"leads"`
	Raft  []raft.ServerID `json:"raft,omitempty"`
	// File is the server's Ensemble.File.
	File string `json:"file,omitempty"`
	// Seen are the servers that a blank one has seen to have data.
	Seen []uint64 `json:"seen,omitempty"`
}

type joinAnswer struct {
	Reason string `json:"reason"` // why not yet
	Taken  bool   `json:"taken"`  // is a member now
}

const (
	// complainEvery is how often a server that waits says for what.
	complainEvery = 10 * time.Second
	// foundingGrace is how long servers that could form an ensemble wait for
	// the rest of the list, so that those which are started together form it
	// together.
	foundingGrace = 500 * time.Millisecond
)

// enter takes a server without state into an ensemble: into the one that
// there is, or, together with a majority of servers as blank as itself, into
// the one that they form. It returns when raft has been started.
func (n *Node) enter(ctx context.Context) error {
	complaint := complaint{at: time.Now().Add(2*time.Second - complainEvery)} // as a rule it does not take long
	var enough time.Time                                                      // since when they could form one
	for {
		answers := n.census.answers()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if home := n.home(answers); home != nil {
			return n.join(ctx, home)
		}
		missing, may := n.missing(answers)
		switch {
		case !may:
			enough = time.Time{}
			complaint.say(n, "waiting for servers that this one can form an ensemble with, or whose it can join", "missing", n.absences(missing), "listed", n.listedText())
		case enough.IsZero():
			enough = time.Now()
		}
		if may && (len(missing) == 0 || time.Since(enough) >= foundingGrace+2*n.roundTrip()) {
			return n.form()
		}
		select {
		case <-ctx.Done():
		case <-n.census.news:
		case <-time.After(askEvery):
		}
	}
}

// complaint logs at intervals.
type complaint struct{ at time.Time }

func (c *complaint) say(n *Node, text string, args ...any) {
	if time.Since(c.at) > complainEvery {
		n.log.Info(text, args...)
		c.at = time.Now()
	}
}

// belongs tells whether a server has something of a cluster. One whose state was
// set aside knows where it belonged, and is no proof that there is anything left.
func (a *probeAnswer) belongs() bool { return a.Cluster.known() && a.Last > 0 }

// home returns the answer of a server of the cluster to join, nil if nobody
// who answered belongs to one.
func (n *Node) home(answers map[uint64]probeAnswer) *probeAnswer {
	var found *probeAnswer
	own := n.who().Cluster
	for _, server := range slices.Sorted(maps.Keys(answers)) {
		a := answers[server]
		if !a.belongs() || own.known() && a.Cluster != own {
			continue
		}
		if found == nil || a.Leads {
			found = &a
		}
	}
	return found
}

// missing returns the voters that are not there to form an ensemble, and whether
// the others may form it without them. They may not if one of them has data:
// theirs is the ensemble to come into, also when only another blank server has
// seen it.
func (n *Node) missing(answers map[uint64]probeAnswer) (missing []uint64, may bool) {
	voters, blank := 0, 0
	data := n.withData(answers)
	var self, full bool
	for _, m := range n.cfg.Ensemble.Members {
		full = full || slices.Contains(data, m.ID)
		if m.Observer {
			continue
		}
		voters++
		a, there := answers[m.ID]
		switch {
		case m.ID == n.cfg.ServerID:
			self = true
			blank++
		case there && a.Blank:
			blank++
		default:
			missing = append(missing, m.ID)
		}
	}
	may = self && !n.who().Cluster.known() && blank > voters/2 && !full
	if !may && len(missing) == 0 {
		missing = []uint64{n.cfg.ServerID} // all are there, and none may form one
		if full {
			missing = data
		}
	}
	return missing, may
}

// withData returns the servers that were seen to have data, by this server or by
// one that answers.
func (n *Node) withData(answers map[uint64]probeAnswer) (servers []uint64) {
	for server := range n.census.clusters() {
		servers = append(servers, server)
	}
	for server, a := range answers {
		if !a.Blank {
			servers = append(servers, server)
		}
		for _, other := range a.Seen {
			if other != n.cfg.ServerID {
				servers = append(servers, other)
			}
		}
	}
	slices.Sort(servers)
	return slices.Compact(servers)
}

// form starts raft on the list of voters that zoo.cfg has on all servers alike.
//
// One of the others may have begun already, with this server as it was before it
// lost its disk: it then had a vote in each term that the other has seen, and is
// not to have another. So it begins above all terms that it was ever told of, be
// it that who told them does not answer now.
func (n *Node) form() error {
	var members raft.Configuration
	for _, m := range n.cfg.Ensemble.Members {
		if !m.Observer {
			id := firstID(m.ID)
			members.Servers = append(members.Servers, raft.Server{ID: id, Address: raft.ServerAddress(id)})
		}
	}
	n.log.Info("forming an ensemble", "voters", len(members.Servers))
	if err := n.become(func(id *identity) { id.RaftID = firstID(n.cfg.ServerID) }); err != nil {
		return err
	}
	return n.startRaft(&founding{members, n.census.term()})
}

// join starts raft under a new identity and asks the leader of a cluster to
// take it in, until it has. The old one, if this server had any, was taken from
// it for good: what it had acknowledged is gone.
//
// A server that was blank learns from the log to which cluster it belongs
// (belongsTo), so until it has something of it, it stands up for none.
func (n *Node) join(ctx context.Context, home *probeAnswer) error {
	raftID := laterID(n.cfg.ServerID)
	n.log.Info("joining an ensemble", "cluster", home.Cluster, "as", raftID)
	if err := n.become(func(id *identity) { id.RaftID = raftID }); err != nil {
		return err
	}
	n.meet(home.Members)
	if err := n.startRaft(nil); err != nil {
		return err
	}
	n.newcomer.Store(true)
	n.done.Go(func() {
		n.begIn(ctx, home.Cluster, raftID)
		n.newcomer.Store(false)
	})
	return nil
}

// begIn asks to be taken in until raft has told so by itself. Where nothing is
// left of the cluster, this server is as blank as before, and begins again.
func (n *Node) begIn(ctx context.Context, cluster clusterID, raftID raft.ServerID) {
	complaint := complaint{time.Now()} // as a rule it does not take long
	for ctx.Err() == nil {
		if n.listed(raftID) {
			return
		}
		reason := "no leader answers: " + n.absences(n.others())
		answers := n.census.answers()
		if n.vanished(cluster, answers) {
			n.rejoin(fmt.Sprintf("nobody has anything left of cluster %s, which this server was to join", cluster))
			return
		}
		for _, a := range answers {
			if a.Cluster != cluster {
				continue
			}
			n.meet(a.Members) // the leader may be where its own zoo.cfg does not have it
			if !a.Leads {
				continue
			}
			var answer joinAnswer
			if err := n.askJoin(ctx, a.ServerID, &answer); err != nil {
				reason = err.Error()
			} else if reason = answer.Reason; answer.Taken {
				reason = "taken in, waiting for the log"
			}
		}
		complaint.say(n, "waiting to be taken in", "as", raftID, "why", reason, "listed", n.listedText())
		select {
		case <-ctx.Done():
		case <-n.census.news:
		case <-time.After(askEvery):
		}
	}
}

// vanished tells whether all others answer, and none has anything of a cluster
// of which this server has nothing either. One that does not answer may have it.
func (n *Node) vanished(cluster clusterID, answers map[uint64]probeAnswer) bool {
	if n.raft.Load().LastIndex() > 0 || mutant.Is(mutant.Vanished) {
		return false
	}
	for _, server := range n.others() {
		if a, there := answers[server]; !there || a.belongs() && a.Cluster == cluster {
			return false
		}
	}
	return true
}

// askJoin has no more patience than it takes: another server may lead by now.
func (n *Node) askJoin(ctx context.Context, server uint64, answer *joinAnswer) error {
	ctx, cancel := context.WithTimeout(ctx, n.pace().brief())
	defer cancel()
	return n.ask(ctx, server, queryJoin, answer)
}

// Answer implements peer.Handler.
func (n *Node) Answer(from peer.Identity, kind byte, body []byte) ([]byte, error) {
	switch kind {
	case queryStatus:
		return json.Marshal(n.Status())
	case queryProbe:
		if server, ok := peer.AnyServerOf(from.RaftID); ok {
			n.census.knock(server)
		}
		return json.Marshal(n.probed())
	case queryJoin:
		return json.Marshal(n.asked(raft.ServerID(from.RaftID)))
	case queryMembers:
		return n.administer(body)
	}
	return nil, errors.New("unknown query")
}

// Accept implements peer.Handler.
func (n *Node) Accept(l *peer.Link) { n.serveLink(l) }

func (n *Node) probed() probeAnswer {
	id := n.who()
	a := probeAnswer{ServerID: n.cfg.ServerID, Cluster: id.Cluster, RaftID: id.RaftID, Blank: !id.Cluster.known(), Leader: n.leaderHeard(), File: n.cfg.Ensemble.File}
	if m := n.fsm.membership(); m != nil {
		a.Members = m.Current
		if m.Wanted != nil {
			a.Members = m.Wanted
		}
	} else {
		a.Listed, a.Reached = n.cfg.Ensemble.Members, n.reached()
	}
	if a.Blank {
		a.Seen = slices.Sorted(maps.Keys(n.census.clusters()))
	}
	if n.raft.Load() != nil {
		_, a.Leads = n.leadsNow()
		a.Term = n.raft.Load().CurrentTerm()
		a.Last = n.raft.Load().LastIndex()
		for _, s := range n.configuration().Servers {
			a.Raft = append(a.Raft, s.ID)
		}
		// A server that was alone has data, even where its cluster has no name.
		a.Blank = a.Blank && !n.unnamed && len(a.Raft) != 1
	}
	return a
}

// suspect finds out whether the others have gone on without this server: who
// was removed is not told by raft, it only hears no more.
func (n *Node) suspect(ctx context.Context) {
	tick := time.NewTicker(orphanEvery)
	defer tick.Stop()
	var waits complaint
	var since time.Time // when the leader was lost
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if n.leader().id != "" || n.newcomer.Load() {
			since = time.Time{}
			continue
		}
		if since.IsZero() {
			since = time.Now()
			waits.at = since
		}
		n.waits(&waits, since)
		// Asked now: an answer from before this server was taken in is about
		// another one, and so is that of a leader who has been replaced.
		own := n.raftID()
		for _, a := range n.probeAll(ctx, n.pace().brief()) {
			if a.Leads && a.Cluster == n.who().Cluster && a.Term >= n.raft.Load().CurrentTerm() && !slices.Contains(a.Raft, own) {
				n.rejoin(fmt.Sprintf("%s as %s: that has %v now", removed, own, a.Raft))
				return
			}
		}
	}
}

// lostForGood is how long a majority may stay away before the log says what to do
// if it does so for ever.
const lostForGood = 2 * time.Minute

// waits says for whom a server without a leader waits.
func (n *Node) waits(c *complaint, since time.Time) {
	away := time.Since(since).Round(time.Second)
	text := "no leader, waiting for a majority of the servers"
	if away >= lostForGood {
		text += "; if it is lost for good, stop this server and run zkd recover, which makes a cluster of its data alone"
	}
	c.say(n, text, "for", away, "servers", n.absences(n.others()))
}
