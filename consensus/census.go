package consensus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"zkd/consensus/peer"
)

// census is what a server has last heard from each of the others that it knows
// of. One goroutine keeps it (takeCensus); a peer that is slow to answer holds up
// nobody but itself.
type census struct {
	mu    sync.Mutex
	peers map[uint64]*sighting // by server id
	// news has something in it when an answer has come in, or none. Who waits for
	// it is the goroutine that takes this server in or, on a leader, the driver.
	news chan struct{}
	// now has something in it when a peer is to be asked at once.
	now chan struct{}
}

// sighting is the outcome of the last attempt to ask a peer.
type sighting struct {
	answer *probeAnswer // nil if there was none
	err    error        // why
	at     time.Time    // of the outcome; zero before the first
	asking bool
	due    bool      // is to be asked at once
	data   clusterID // that it was last seen to belong to
	term   uint64    // the highest that it has told
}

func (c *census) init() { c.news, c.now = make(chan struct{}, 1), make(chan struct{}, 1) }

func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (c *census) ofLocked(server uint64) *sighting {
	s := c.peers[server]
	if s == nil {
		if c.peers == nil {
			c.peers = map[uint64]*sighting{}
		}
		s = &sighting{}
		c.peers[server] = s
	}
	return s
}

// begin tells whether a peer is to be asked now, as it was last asked every so
// long ago, and notes that it is.
func (c *census) begin(server uint64, every time.Duration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.ofLocked(server)
	if s.asking || !s.due && !s.at.IsZero() && time.Since(s.at) < every {
		return false
	}
	s.asking, s.due = true, false
	return true
}

// note takes the outcome of an attempt.
func (c *census) note(server uint64, answer *probeAnswer, err error) {
	c.mu.Lock()
	s := c.ofLocked(server)
	s.asking, s.answer, s.err, s.at = false, answer, err, time.Now()
	var r *peer.Refusal
	switch {
	case answer != nil:
		s.data, s.term = answer.Cluster, max(s.term, answer.Term)
	case errors.As(err, &r) && r.Reason == peer.WrongCluster:
		s.data = clusterID(r.By.Cluster)
	}
	due := s.due
	c.mu.Unlock()
	notify(c.news)
	if due {
		notify(c.now)
	}
}

// hurry has a peer asked at once, if it is one of those that are asked.
func (c *census) hurry(server uint64) {
	c.mu.Lock()
	s := c.peers[server]
	if s != nil {
		s.due = true
	}
	c.mu.Unlock()
	if s != nil {
		notify(c.now)
	}
}

// retain forgets all but some servers.
func (c *census) retain(servers []uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.peers, func(server uint64, _ *sighting) bool { return !slices.Contains(servers, server) })
}

// knock is called when a peer asks this server: one that did not answer is there
// now.
func (c *census) knock(server uint64) {
	c.mu.Lock()
	s := c.peers[server]
	silent := s != nil && s.answer == nil
	c.mu.Unlock()
	if silent {
		c.hurry(server)
	}
}

// seen returns the outcome of the last attempt to ask a peer.
func (c *census) seen(server uint64) sighting {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.peers[server]; s != nil {
		return *s
	}
	return sighting{}
}

// answers returns what was answered by those who did, the last time that they
// were asked.
func (c *census) answers() map[uint64]probeAnswer {
	c.mu.Lock()
	defer c.mu.Unlock()
	answers := map[uint64]probeAnswer{}
	for server, s := range c.peers {
		if s.answer != nil {
			answers[server] = *s.answer
		}
	}
	return answers
}

// clusters returns the cluster of each peer that was seen to belong to one, be
// it that it does not answer now.
func (c *census) clusters() map[uint64]clusterID {
	c.mu.Lock()
	defer c.mu.Unlock()
	clusters := map[uint64]clusterID{}
	for server, s := range c.peers {
		if s.data.known() {
			clusters[server] = s.data
		}
	}
	return clusters
}

// term returns the highest one that any of the peers was ever seen to know of.
func (c *census) term() (term uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.peers {
		term = max(term, s.term)
	}
	return term
}

