package consensus

import (
	"errors"
	"testing"
	"time"

	"github.com/hashicorp/raft"

	"zkd/test/quick"
)

// Whoever asks under an id that nobody listed leaves nothing behind, and who is
// listed no more is forgotten.
func TestCensusIsOfKnownServers(t *testing.T) {
	var c census
	c.init()
	for server := range uint64(1000) {
		c.hurry(server)
		c.knock(server)
	}
	if len(c.peers) != 0 {
		t.Errorf("%d servers that nobody asks are kept in mind", len(c.peers))
	}
	for server := range uint64(3) {
		c.begin(server+1, time.Hour)
		c.note(server+1, &probeAnswer{}, nil)
	}
	if c.begin(2, time.Hour) {
		t.Error("asked again before it is time")
	}
	if c.hurry(2); !c.begin(2, time.Hour) {
		t.Error("not asked at once")
	}
	c.retain([]uint64{1, 3})
	if answers := c.answers(); len(answers) != 2 || len(c.peers) != 2 {
		t.Errorf("left: %v", answers)
	}
}

// slow has peers answer as late as they like where nothing can be done without
// them.
func slow(cfg *Config) { cfg.Ensemble.Patience = time.Hour }

// A newcomer is not held up by a leader that says nothing any more.
func TestSilentLeaderIsNotWaitedFor(t *testing.T) {
	quick.Skip(t)
	e := newTrio(t, 3)
	e.tune = slow
	e.launch(1, e.members)
	e.launch(2, e.members)
	e.ready(1, 2)
	old := e.nodes[e.leader()]
	old.applicants.mu.Lock() // takes questions, and answers none about this
	defer old.applicants.mu.Unlock()
	e.launch(3, e.members)
	until(t, "newcomer", e.nodes[3].newcomer.Load)
	until(t, "its request to the leader", func() bool { return e.nodes[3].census.seen(old.cfg.ServerID).answer != nil })
	next := e.nodes[3-old.cfg.ServerID].raftID()
	if err := old.raft.Load().LeadershipTransferToServer(next, raft.ServerAddress(next)).Error(); err != nil {
		t.Fatal(err)
	}
	e.ready(3)
}

// Nor is a server that was removed by a peer of which that is true.
func TestSilentPeerIsNotWaitedFor(t *testing.T) {
	quick.Skip(t)
	e := newTrio(t, 3)
	e.tune = slow
	for id := range uint64(3) {
		e.launch(id+1, e.members)
	}
	e.ready(1, 2, 3)
	leader := e.leader()
	removed, other := leader%3+1, (leader+1)%3+1
	c := &e.nodes[other].census
	c.mu.Lock() // it answers no questions
	defer c.mu.Unlock()
	if err := e.nodes[leader].raft.Load().RemoveServer(e.nodes[removed].raftID(), 0, 0).Error(); err != nil {
		t.Fatal(err)
	}
	until(t, "server that notices that it was removed", func() bool {
		err, _ := e.errs.Load(removed)
		return err != nil && errors.Is(err.(error), ErrRejoin)
	})
}
