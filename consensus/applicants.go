package consensus

import (
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
)

// applicants are the raft ids under which servers ask to be taken in. Who has
// stopped asking is forgotten.
type applicants struct {
	mu   sync.Mutex
	asks map[uint64]applicant // by server id
	// slow is how much longer than inContact it may take to ask again, in ns: as
	// long as the connections for it.
	slow atomic.Int64
	// asked has something in it when somebody has.
	asked chan struct{}
}

type applicant struct {
	id     raft.ServerID
	at     time.Time // of its last request
	reason string    // why it is not in yet
}

// ask notes a server's request, and returns why it is not in yet.
func (a *applicants) ask(server uint64, id raft.ServerID, now time.Time) (reason string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.forgetLocked(now)
	before, again := a.asks[server]
	if again && before.id != id {
		return fmt.Sprintf("another server asks with the same id: two have myid %d", server)
	}
	if a.asks == nil {
		a.asks = map[uint64]applicant{}
	}
	a.asks[server] = applicant{id, now, before.reason}
	return before.reason
}

// current returns who is asking now, by server id.
func (a *applicants) current(now time.Time) map[uint64]raft.ServerID {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.forgetLocked(now)
	ids := map[uint64]raft.ServerID{}
	for server, ask := range a.asks {
		ids[server] = ask.id
	}
	return ids
}

// putOff sets what a server is told that cannot be taken in now.
func (a *applicants) putOff(server uint64, reason string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if ask, ok := a.asks[server]; ok {
		ask.reason = reason
		a.asks[server] = ask
	}
}

func (a *applicants) forgetLocked(now time.Time) {
	maps.DeleteFunc(a.asks, func(_ uint64, ask applicant) bool { return now.Sub(ask.at) >= inContact+time.Duration(a.slow.Load()) })
}

// asked notes that a server wants to be taken in, and answers what came of it.
func (n *Node) asked(id raft.ServerID) joinAnswer {
	server, ok := serverOf(id)
	if _, leads := n.leadsNow(); !leads || !ok {
		return joinAnswer{Reason: "not the leader"}
	}
	if n.listed(id) {
		return joinAnswer{Taken: true}
	}
	reason := n.applicants.ask(server, id, time.Now())
	if !n.runsAs(server, id) {
		n.census.hurry(server)
	}
	notify(n.applicants.asked)
	return joinAnswer{Reason: reason}
}

// runsAs tells whether the server that answers at the listed address of an id is
// that raft member: what the id meant before runs no more.
func (n *Node) runsAs(server uint64, id raft.ServerID) bool {
	a := n.census.seen(server).answer
	return a != nil && a.RaftID == id
}
