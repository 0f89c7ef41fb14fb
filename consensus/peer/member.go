// Package peer carries what the servers of an ensemble say to one another. It
// listens on the two peer ports of a server.N line and dials those of the
// others: raft's messages go over the first, links and queries over the second.
// Each connection begins with a hello, in which both ends prove that they
// belong to the same cluster and are who the other one wanted to reach.
//
// It knows addresses and connections, not what is said over them; package
// consensus is its only user.
package peer

// Member is one server of the ensemble and where to reach it.
type Member struct {
	ID       uint64   // N of server.N
	Observer bool     // it replicates and never votes
	Raft     []string // host:port of the first port, one for each of its addresses
	Link     []string // host:port of the second port, in the same order
}
