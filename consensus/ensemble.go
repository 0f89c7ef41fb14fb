package consensus

import (
	"context"
	"time"

	"zkd/consensus/peer"
)

// Role is what a server is in its ensemble.
type Role uint8

// Roles. A server that knows of no leader is Looking.
const (
	Looking Role = iota
	Leading
	Following
	Observing
)

func (r Role) String() string {
	switch r {
	case Leading:
		return "leader"
	case Following:
		return "follower"
	case Observing:
		return "observer"
	}
	return "looking"
}

// Membership is what the replicated state says of the members.
type Membership struct {
	// Current is who belongs to the ensemble.
	Current []peer.Member
	// Wanted is what Current is to become while a reconfiguration is under
	// way, nil at all other times. Version tells one from the next.
	Wanted  []peer.Member
	Version uint64
}

// Ensemble is the part of a Config that a server with peers needs.
type Ensemble struct {
	// Members is the list of zoo.cfg, this server included. It counts until
	// the replicated state has a list of its own.
	Members []peer.Member
	// ListenAll binds the peer ports on every interface instead of on the
	// addresses of this server's own line.
	ListenAll bool
	// Secret, if there is one, must be the same on all servers.
	Secret []byte
	// DialTimeout bounds a connection attempt to a peer.
	DialTimeout time.Duration
	// Lead runs while this server leads and has applied everything that was
	// committed before; ctx ends with the leadership, and Lead must return.
	Lead func(ctx context.Context)
	// Report is asked, every ReportEvery, for what the leader must hear of
	// this server; the leader's Reported gets it. Neither may block.
	Report      func() []byte
	ReportEvery time.Duration
	Reported    func(from uint64, report []byte)
	// Reconfigured is called on the leader when the members are as
	// Membership.Wanted says, or cannot become so. It is called again, maybe by
	// another leader, until Wanted has gone.
	Reconfigured func(version uint64, ok bool)
	// CatchUp is how long a new member may take to catch up before a
	// reconfiguration is given up.
	CatchUp time.Duration
}

// Role returns what this server is now.
func (n *Node) Role() Role { return Leading }

// Contact returns how long ago this server was last known to follow, or to be,
// a leader that has the majority. It is 0 for a leader.
func (n *Node) Contact() time.Duration { return 0 }

// Sync returns when everything that was committed before it was called is
// applied here (a log entry of its own makes sure).
func (n *Node) Sync(ctx context.Context) error { return n.Ready(ctx) }

// Status is a server's view of the ensemble.
type Status struct {
	ServerID uint64         `json:"server_id"`
	RaftID   string         `json:"raft_id"`
	Cluster  string         `json:"cluster"` // hex, "" before the first leader
	Role     string         `json:"role"`
	Term     uint64         `json:"term"`
	Leader   uint64         `json:"leader"` // server id; meaningless while LeaderID is ""
	LeaderID string         `json:"leader_raft_id"`
	Applied  uint64         `json:"applied_index"`
	Commit   uint64         `json:"commit_index"`
	Last     uint64         `json:"last_index"`
	Contact  time.Duration  `json:"contact_ns"`
	Digest   uint64         `json:"digest"`
	Members  []MemberStatus `json:"members"`
}

// MemberStatus is one member as the asked server sees it.
type MemberStatus struct {
	ServerID uint64 `json:"server_id"`
	RaftID   string `json:"raft_id"`
	Voter    bool   `json:"voter"`
	// Only a leader knows the rest.
	Applied uint64        `json:"applied_index,omitempty"`
	Contact time.Duration `json:"contact_ns,omitempty"` // since its last report
	Known   bool          `json:"known"`                // Applied and Contact are
}

// Status returns this server's view as of now.
func (n *Node) Status() Status {
	return Status{ServerID: n.cfg.ServerID, Role: n.Role().String(), Term: n.raft.CurrentTerm(), Applied: n.raft.AppliedIndex(), Commit: n.raft.CommitIndex(), Last: n.raft.LastIndex()}
}
