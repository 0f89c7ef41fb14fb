package soak

import (
	"slices"
	"sync"
	"time"
)

// history is the faults of a run, in the order in which they began. Safe for concurrent use.
type history struct {
	mu  sync.Mutex
	all []Fault
}

// lasting is the end of a fault that has none yet.
const lasting = -1

func (h *history) begin(f Fault) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	f.To = lasting
	h.all = append(h.all, f)
	return len(h.all) - 1
}

func (h *history) endAll(now time.Duration, notes []int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, n := range notes {
		h.all[n].To = now
	}
}

func (h *history) at(n int) Fault {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.all[n]
}

// list is what has happened until now; what lasts lasts until now.
func (h *history) list(now time.Duration) []Fault {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := slices.Clone(h.all)
	for i := range all {
		if all[i].To == lasting {
			all[i].To = now
		}
	}
	return all
}

// Lasted is how long the fault did.
func (f Fault) Lasted() time.Duration { return f.To - f.From }
