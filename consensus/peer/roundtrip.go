package peer

import (
	"errors"
	"sync"
	"syscall"
	"time"
)

// roundTrips is how long messages to peers and back have taken lately.
type roundTrips struct {
	mu   sync.Mutex
	last map[uint64][samples]time.Duration // by server id, the newest first, 0 for none
}

// samples is of how many the shortest counts: the others had to wait for
// something else than the network.
const samples = 3

func (r *roundTrips) add(server uint64, took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.last == nil {
		r.last = map[uint64][samples]time.Duration{}
	}
	was := r.last[server]
	r.last[server] = [samples]time.Duration{max(took, 1), was[0], was[1]}
}

// RoundTrip returns how long a message to a server and back takes, as far as that
// has been seen, by a connection that was made or refused.
func (n *Network) RoundTrip(server uint64) (took time.Duration, ok bool) {
	r := &n.trips
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.last[server] {
		if s > 0 && (!ok || s < took) {
			took, ok = s, true
		}
	}
	return took, ok
}

// dialed notes how long an attempt to connect took, if it says something of the
// network.
func (n *Network) dialed(server uint64, took time.Duration, err error) {
	if err == nil || errors.Is(err, syscall.ECONNREFUSED) {
		n.trips.add(server, took)
	}
}