const (
	// askEvery is how often a server that looks for its place asks the others.
	askEvery = 200 * time.Millisecond
	// foundEvery is how often the first leader of an ensemble does, while clients
	// wait for it.
	foundEvery = 50 * time.Millisecond
	// orphanEvery is how often a server without a leader does: has the ensemble
	// gone on without it?
	orphanEvery = 2 * time.Second
	// memberEvery is how often one does that belongs somewhere: is there another
	// cluster under the same list?
	memberEvery = 5 * time.Second
)

// censusEvery is how often the others are asked now.
func (n *Node) censusEvery() time.Duration {
	switch {
	case n.raft.Load() == nil || n.newcomer.Load():
		return askEvery
	case n.gathering():
		return foundEvery
	case n.leader().id == "":
		return orphanEvery
	}
	return memberEvery
}

// takeCensus asks all servers that are known of, again and again.
func (n *Node) takeCensus(ctx context.Context) {
	var asks sync.WaitGroup
	defer asks.Wait()
	for ctx.Err() == nil {
		every, others := n.censusEvery(), n.others()
		n.census.retain(others)
		for _, server := range others {
			if !n.census.begin(server, every) {
				continue
			}
			asks.Go(func() {
				var a probeAnswer
				err := n.ask(ctx, server, queryProbe, &a)
				if err != nil {
					n.log.Debug("no answer", "server", server, "err", err)
					n.census.note(server, nil, err)
					return
				}
				n.census.note(server, &a, nil)
			})
		}
		select {
		case <-ctx.Done():
		case <-n.census.now:
		case <-time.After(min(every, askEvery)):
		}
	}
}

// leastPatience is how long a peer has for an answer whatever the configuration
// says.
const leastPatience = time.Second

// patience is how long a peer has for an answer where nothing can be decided
// without it: a slow one is not gone.
func (n *Node) patience() time.Duration {
	if e := n.cfg.Ensemble; e != nil {
		return max(e.Patience, leastPatience)
	}
	return leastPatience
}

// brief is how long a peer has for an answer where the others can be asked in
// its place, or it can be asked again.
func (t *timing) brief() time.Duration { return t.times(leastPatience, tripsPerElection+1) }

// ask sends a query and reads its answer.
func (n *Node) ask(ctx context.Context, server uint64, kind byte, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, n.patience())
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

// listedText names the servers that this one looks among.
func (n *Node) listedText() string {
	var ids []string
	for _, m := range n.cfg.Ensemble.Members {
		ids = append(ids, strconv.FormatUint(m.ID, 10))
	}
	return strings.Join(ids, ", ") + " in its zoo.cfg"
}

// absences names servers, and why each of them is no help.
func (n *Node) absences(servers []uint64) string {
	var all []string
	for _, server := range servers {
		all = append(all, "server "+strconv.FormatUint(server, 10)+": "+n.absence(server))
	}
	return strings.Join(all, "; ")
}

func (n *Node) absence(server uint64) string {
	s := n.census.seen(server)
	switch a := s.answer; {
	case server == n.cfg.ServerID:
		return "this one, which may not form an ensemble"
	case s.at.IsZero():
		return "not heard from yet"
	case a == nil && s.data.known():
		return peer.Why(s.err) + " (it was seen with the data of cluster " + s.data.String() + ")"
	case a == nil:
		return peer.Why(s.err)
	case a.Cluster.known() && a.Cluster != n.who().Cluster:
		return "belongs to cluster " + a.Cluster.String()
	case a.Cluster.known():
		return "answers"
	case a.Blank:
		return "answers, and has no data yet"
	}
	return "has data, and its cluster has no name yet"
}

// others returns the servers that this one knows of beside itself.
func (n *Node) others() (servers []uint64) {
	for _, m := range n.known() {
		if m.ID != n.cfg.ServerID {
			servers = append(servers, m.ID)
		}
	}
	slices.Sort(servers)
	return servers
}

// probeAll asks every server that is known of, and has the answers that come
// in time.
func (n *Node) probeAll(ctx context.Context, patience time.Duration) map[uint64]probeAnswer {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var mu sync.Mutex
	var wg sync.WaitGroup
	answers := map[uint64]probeAnswer{}
	for _, server := range n.others() {
		wg.Go(func() {
			var a probeAnswer
			if n.ask(ctx, server, queryProbe, &a) != nil {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			answers[server] = a
		})
	}
	wg.Wait()
	return answers
}
