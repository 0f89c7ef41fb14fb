package simulation

import (
	"time"

	"zkd/test/oracle"
)

// scenario is a run with a plot. Its name stands in docs/faults.md.
type scenario struct {
	name string
	plan plan // the zero fields are as usual
	play func(r *run)
	// begin starts the ensemble, nil in the usual way.
	begin func(r *run)
	// quiet says that it does no harm to servers, nor to what is between them: sessions then end in time.
	quiet bool
	// plain says that links work or do not, and disks work: who hears of its leader is not far behind it.
	plain bool
	// least is what the run must have had.
	least oracle.Stats
}

// usual fills what a plan leaves open.
func (p plan) usual() plan {
	u := plan{servers: 3, tick: time.Second, snapCount: 1000, trailing: 128, engine: "wal", delay: 300 * time.Microsecond, clients: 4}
	if p.servers > 0 {
		u.servers = p.servers
	}
	if p.tick > 0 {
		u.tick = p.tick
	}
	if p.snapCount > 0 {
		u.snapCount = p.snapCount
	}
	if p.trailing > 0 {
		u.trailing = p.trailing
	}
	if p.engine != "" {
		u.engine = p.engine
	}
	if p.delay > 0 {
		u.delay = p.delay
	}
	if p.clients > 0 {
		u.clients = p.clients
	}
	u.observers, u.jumps, u.byFile = p.observers, p.jumps, p.byFile
	return u
}

// perform is a whole run of a scenario.
func (r *run) perform(s *scenario) {
	if s.begin != nil {
		s.begin(r)
	} else {
		r.startAll()
	}
	if r.failed() == nil {
		r.quiet, r.plain = s.quiet, s.plain
		r.load = r.startLoad(r.plan.clients)
		s.play(r)
		r.settle()
	}
	r.finish(s.least)
}

// rounds does something again and again, each time under load.
func (r *run) rounds(n int, do func(i int)) {
	for i := range n {
		if r.failed() != nil {
			return
		}
		r.underLoad()
		do(i)
	}
}

// underLoad calls the clients to work and lets them begin.
func (r *run) underLoad() {
	r.load.ring()
	time.Sleep(bellLead + time.Duration(r.rand.Int64N(int64(time.Second))))
}

// pass lets some time go by, up to d.
func (r *run) pass(d time.Duration) { time.Sleep(time.Duration(r.rand.Int64N(int64(d)))) }

// mustLead waits for a leader.
func (r *run) mustLead() *host {
	var l *host
	if !r.await(time.Minute, func() bool { l = r.leader(); return l != nil }) {
		r.failf("I8 live: no leader for a minute: %s", r.describe())
		return r.hosts[0]
	}
	return l
}

// mustServe waits until all servers that run have come up.
func (r *run) mustServe() {
	if !r.await(allLive, func() bool {
		for _, h := range r.hosts {
			if h.running() && h.server() == nil {
				return false
			}
		}
		return true
	}) {
		r.failf("I8 live: a server does not come up: %s", r.describe())
	}
}
