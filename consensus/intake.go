package consensus

import (
	"sync"
	"time"

	"zkd/consensus/peer"
)

// intake is what a leader has to put into its log: its own batches, and those
// that came over links. They go to raft in groups: raft writes and sends a group
// as one, and what comes in meanwhile makes the next group larger, which costs
// less than more of them.
type intake struct {
	// patience is how long a group is waited for before another joins it under
	// way. Set before the intake is used.
	patience time.Duration

	mu     sync.Mutex
	queue  []arrival // from links, oldest first
	given  uint64    // entries handed to raft in this term
	back   uint64    // of them, applied
	groups []group   // under way, oldest first
}

// group is what raft was given at one time.
type group struct {
	given uint64 // what intake.given was behind it
	at    time.Time
}

type arrival struct {
	batch []byte
	link  *peer.Link
	here  *int // how many of its link are in the queue
}

const (
	// maxGroups are proposed and not yet applied. Two keep the disk of a server
	// on its own busy.
	maxGroups = 2
	// peerPatience is the patience in an ensemble. A group costs all servers
	// some hundred microseconds, whatever is in it, so more is saved by waiting
	// for one than is lost while it is applied. Where that takes longer, the disk
	// or the network is what it waits for, and they can do two things at a time.
	peerPatience = 4 * time.Millisecond
)

// add queues a batch of a link, unless that has too many there already.
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

// open tells whether another group may go to raft, or else after what time. If
// that is 0 one has to be applied first.
func (i *intake) open() (ok bool, in time.Duration) {
	i.mu.Lock()
	defer i.mu.Unlock()
	switch n := len(i.groups); {
	case n == 0:
		return true, 0
	case n >= maxGroups:
		return false, 0
	default:
		in = i.patience - time.Since(i.groups[n-1].at)
		return in <= 0, max(in, 0)
	}
}

// waits tells whether something came over links that was not taken.
func (i *intake) waits() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return len(i.queue) > 0
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
	i.groups = append(i.groups, group{i.given, time.Now()})
}

// applied notes that entries of this term have come back, and tells whether
// that makes room for a group.
func (i *intake) applied(entries int) (room bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.back += uint64(entries)
	for len(i.groups) > 0 && i.groups[0].given <= i.back {
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
