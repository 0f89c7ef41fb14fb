package consensus

import (
	"cmp"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"zkd/consensus/peer"
)

// A server whose own line of zoo.cfg says where to listen, and not where it is,
// has that from the others: their files name it. It matters once, to the server
// that gives an ensemble its first list of members.

// NoPlaceError says that no other server's file has an address of this one.
type NoPlaceError struct{ Servers []uint64 }

func (e *NoPlaceError) Error() string {
	var all []string
	for _, s := range e.Servers {
		all = append(all, fmt.Sprint(s))
	}
	return "no address of this server is in the files of the others: " + strings.Join(all, ", ")
}

// Place returns the addresses at which the others have this server in their
// lists, and whether they agree on them. The error says whom it waits for, or is
// a *NoPlaceError.
func (n *Node) Place() (place peer.Member, agreed bool, err error) {
	votes := map[string]*placeVote{}
	var asked, silent []uint64
	for _, server := range n.others() {
		asked = append(asked, server)
		a := n.census.seen(server).answer
		if a == nil {
			silent = append(silent, server)
			continue
		}
		m := a.placeOf(n.cfg.ServerID)
		if m == nil {
			continue
		}
		key := strings.Join(m.Raft, " ") + "|" + strings.Join(m.Link, " ")
		if votes[key] == nil {
			votes[key] = &placeVote{place: *m, first: server}
		}
		votes[key].count++
		votes[key].reached = votes[key].reached || slices.Contains(a.Reached, n.cfg.ServerID)
	}
	switch best := bestVote(votes); {
	case best != nil && (best.reached || time.Since(n.began) > n.patience()):
		return best.place, len(votes) == 1, nil
	case best == nil && len(silent) == 0:
		return place, false, &NoPlaceError{asked}
	case best == nil:
		return place, false, fmt.Errorf("consensus: waiting for a server whose file has an address of this one: %s", n.absences(silent))
	}
	return place, false, fmt.Errorf("consensus: waiting for a server to reach this one at the address that its file has")
}

// placeVote is one opinion of where this server is.
type placeVote struct {
	place   peer.Member
	count   int
	reached bool   // somebody has had an answer from there
	first   uint64 // the least server of that opinion
}

// bestVote prefers what has proved true, then what most files have.
func bestVote(votes map[string]*placeVote) (best *placeVote) {
	all := slices.SortedFunc(maps.Values(votes), func(a, b *placeVote) int {
		if a.reached != b.reached {
			if a.reached {
				return -1
			}
			return 1
		}
		return cmp.Or(-cmp.Compare(a.count, b.count), cmp.Compare(a.first, b.first))
	})
	if len(all) > 0 {
		best = all[0]
	}
	return best
}

// placeOf returns what an answer has of a server, nil if that leads nowhere.
func (a *probeAnswer) placeOf(server uint64) *peer.Member {
	for _, m := range slices.Concat(a.Members, a.Listed) {
		if m.ID != server || len(m.Raft) == 0 || len(m.Link) != len(m.Raft) || slices.ContainsFunc(slices.Concat(m.Raft, m.Link), nowhere) {
			continue
		}
		return &m
	}
	return nil
}

// nowhere tells whether an address is a wildcard or none.
func nowhere(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	ip, notIP := netip.ParseAddr(host)
	return err != nil || host == "" || notIP == nil && ip.Unmap().IsUnspecified()
}

// reached returns the servers that have answered this one, the last time that
// they were asked.
func (n *Node) reached() []uint64 { return slices.Sorted(maps.Keys(n.census.answers())) }
