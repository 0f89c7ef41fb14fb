package simulation

import (
	"time"

	"zkd/test/oracle"
)

// firstSeconds are about ensembles that have hardly begun.
var firstSeconds = []scenario{
	{
		// Servers come up one after the other, within a second or so. From the first client on any one of those that run
		// may go, and may lose its disk.
		name: "first seconds", least: oracle.Stats{Writes: 20}, begin: (*run).loseOneAtFirst,
		play: func(r *run) {
			r.rounds(3, func(int) {
				h := r.pick()
				h.kill(death(r.rand.IntN(2)))
				h.wipe()
				r.bringUp(h)
				r.mustServe()
			})
		},
	},
}

// far are servers that are far away from one another.
var far = []scenario{
	{name: "half a second away", plan: plan{delay: 160 * time.Millisecond, tick: 2 * time.Second}, least: oracle.Stats{Writes: 10, Terms: 2}, play: (*run).farAway},
	{name: "a second away", plan: plan{delay: 330 * time.Millisecond, tick: 2 * time.Second}, least: oracle.Stats{Writes: 10, Terms: 2}, play: (*run).farAway},
}

// farAway loses servers, all of them at last, and a disk.
func (r *run) farAway() {
	r.rounds(5, func(i int) {
		lost := []*host{r.pick()}
		switch i {
		case 0, 1:
			lost[0] = r.mustLead()
		case 4:
			lost = r.hosts
		}
		for _, h := range lost {
			h.kill(death(r.rand.IntN(2)))
		}
		if i == 3 {
			lost[0].wipe()
		}
		r.pass(10 * time.Second)
		r.bringUp(lost...)
		r.mustServe()
	})
}

// settled is how long a process has run when the others are sure to have seen it: what starts later comes into an
// ensemble that is there, for which it needs two rounds of messages.
const settled = 400 * time.Millisecond

// loseOneAtFirst starts an ensemble and kills one server as soon as there is one that clients are served by. The others
// must go on.
func (r *run) loseOneAtFirst() {
	serves := func() bool {
		for _, h := range r.hosts {
			if h.server() != nil {
				return true
			}
		}
		return false
	}
	for _, i := range r.rand.Perm(len(r.hosts)) {
		r.hosts[i].start()
		if r.rand.IntN(2) == 0 {
			r.pass(1500 * time.Millisecond)
		}
	}
	late := serves()
	if !r.await(time.Minute, serves) {
		r.failf("I8 live: no server serves: %s", r.describe())
		return
	}
	if late {
		time.Sleep(settled)
	}
	lost := r.pick()
	if l := r.leader(); l != nil && r.rand.IntN(2) == 0 {
		lost = l
	}
	r.note("server %d is lost", lost.id)
	lost.kill(death(r.rand.IntN(2)))
	if !r.await(allLive, func() bool {
		for _, h := range r.hosts {
			if h != lost && h.server() == nil {
				return false
			}
		}
		return r.leader() != nil
	}) {
		r.failf("I8 live: two of three run from the first client on and do not serve: %s", r.describe())
		return
	}
	if r.rand.IntN(2) == 0 {
		lost.wipe()
	}
	r.bringUp(lost)
	r.makeNodes()
}

// wipe gives a host whose process has ended an empty disk.
func (h *host) wipe() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.run.note("server %d has a new disk", h.id)
	h.wiped++
	if err := h.newDisk(); err != nil {
		h.run.failf("%v", err)
	}
}
