package consensus

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/hashicorp/raft"
)

// When the reply to a write leaves, its commit is on its way to every follower:
// here the leader does not get to apply it, and the followers do. Raft itself
// would tell them with the next entry only.
func TestCommitIsAnnouncedBeforeItIsApplied(t *testing.T) {
	e := newTrio(t, 3)
	e.tune = func(cfg *Config) { cfg.tune = func(rc *raft.Config) { rc.CommitTimeout = time.Hour } }
	for _, id := range []uint64{1, 2, 3} {
		e.launch(id, e.members)
	}
	e.ready(1, 2, 3)
	for i, asked := range []uint64{e.leader(), e.leader()%3 + 1} {
		submit(e.nodes[asked], 1, 1, "before") // the way to each server is open
		e.same(2*i + 1)
		leader := e.leader()
		behind, seen := e.nodes[leader%3+1], make(chan bool, 1)
		var applied [4]chan struct{}
		for id := range uint64(3) {
			applied[id+1] = make(chan struct{}, 1)
			before := func() { applied[id+1] <- struct{}{} }
			if id+1 == leader {
				before = func() { seen <- arrived(applied[leader%3+1]) && arrived(applied[(leader+1)%3+1]) }
			} else if e.nodes[id+1] == behind {
				before = func() {
					if c := &behind.commits; c.told.Load() <= c.applied.Load() {
						t.Error("a follower does not know that it is behind")
					}
					applied[id+1] <- struct{}{}
				}
			}
			e.states[id+1].before.Store(&before)
		}
		submit(e.nodes[asked], 1, 1, "announced")
		if !<-seen {
			t.Errorf("asked server %d, leader %d: it applies what the others have not been told of", asked, leader)
		}
		e.same(2*i + 2)
		for _, m := range e.states {
			m.before.Store(nil)
		}
	}
}

func arrived(c chan struct{}) bool {
	select {
	case <-c:
		return true
	case <-time.After(5 * time.Second):
		return false
	}
}

func TestAskedServerHearsLast(t *testing.T) {
	servers := []raft.Server{{ID: "1.1"}, {ID: "2.1"}, {ID: "3.1"}}
	for origin, want := range map[uint64]raft.ServerID{1: "1.1", 2: "2.1", 3: "3.1", 4: "3.1"} {
		entry := binary.BigEndian.AppendUint64([]byte{batchFormat}, origin)
		got := askedLast(servers, append(entry, make([]byte, batchHeader)...))
		if len(got) != 3 || got[2].ID != want || servers[0].ID != "1.1" {
			t.Errorf("asked %d: %v of %v", origin, got, servers)
		}
	}
	if got := askedLast(servers, []byte{groupFormat}); len(got) != 3 {
		t.Errorf("a group: %v", got)
	}
}
