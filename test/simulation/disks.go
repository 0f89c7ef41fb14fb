package simulation

import (
	"slices"
	"time"

	"zkd/consensus/store"
	"zkd/test/oracle"
)

// disks that betray their servers.
var disks = []scenario{
	{
		name: "killed at a named point", plan: plan{snapCount: 60, trailing: 16}, least: oracle.Stats{Writes: 200, Terms: 3},
		play: func(r *run) { r.everyPoint(killed) },
	},
	{
		name: "power loss at a named point", plan: plan{snapCount: 60, trailing: 16}, least: oracle.Stats{Writes: 200, Terms: 3},
		play: func(r *run) { r.everyPoint(powerOff) },
	},
	{
		name: "killed at a named point, log in bolt", plan: plan{snapCount: 60, trailing: 16, engine: "bolt"}, least: oracle.Stats{Writes: 200, Terms: 3},
		play: func(r *run) { r.everyPoint(killed) },
	},
	{
		name: "slow disk", least: oracle.Stats{Writes: 100},
		play: again(10, (*run).slowDisk),
	},
	{
		name: "hung disk", least: oracle.Stats{Writes: 100},
		play: func(r *run) {
			r.rounds(8, func(i int) {
				h := []func() *host{r.pick, r.mustLead}[i%2]()
				r.note("server %d: syncs of the log hang", h.id)
				h.disk.hang(store.OpSync, "log")
				r.load.ring()
				// Its watchdog ends it, or it goes on; either way somebody else must lead.
				r.pass(90 * time.Second)
				r.load.ring()
				h.disk.heal()
				r.bringUp(h)
				r.pass(3 * time.Second)
			})
			r.mustHaveEnded(4)
		},
	},
	{
		// Raft panics when it cannot keep its term. The server is to end in good order instead.
		name: "vote that cannot be kept", least: oracle.Stats{Writes: 100},
		play: func(r *run) {
			r.rounds(6, func(i int) {
				l := r.mustLead()
				h := r.hosts[(slices.Index(r.hosts, l)+1+i%2)%len(r.hosts)]
				r.note("server %d: votes cannot be kept", h.id)
				if i%2 == 0 {
					h.disk.hang(store.OpCommit, "vote")
				} else {
					h.disk.fail(store.OpCommit, "vote", 0, -1)
				}
				l.kill(killed)
				r.pass(30 * time.Second)
				h.disk.heal()
				r.bringUp(l)
				r.mustServe()
			})
			r.mustHaveEnded(2)
		},
	},
	{
		// Who comes back reads what it has to apply, and a leader what others have missed. With little in its cache behind
		// it, raft panics when an entry cannot be read. The server is to end in good order instead.
		name: "log that cannot be read", plan: plan{snapCount: 400, trailing: 200}, least: oracle.Stats{Writes: 100},
		play: func(r *run) {
			r.rounds(16, func(i int) {
				l := r.mustLead()
				h := r.hosts[(slices.Index(r.hosts, l)+1)%len(r.hosts)]
				if i%2 == 0 { // it leads when it comes back, or follows
					r.killAll(killed)()
				} else {
					h.kill(killed)
					r.load.ring()
					r.pass(2 * time.Second)
					r.bringUp(h)
				}
				h.disk.fail(store.OpRead, "log", r.rand.IntN(120), -1)
				r.load.ring()
				r.pass(10 * time.Second)
				h.disk.heal()
				r.bringUp(h)
				r.mustServe()
			})
			r.mustHaveEnded(4)
		},
	},
	{
		name: "full disk", plan: plan{snapCount: 60, trailing: 16}, least: oracle.Stats{Writes: 100},
		play: func(r *run) {
			r.rounds(10, func(int) { r.during(r.fullDisk()) })
			r.mustHaveEnded(1)
		},
	},
	{
		name: "disk error", plan: plan{snapCount: 60, trailing: 16}, least: oracle.Stats{Writes: 100},
		play: func(r *run) {
			r.rounds(20, func(i int) {
				if i%5 == 4 { // of what is drawn there may be nothing to fail
					r.during(r.diskErrorOf(store.OpSync, "log", r.rand.IntN(3), 1))
				} else {
					r.during(r.diskError())
				}
			})
			r.mustHaveEnded(2)
		},
	},
}

// mustHaveEnded demands that the disks' faults were met: so many servers have ended by themselves.
func (r *run) mustHaveEnded(least int64) {
	if n := r.endings.Load(); n < least {
		r.failf("I9 not vacuous: %d servers have ended by themselves, should be %d at least", n, least)
	}
}

// everyPoint kills servers at all named points, in some order.
func (r *run) everyPoint(d death) {
	points := pointsOf(r.plan.engine)
	for _, i := range r.rand.Perm(len(points)) {
		if r.failed() != nil {
			return
		}
		end := r.ambushAt(points[i], r.rand.IntN(3), d)
		r.underLoad()
		r.pass(2 * time.Second)
		r.load.ring()
		r.pass(2 * time.Second)
		end()
		r.mustServe()
	}
	if r.ambushed.Load() < 5 {
		r.failf("I9 not vacuous: %d servers came to the point where they were to die", r.ambushed.Load())
	}
}
