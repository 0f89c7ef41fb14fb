package peer

import (
	"slices"
	"sync"
)

// roster is the members by id, and where each was last reached.
type roster struct {
	mu      sync.Mutex
	members map[uint64]Member
	reached map[string]struct{} // addresses at which the last attempt succeeded
}

func (r *roster) set(members []Member) {
	byID := make(map[uint64]Member, len(members))
	reached := map[string]struct{}{}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range members {
		byID[m.ID] = m
		for _, a := range slices.Concat(m.Raft, m.Link) {
			if _, ok := r.reached[a]; ok {
				reached[a] = struct{}{}
			}
		}
	}
	r.members, r.reached = byID, reached
}

// addresses returns where to dial a server, in this order: those of its line,
// but one that answered last time goes first, or each connection would wait
// for the dead ones in front of it again.
func (r *roster) addresses(server uint64, first bool) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.members[server]
	addrs := slices.Clone(m.Link)
	if first {
		addrs = slices.Clone(m.Raft)
	}
	slices.SortStableFunc(addrs, func(a, b string) int {
		_, aUp := r.reached[a]
		_, bUp := r.reached[b]
		switch {
		case aUp == bUp:
			return 0
		case aUp:
			return -1
		}
		return 1
	})
	return addrs
}

func (r *roster) note(addr string, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !ok {
		delete(r.reached, addr)
	} else if r.reached != nil {
		r.reached[addr] = struct{}{}
	}
}
