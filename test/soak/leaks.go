package soak

import (
	"fmt"
	"time"

	"zkd/test/ensemble"
	"zkd/test/oracle"
)

const (
	// slack is how many goroutines and descriptors more than at first a server may have without clients: links to
	// the peers are opened and closed as they are needed.
	slack = 20
	// diskLimit bounds what a server may keep of a tree of some thousand znodes: 192 MiB of log, the segment that is being
	// written, of 64, and a few snapshots.
	diskLimit = 320 << 20
	// memoryLimit bounds the resident memory of a server at any time.
	memoryLimit = 600 << 20
)

// awaitNoLeaks waits until the servers, without clients, have no more of anything than they had at first.
func (r *run) awaitNoLeaks() {
	var first Look // a leader has more of everything, and any server may lead by now
	for _, l := range r.quiet {
		first.Goroutines, first.Descriptors = max(first.Goroutines, l.Goroutines), max(first.Descriptors, l.Descriptors)
	}
	var last string
	for end := time.Now().Add(ensemble.Patience); ; time.Sleep(200 * time.Millisecond) {
		last = ""
		for _, s := range r.e.Servers {
			now := look(s)
			if now.Goroutines > first.Goroutines+slack || now.Descriptors > first.Descriptors+slack || now.State == "" {
				last = fmt.Sprintf("%v has %d goroutines and %d descriptors, and is %q; before there were clients the leader had %d and %d",
					s, now.Goroutines, now.Descriptors, now.State, first.Goroutines, first.Descriptors)
			}
		}
		if last == "" {
			break
		}
		if time.Now().After(end) {
			r.Error(last)
			break
		}
	}
	for id, looks := range r.watcher.all() {
		for _, l := range looks {
			if l.RSS > memoryLimit || l.Disk > diskLimit {
				r.Errorf("server %d at %v: %d MiB of memory, %d MiB of disk", id, l.At.Round(time.Second), l.RSS>>20, l.Disk>>20)
				break
			}
		}
	}
}

// substance demands of a run what its length promises.
func (r *run) substance() {
	f := r.figures()
	minutes := int(r.now().Minutes())
	if f.Writes < 1000*int64(minutes) || f.LeaderChanges < minutes || f.Faults < 3*minutes || f.Writes == 0 {
		r.Errorf("in %d minutes %d writes, %d changes of leader, %d faults", minutes, f.Writes, f.LeaderChanges, f.Faults)
	}
	least := oracle.Stats{
		Entries: 1000 * minutes, Terms: minutes, Sessions: singles + divers + narrow, Reads: 500 * minutes, Syncs: 50 * minutes,
		Events: 50 * minutes, Unknown: minutes, SetWatches: minutes, Restores: minutes / 2, Second: 50 * minutes,
	}
	r.fleet.complain(r.judged.Require(least))
}
