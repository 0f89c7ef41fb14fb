package consensus

import (
	"context"
	"net"
	"net/netip"
	"time"

	"github.com/hashicorp/raft"

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
	// Lookup resolves the name in this server's own line; nil is the system's
	// resolver.
	Lookup func(ctx context.Context, host string) ([]netip.Addr, error)
	// Secret, if there is one, must be the same on all servers.
	Secret []byte
	// DialTimeout bounds a connection attempt to a peer.
	DialTimeout time.Duration
	// TCPKeepAlive has idle connections of peers probed every few seconds.
	TCPKeepAlive bool
	// Listen and Dial make the connections; see peer.Options.
	Listen func(network, address string) (net.Listener, error)
	Dial   func(ctx context.Context, network, address string) (net.Conn, error)
	// ListenAgain is asked whether to try once more when the peer ports cannot be
	// listened on, and waits as long as it likes. The store stays open meanwhile.
	// nil is one attempt.
	ListenAgain func(err error) bool
	// Report is asked, every ReportEvery, for what the leader must hear of
	// this server; the leader's Reported gets it. Neither may block.
	Report      func() []byte
	ReportEvery time.Duration
	Reported    func(from uint64, report []byte)
	// Reconfigured is called on the leader when the members are as
	// Membership.Wanted says, or cannot become so. It is called again, maybe by
	// another leader, until Wanted has gone.
	Reconfigured func(version uint64, ok bool)
	// Founded is called on the first leader of an ensemble, or its successor,
	// when all listed voters that are there have their votes, until the state
	// has a list of members. Clients wait for that. nil is an ensemble whose
	// state gets its list in another way.
	Founded func()
	// Patience is how long a peer may take to answer.
	Patience time.Duration
	// Silence is how long this server goes on without contact to a leader. No
	// more than half of it is left to raft, however far away the others are.
	Silence time.Duration
	// CatchUp is how long a new member may take to catch up before a
	// reconfiguration is given up.
	CatchUp time.Duration
	// Administer answers a program that asks, at the second port, about the
	// members or for others. It may be called on any server, also before it has
	// started.
	Administer func(request []byte) ([]byte, error)
	// File are the server lines of zoo.cfg, if they are to decide about the
	// members: Files has those of all.
	File string
	// Describe adds to a Status what only the server knows.
	Describe func(*Status)
}

// Role returns what this server is now.
func (n *Node) Role() Role {
	r, now := n.raft.Load(), n.leader()
	switch {
	case r == nil || now.id == "":
		return Looking
	case r.State() == raft.Leader:
		return Leading
	}
	for _, s := range n.configuration().Servers {
		if s.ID == n.raftID() && s.Suffrage == raft.Voter {
			return Following
		}
	}
	return Observing
}

// Leads tells whether this server leads and has applied everything that was
// committed under the leaders before it.
func (n *Node) Leads() bool {
	term, leads := n.leadsNow()
	return leads && n.settled.Load() == term
}

// Contact returns how long ago this server was last known to follow, or to be,
// a leader that has the majority.
func (n *Node) Contact() time.Duration { return time.Since(n.began) - time.Duration(n.contact.Load()) }

func (n *Node) inContact() bool { return n.Contact() < inContact }

// Status is a server's view of the ensemble.
type Status struct {
	ServerID uint64        `json:"server_id"`
	RaftID   string        `json:"raft_id"`
	Cluster  string        `json:"cluster"` // hex, "" before the first leader
	Role     string        `json:"role"`
	Term     uint64        `json:"term"`
	Leader   uint64        `json:"leader"` // server id; meaningless while LeaderID is ""
	LeaderID string        `json:"leader_raft_id"`
	Applied  uint64        `json:"applied_index"`
	Commit   uint64        `json:"commit_index"`
	Last     uint64        `json:"last_index"`
	Contact  time.Duration `json:"contact_ns"`
	// Digest is that of the state behind the entry DigestIndex.
	Digest      uint64         `json:"digest"`
	DigestIndex uint64         `json:"digest_index"`
	Zxid        int64          `json:"zxid"`
	Members     []MemberStatus `json:"members"`
	// Servers are the server lines that the ensemble has agreed on, as of the
	// state of the server that answers.
	Servers []string `json:"servers,omitempty"`
	// Strangers are servers of its list that belong to another cluster.
	Strangers []Stranger `json:"strangers,omitempty"`
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
	// CaughtUp tells whether it is in contact and applies what is committed as
	// it comes.
	CaughtUp bool `json:"caught_up,omitempty"`
}

// Status returns this server's view as of now.
func (n *Node) Status() Status {
	id, now := n.who(), n.leader()
	s := Status{
		ServerID: n.cfg.ServerID, RaftID: string(id.RaftID), Cluster: id.Cluster.String(),
		Role: n.Role().String(), Term: now.term, LeaderID: string(now.id), Contact: n.Contact(),
	}
	s.Leader, _ = serverOf(now.id)
	if r := n.raft.Load(); r != nil {
		s.Applied, s.Commit, s.Last = r.AppliedIndex(), r.CommitIndex(), r.LastIndex()
	}
	s.DigestIndex, s.Digest = n.fsm.newest()
	_, leads := n.leadsNow()
	for _, m := range n.configuration().Servers {
		member := MemberStatus{RaftID: string(m.ID), Voter: m.Suffrage == raft.Voter}
		member.ServerID, _ = serverOf(m.ID)
		switch {
		case m.ID == id.RaftID:
			member.Applied, member.Known, member.CaughtUp = s.Applied, true, true
		case leads:
			member.Applied, member.Contact, member.Known = n.members.present(m.ID)
			member.CaughtUp = n.members.caughtUp(m.ID)
		}
		s.Members = append(s.Members, member)
	}
	s.Strangers = n.strangers()
	if e := n.cfg.Ensemble; e != nil && e.Describe != nil {
		e.Describe(&s)
	}
	return s
}
