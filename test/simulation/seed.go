package simulation

import (
	"context"
	"math/rand/v2"
	"net"
	"time"

	"zkd/test/oracle"
	"zkd/test/oracle/recorded"
	"zkd/test/wire"
)

// draw makes the plan of a random run.
func draw(seed uint64) plan {
	r := rand.New(rand.NewPCG(seed, 0))
	p := plan{
		servers: 3, tick: time.Second, snapCount: 100 + r.IntN(2000), trailing: uint64(32 + r.IntN(300)), engine: "wal",
		delay: time.Duration(50+r.IntN(950)) * time.Microsecond, clients: 2 + r.IntN(4), length: time.Duration(5+r.IntN(7)) * time.Minute,
		calm: time.Duration(1+r.IntN(10)) * time.Minute,
	}
	switch r.IntN(10) {
	case 0:
		p.servers = 1
	case 1, 2, 3:
		p.servers = 5
	case 4, 5:
		p.observers = 1
	}
	if r.IntN(3) == 0 {
		p.tick = time.Duration(300+r.IntN(2000)) * time.Millisecond
	}
	p.jumps = r.IntN(4) == 0
	if r.IntN(32) == 0 {
		p.engine = "bolt"
	}
	return p
}

// play is a whole random run.
func (r *run) play() {
	r.startAll()
	if r.failed() == nil {
		r.load = r.startLoad(r.plan.clients)
		// Faults come at the same times in every run of a seed, however long the ensemble took to form. What stands
		// after the first half stands for long, and nothing else happens.
		calm := formed + r.plan.length/2
		r.inject(formed, calm)
		r.inject(calm+r.plan.calm, calm+r.plan.calm+r.plan.length/2)
		r.settle()
	}
	r.finish(oracle.Stats{Entries: 50, Writes: 20, Reads: 10, Sessions: 2})
}

// formed is when an ensemble has long been formed.
const formed = 20 * time.Second

// startAll starts an ensemble and makes the znodes that the load is about.
func (r *run) startAll() {
	for _, i := range r.rand.Perm(len(r.hosts)) {
		r.hosts[i].start()
	}
	r.makeNodes()
}

// makeNodes makes them, by a server that may be about to come up, and waits until all serve.
func (r *run) makeNodes() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute+300*r.plan.delay)
	defer cancel()
	c := r.client("founder", r.hosts[0])
	defer c.Abandon()
	for _, path := range []string{"/probe", "/seq", "/k0", "/k1", "/k2", "/k3"} {
		if _, err := c.Do(ctx, wire.OpCreate, wire.Create{Path: path, ACL: wire.OpenACL}); err != nil {
			r.failf("the ensemble does not form: create %s: %v; %s", path, err, r.describe())
			return
		}
	}
	if err := c.Close(ctx); err != nil {
		r.failf("the ensemble does not form: close: %v", err)
	}
	r.mustServe()
}

// settle ends the faults and the load, and demands that the ensemble is well.
func (r *run) settle() {
	r.works(r.healMajority(), false, majorityLives, "a majority is whole")
	if r.failed() == nil {
		r.healAll()
		r.works(r.hosts, true, allLive, "all is whole")
	}
	r.load.end()
	r.load.tasks.Wait()
	if r.failed() == nil {
		// Clients that left without a word leave sessions, which end.
		time.Sleep((longestSession + 5) * r.plan.tick)
		r.equal()
	}
}

// client starts a client that knows one server only.
func (r *run) client(name string, h *host) *recorded.Client {
	return recorded.New(recorded.Options{
		Name: name, Servers: []string{address(h.id, clientPort)}, History: r.history, Timeout: 10 * r.plan.tick,
		Dial: r.dialer(prober), Patience: 20 * time.Second, // a leader with a slow disk leads
	})
}

// dialer connects from a host whose network never goes away.
func (r *run) dialer(host int) func(context.Context, string) (net.Conn, error) {
	nic := r.net.known(host)
	return func(ctx context.Context, address string) (net.Conn, error) { return nic.Dial(ctx, "tcp", address) }
}
