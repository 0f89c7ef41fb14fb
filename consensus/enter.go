package consensus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"zkd/consensus/peer"
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
	// Last is the last entry of its log.
	Last uint64 `json:"last"`
	// Leads, Index and Raft are raft's own view: who is in it as of which
	// entry. Only that of a leader counts.
	Leads bool            `json:"leads"`
	Index uint64          `json:"index"`
	Raft  []raft.ServerID `json:"raft,omitempty"`
	// File is the server's Ensemble.File.
	File string `json:"file,omitempty"`
}

type joinAnswer struct {
	Reason string `json:"reason"` // why not yet
	Taken  bool   `json:"taken"`  // is a member now
}

const (
	askEvery   = 200 * time.Millisecond
	askTimeout = time.Second
	// complainEvery is how often a server that waits says for what.
	complainEvery = 10 * time.Second
)

// enter takes a server without state into an ensemble: into the one that
// there is, or, together with a majority of servers as blank as itself, into
// the one that they form. It returns when raft has been started.
func (n *Node) enter(ctx context.Context) error {
	var complaint complaint
	for {
		answers := n.probeAll(ctx, askTimeout)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if home := n.home(answers); home != nil {
			return n.join(ctx, home)
		}
		if missing := n.missing(answers); len(missing) > 0 {
			complaint.say(n, "waiting for servers that this one can form an ensemble with, or whose it can join", "missing", missing)
			n.pause(ctx, askEvery)
			continue
		}
		return n.form()
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

// probeAll asks every server that is known of, and has the answers that come
// in time.
func (n *Node) probeAll(ctx context.Context, patience time.Duration) map[uint64]probeAnswer {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var mu sync.Mutex
	var wg sync.WaitGroup
	answers := map[uint64]probeAnswer{}
	for _, m := range n.known() {
		if m.ID == n.cfg.ServerID {
			continue
		}
		wg.Go(func() {
			var a probeAnswer
			if err := n.ask(ctx, m.ID, queryProbe, &a); err != nil {
				n.log.Debug("no answer", "server", m.ID, "err", err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			answers[m.ID] = a
		})
	}
	wg.Wait()
	return answers
}

// ask sends a query and reads its answer.
func (n *Node) ask(ctx context.Context, server uint64, kind byte, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	b, _, err := n.net.Query(ctx, server, kind, nil)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, answer); err != nil {
		return fmt.Errorf("consensus: answer of server %d: %w", server, err)
	}
	return nil
}

// home returns the answer of a server of the cluster to join, nil if nobody
// who answered belongs to one.
func (n *Node) home(answers map[uint64]probeAnswer) *probeAnswer {
	var found *probeAnswer
	own := n.who().Cluster
	for _, server := range slices.Sorted(maps.Keys(answers)) {
		a := answers[server]
		if !a.Cluster.known() || own.known() && a.Cluster != own {
			continue
		}
		if found == nil || a.Leads {
			found = &a
		}
	}
	return found
}

// missing returns the voters that are still needed to form an ensemble.
func (n *Node) missing(answers map[uint64]probeAnswer) (missing []uint64) {
	voters, blank := 0, 0
	var self bool
	for _, m := range n.cfg.Ensemble.Members {
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
	mayForm := self && !n.who().Cluster.known()
	if mayForm && blank > voters/2 {
		return nil
	}
	if len(missing) == 0 {
		missing = []uint64{n.cfg.ServerID} // all are there, and none may form one
	}
	return missing
}

// form starts raft on the list of voters that zoo.cfg has on all servers alike.
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
	return n.startRaft(&members)
}

// join starts raft under a new identity and asks the leader of a cluster to
// take it in, until it has. The old one, if this server had any, was taken from
// it for good: what it had acknowledged is gone.
func (n *Node) join(ctx context.Context, home *probeAnswer) error {
	raftID := laterID(n.cfg.ServerID)
	n.log.Info("joining an ensemble", "cluster", home.Cluster, "as", raftID)
	if err := n.become(func(id *identity) { id.Cluster, id.RaftID = home.Cluster, raftID }); err != nil {
		return err
	}
	n.meet(home.Members)
	if err := n.startRaft(nil); err != nil {
		return err
	}
	n.newcomer.Store(true)
	n.done.Go(func() {
		n.begIn(ctx, raftID)
		n.newcomer.Store(false)
	})
	return nil
}

// begIn asks to be taken in until raft has told so by itself.
func (n *Node) begIn(ctx context.Context, raftID raft.ServerID) {
	complaint := complaint{time.Now()} // as a rule it does not take long
	for ctx.Err() == nil {
		if n.listed(raftID) {
			return
		}
		reason := "no leader answers"
		for _, a := range n.probeAll(ctx, askTimeout) {
			if !a.Leads || a.Cluster != n.who().Cluster {
				continue
			}
			n.meet(a.Members)
			var answer joinAnswer
			if err := n.ask(ctx, a.ServerID, queryJoin, &answer); err != nil {
				reason = err.Error()
			} else if reason = answer.Reason; answer.Taken {
				reason = "taken in, waiting for the log"
			}
		}
		complaint.say(n, "waiting to be taken in", "as", raftID, "why", reason)
		n.pause(ctx, askEvery)
	}
}

// Answer implements peer.Handler.
func (n *Node) Answer(from peer.Identity, kind byte, body []byte) ([]byte, error) {
	switch kind {
	case queryStatus:
		return json.Marshal(n.Status())
	case queryProbe:
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
	a := probeAnswer{ServerID: n.cfg.ServerID, Cluster: id.Cluster, RaftID: id.RaftID, Blank: !id.Cluster.known(), Leader: n.leaderHeard()}
	if e := n.cfg.Ensemble; e != nil {
		a.File = e.File
	}
	if m := n.fsm.membership(); m != nil {
		a.Members = m.Current
		if m.Wanted != nil {
			a.Members = m.Wanted
		}
	}
	if n.raft.Load() != nil {
		_, a.Leads = n.leadsNow()
		a.Last = n.raft.Load().LastIndex()
		conf := n.raft.Load().GetConfiguration()
		a.Index = conf.Index()
		for _, s := range conf.Configuration().Servers {
			a.Raft = append(a.Raft, s.ID)
		}
		// A server that was alone has data, even where its cluster has no name.
		a.Blank = a.Blank && !n.unnamed && len(a.Raft) != 1
	}
	return a
}

// removedEvery is how often a server without a leader asks whether it still
// belongs to the ensemble.
const removedEvery = 2 * time.Second

// suspect finds out whether the others have gone on without this server: who
// was removed is not told by raft, it only hears no more.
func (n *Node) suspect(ctx context.Context) {
	tick := time.NewTicker(removedEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		own := n.raftID()
		if n.leader().id != "" || n.newcomer.Load() {
			continue
		}
		for _, a := range n.probeAll(ctx, askTimeout) {
			if a.Leads && a.Cluster == n.who().Cluster && a.Index >= n.configurationIndex() && !slices.Contains(a.Raft, own) {
				n.rejoin(fmt.Sprintf("the ensemble has gone on without %s; it has %v now", own, a.Raft))
				return
			}
		}
	}
}
