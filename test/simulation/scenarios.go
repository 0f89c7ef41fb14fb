package simulation

import (
	"slices"
	"time"

	"zkd/test/oracle"
)

// scenarios are all there are.
var scenarios = slices.Concat(deaths, disks, cuts, leaders, sessionsAndMembers, []scenario{slowReaders}, firstSeconds, far)

// deaths of processes and machines.
var deaths = []scenario{
	{
		name: "kill", least: oracle.Stats{Writes: 150, Terms: 5},
		play: func(r *run) {
			r.rounds(15, func(i int) {
				which := []func() *host{r.pick, r.leader, r.leader}[i%3]
				if up := r.killSome(killed, which); up != nil {
					r.pass(3 * time.Second)
					up()
				}
			})
		},
	},
	{
		name: "kill all", least: oracle.Stats{Writes: 100, Terms: 5},
		play: func(r *run) {
			r.rounds(10, func(int) {
				up := r.killAll(killed)
				r.pass(2 * time.Second)
				up()
				r.mustServe()
			})
		},
	},
	{
		name: "power loss", least: oracle.Stats{Writes: 150, Terms: 5},
		play: func(r *run) {
			r.rounds(12, func(i int) {
				which := []func() *host{r.pick, r.leader}[i%2]
				if up := r.killSome(powerOff, which); up != nil {
					r.pass(10 * time.Second)
					up()
				}
			})
		},
	},
	{
		name: "power loss of all", least: oracle.Stats{Writes: 100, Terms: 5},
		play: func(r *run) {
			r.rounds(10, func(int) {
				up := r.killAll(powerOff)
				r.pass(2 * time.Second)
				up()
				r.mustServe()
			})
		},
	},
	{
		name: "rolling restart", plan: plan{observers: 1}, least: oracle.Stats{Writes: 150, Terms: 4},
		play: func(r *run) {
			r.rounds(3, func(int) {
				for _, h := range r.hosts {
					r.load.ring()
					r.note("server %d is told to stop", h.id)
					h.stop()
					r.pass(time.Second)
					r.bringUp(h)
					r.mustServe()
				}
			})
		},
	},
	{
		name: "majority lost", plan: plan{servers: 5}, least: oracle.Stats{Writes: 40},
		play: func(r *run) {
			r.rounds(4, func(int) {
				order := r.rand.Perm(len(r.hosts))
				for _, i := range order[:3] {
					r.hosts[i].kill(death(r.rand.IntN(2)))
				}
				// What was committed may still be on its way to who waits for it.
				time.Sleep(time.Second)
				before := r.committed()
				r.load.ring()
				time.Sleep(20 * time.Second)
				if now := r.committed(); now != before {
					r.failf("I1 durable: two servers of five have committed: zxid %#x after %#x", now, before)
				}
				for _, i := range order[3:] {
					r.hosts[i].kill(death(r.rand.IntN(2)))
				}
				r.bringUp(r.hosts...)
				r.mustServe()
			})
		},
	},
}

// committed is the highest zxid that any server has applied.
func (r *run) committed() (zxid int64) {
	for _, h := range r.hosts {
		if s := h.server(); s != nil {
			if st, ok := s.Status(); ok {
				zxid = max(zxid, st.Zxid)
			}
		}
	}
	return zxid
}

// during lets a fault last for times around those after which servers draw conclusions.
func (r *run) during(undo func()) {
	if undo == nil {
		return
	}
	limits := []time.Duration{500 * time.Millisecond, 2 * time.Second, 6 * r.plan.tick, 12 * r.plan.tick, 30 * r.plan.tick}
	end := limits[r.rand.IntN(len(limits))]
	r.pass(end)
	r.load.ring()
	time.Sleep(end / 2)
	undo()
	r.pass(5 * time.Second)
}

func again(n int, fault func(r *run) func()) func(*run) {
	return func(r *run) { r.rounds(n, func(int) { r.during(fault(r)) }) }
}

