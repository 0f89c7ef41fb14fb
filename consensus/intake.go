package consensus

import (
	"sync"

	"zkd/consensus/peer"
)

// intake is what a leader has to put into its log: its own batches, and those
// that came over links. They go to raft in groups, a few at a time: raft writes
// and sends a group as one, and what comes in meanwhile makes the next group
// larger, which costs less than more of them.
type intake struct {
	mu     sync.Mutex
	queue  []arrival // from links, oldest first
	given  uint64    // entries handed to raft in this term
	back   uint64    // of them, applied
	groups []uint64  // under way: what given was behind each
}

type arrival struct {
	entry []byte
	link  *peer.Link
	here  *int // how many of its link are in the queue
}

// maxGroups are proposed and not yet applied. Two keep the disk busy.
const maxGroups = 2

// add queues an entry of a link, unless that has too many there already.
func (i *intake) add(a arrival) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if *a.here >= linkQueue {
		return false
	}
	*a.here++
	i.queue = append(i.queue, a)
	return true
}

// open tells whether another group may go to raft.
func (i *intake) open() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return len(i.groups) < maxGroups
}

// take returns what came over links.
func (i *intake) take() []arrival {
	i.mu.Lock()
	defer i.mu.Unlock()
	all := i.queue
	i.queue = nil
	for _, a := range all {
		*a.here--
	}
	return all
}

// sent notes a group of so many entries.
func (i *intake) sent(entries int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.given += uint64(entries)
	i.groups = append(i.groups, i.given)
}

// applied notes that entries of this term have come back, and tells whether
// that makes room for a group.
func (i *intake) applied(entries int) (room bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.back += uint64(entries)
	for len(i.groups) > 0 && i.groups[0] <= i.back {
		i.groups = i.groups[1:]
		room = true
	}
	return room
}

// reset forgets everything, as its term is over. Who sent something learns of
// that by the end of its link, and sends it again.
func (i *intake) reset() {
	for _, a := range i.take() {
		_ = a.link.Close()
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.given, i.back, i.groups = 0, 0, nil
}
