// Package peer carries what the servers of an ensemble say to one another. It
// listens on the two peer ports of a server.N line and dials those of the
// others: raft's messages go over the first, links and queries over the second.
// Each connection begins with a hello, in which both ends prove that they
// belong to the same cluster and are who the other one wanted to reach.
//
// It knows addresses and connections, not what is said over them. Package
// consensus uses it; to package server it only lends the type Member.
package peer

import (
	"fmt"
	"strconv"
	"strings"
)

// Member is one server of the ensemble and where to reach it.
type Member struct {
	ID       uint64   // N of server.N
	Observer bool     // it replicates and never votes
	Raft     []string // host:port of the first port, one for each of its addresses
	Link     []string // host:port of the second port, in the same order
}

// ServerOf returns the N of server.N whose raft ID it is, as that of a member:
// with an incarnation.
func ServerOf(raftID string) (server uint64, ok bool) {
	s, _, settled := strings.Cut(raftID, ".")
	server, err := strconv.ParseUint(s, 10, 64)
	return server, err == nil && settled && names(raftID, server) && len(raftID) <= maxRaftID
}

// AnyServerOf returns the same for a server that need not be a member yet.
func AnyServerOf(raftID string) (server uint64, ok bool) {
	s, _, _ := strings.Cut(raftID, ".")
	server, err := strconv.ParseUint(s, 10, 64)
	return server, err == nil && names(raftID, server)
}

func notRaftID(id string) error { return fmt.Errorf("peer: %q is no raft ID of a member", id) }