// cuts of the network.
var cuts = []scenario{
	{name: "leader alone", plain: true, least: oracle.Stats{Writes: 100, Terms: 4}, play: again(10, func(r *run) func() { return r.isolate(r.leader()) })},
	{name: "halves", plain: true, plan: plan{servers: 5}, least: oracle.Stats{Writes: 100, Terms: 2}, play: again(10, (*run).halves)},
	{name: "bridge", plain: true, plan: plan{servers: 5}, least: oracle.Stats{Writes: 100}, play: again(10, (*run).bridge)},
	{name: "ring", plain: true, plan: plan{servers: 5}, least: oracle.Stats{Writes: 100}, play: again(10, (*run).ring)},
	{name: "ring of three", plain: true, least: oracle.Stats{Writes: 100}, play: again(10, (*run).ring)},
	{name: "one way", least: oracle.Stats{Writes: 100}, play: again(15, (*run).oneWay)},
	{name: "clients cut off", least: oracle.Stats{Writes: 100}, play: again(10, (*run).clientsCutOff)},
	{name: "peers cut off", plain: true, plan: plan{observers: 1}, least: oracle.Stats{Writes: 100}, play: again(10, (*run).peersCutOff)},
	{name: "pause", least: oracle.Stats{Writes: 100, Terms: 2}, play: again(15, (*run).pauseOne)},
	{name: "bad links", least: oracle.Stats{Writes: 150}, play: func(r *run) {
		r.rounds(12, func(i int) {
			r.during([]func() func(){r.slowLinks, r.lossyLinks, r.narrowLinks}[i%3]())
		})
	}},
	{name: "half open", least: oracle.Stats{Writes: 100}, play: func(r *run) {
		r.rounds(25, func(int) { r.halfOpen(); r.pass(8 * time.Second) })
	}},
	{name: "resets", least: oracle.Stats{Writes: 100, Connections: 20}, play: func(r *run) {
		r.rounds(10, func(int) {
			for range 10 {
				r.resetSome()
				r.pass(100 * time.Millisecond)
			}
		})
	}},
	{name: "vanished clients", quiet: true, plan: plan{clients: 8}, least: oracle.Stats{Writes: 100, Expired: 5}, play: func(r *run) {
		r.rounds(8, func(int) {
			// Machines of clients lose their power, or just do not answer any more.
			r.load.vanish(r.rand.IntN(2) == 0)
			r.pass(40 * r.plan.tick)
		})
	}},
	{name: "clock jumps", plan: plan{jumps: true}, least: oracle.Stats{Writes: 100}, play: func(r *run) {
		r.rounds(12, func(i int) {
			r.during(r.jump())
			if i%3 == 2 {
				if up := r.killSome(killed, r.leader); up != nil {
					up()
				}
			}
		})
	}},
	{name: "clock drifts", quiet: true, plan: plan{jumps: true}, least: oracle.Stats{Writes: 100}, play: func(r *run) {
		r.rounds(10, func(int) {
			h := r.pick()
			for range 50 { // a strobe, or a drift
				h.skew.Add(r.rand.Int64N(int64(4*time.Second)) - int64(2*time.Second))
				r.pass(500 * time.Millisecond)
			}
		})
	}},
}

// leaders that change, and those who fall behind them.
var leaders = []scenario{
	{
		// A leader that was cut off with requests waiting hears of its successor while it still tries to get rid of them.
		name: "old leader", least: oracle.Stats{Writes: 150, Terms: 8},
		play: func(r *run) {
			r.rounds(15, func(i int) {
				l := r.mustLead()
				state := []state{cut, held}[i%2]
				var others []int
				for _, h := range r.hosts {
					if h != l {
						others = append(others, h.id)
					}
				}
				r.note("server %d, the leader, is %v", l.id, state)
				r.between(state, []int{l.id}, others)
				r.load.ring()
				if !r.await(time.Minute, func() bool { n := r.leader(); return n != nil && n != l }) {
					r.failf("I8 live: no other leader: %s", r.describe())
				}
				r.load.ring()
				r.pass(300 * time.Millisecond)
				r.note("server %d is back", l.id)
				if i%3 == 0 { // its heartbeats first, or only theirs
					for _, o := range others {
						r.net.set(o, l.id, open)
					}
					r.pass(time.Second)
				}
				r.between(open, []int{l.id}, others)
			})
		},
	},
	{
		name: "interrupted handover", least: oracle.Stats{Writes: 150, Terms: 8},
		play: func(r *run) {
			r.rounds(20, func(i int) {
				if i%4 == 3 { // to one that does not hear
					l := r.mustLead()
					other := r.pick()
					r.between(cut, []int{l.id}, []int{other.id})
					p := l.process()
					p.cancel()
					r.pass(4 * time.Second)
					r.between(open, []int{l.id}, []int{other.id})
					<-p.end
					r.bringUp(l)
				} else if up := r.stopAndKill(); up != nil {
					r.pass(time.Second)
					up()
				}
				r.mustServe()
			})
		},
	},
	{
		// With little log behind a snapshot, who was away needs a snapshot, and may be killed while it gets one.
		name: "snapshot install", plan: plan{snapCount: 60, trailing: 16, clients: 5}, least: oracle.Stats{Writes: 500, Restores: 8},
		play: func(r *run) {
			r.rounds(6, func(int) {
				h := r.pick()
				if !h.running() {
					return
				}
				h.kill(death(r.rand.IntN(2)))
				for range 4 {
					r.underLoad()
				}
				for range r.rand.IntN(4) {
					r.bringUp(h)
					r.load.ring()
					r.pass(400 * time.Millisecond)
					h.kill(death(r.rand.IntN(2)))
				}
				r.bringUp(h)
				r.load.ring()
				r.mustServe()
			})
		},
	},
	{
		name: "snapshot install from a leader that is killed", plan: plan{snapCount: 60, trailing: 16, clients: 5},
		least: oracle.Stats{Writes: 500, Restores: 8},
		play: func(r *run) {
			r.rounds(6, func(int) {
				l := r.mustLead()
				h := r.hosts[(slices.Index(r.hosts, l)+1)%len(r.hosts)]
				h.kill(killed)
				for range 4 {
					r.underLoad()
				}
				r.bringUp(h)
				r.load.ring()
				r.pass(300 * time.Millisecond)
				if up := r.killSome(killed, r.leader); up != nil {
					r.pass(time.Second)
					up()
				}
				r.mustServe()
			})
		},
	},
}
