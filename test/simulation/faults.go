package simulation

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"zkd/consensus/store"
)

// fault is something that happens to an ensemble. do makes it happen and returns how to end it; it returns nil where
// it could not happen, and a function that does nothing where there is nothing to end.
type fault struct {
	name   string
	weight int
	do     func(r *run) (undo func())
}

var faults = []fault{
	{"kill", 6, func(r *run) func() { return r.killSome(killed, r.pick) }},
	{"kill the leader", 6, func(r *run) func() { return r.killSome(killed, r.leader) }},
	{"kill all", 2, func(r *run) func() { return r.killAll(killed) }},
	{"power loss", 4, func(r *run) func() { return r.killSome(powerOff, r.pick) }},
	{"power loss of the leader", 3, func(r *run) func() { return r.killSome(powerOff, r.leader) }},
	{"power loss of all", 2, func(r *run) func() { return r.killAll(powerOff) }},
	{"stop", 3, (*run).stopOne},
	{"stop and kill", 3, (*run).stopAndKill},
	{"pause", 5, (*run).pauseOne},
	{"leader alone", 4, func(r *run) func() { return r.isolate(r.leader()) }},
	{"one alone", 2, func(r *run) func() { return r.isolate(r.pick()) }},
	{"halves", 3, (*run).halves},
	{"bridge", 2, (*run).bridge},
	{"ring", 2, (*run).ring},
	{"one way", 5, (*run).oneWay},
	{"clients cut off", 2, (*run).clientsCutOff},
	{"peers cut off", 3, (*run).peersCutOff},
	{"slow", 3, (*run).slowLinks},
	{"loss", 3, (*run).lossyLinks},
	{"narrow", 1, (*run).narrowLinks},
	{"reset", 4, (*run).resetSome},
	{"half open", 4, (*run).halfOpen},
	{"clock", 8, (*run).jump},
	{"slow disk", 4, (*run).slowDisk},
	{"hung disk", 2, (*run).hungDisk},
	{"full disk", 2, (*run).fullDisk},
	{"disk error", 4, (*run).diskError},
	{"ambush", 8, (*run).ambush},
}

// throw is what is drawn for one fault before anything is known of the servers.
type throw struct {
	gap, lead, hold time.Duration // since the one before; from the bell on; how long it lasts
	fault           *fault
	rand            *rand.Rand // of what else is drawn for it
}

// throwNext draws a fault. What it is follows from the seed and from how many there were before, not from what came of
// those: who led, or which server was down, would otherwise change all that comes later.
func (r *run) throwNext() throw {
	r.throws++
	rnd := rand.New(rand.NewPCG(r.seed, firstThrow+r.throws))
	return throw{gap: gap(rnd), lead: time.Duration(rnd.Int64N(int64(2 * bellLead))), hold: hold(rnd), fault: choose(rnd), rand: rnd}
}

// firstThrow keeps what throws draw apart from what all others do.
const firstThrow = 1 << 32

// choose draws a kind of fault.
func choose(rnd *rand.Rand) *fault {
	sum := 0
	for i := range faults {
		sum += faults[i].weight
	}
	x := rnd.IntN(sum)
	for i := range faults {
		if x -= faults[i].weight; x < 0 {
			return &faults[i]
		}
	}
	panic("unreachable")
}

// pick draws a host.
func (r *run) pick() *host { return r.hosts[r.rand.IntN(len(r.hosts))] }

// members are the hosts that clients and peers know.
func (r *run) members() []*host { return r.hosts }

// nothing is what ends a fault that ends by itself.
func nothing() {}

// inject lets faults happen from one time to another: each one for a while, some at the same time.
func (r *run) inject(from, until time.Duration) {
	type end struct {
		at   time.Duration
		undo func()
	}
	var ends []end
	time.Sleep(from - r.now())
	t := r.throwNext()
	next := from + t.gap
	for r.now() < until {
		wake := next
		for _, e := range ends {
			wake = min(wake, e.at)
		}
		time.Sleep(min(wake, until) - r.now())
		ends = slices.DeleteFunc(ends, func(e end) bool {
			if e.at > r.now() {
				return false
			}
			e.undo()
			return true
		})
		if r.now() < next {
			continue
		}
		r.thrown = append(r.thrown, fmt.Sprintf("%v %s", next, t.fault.name))
		r.rand = t.rand
		if len(ends) < 3 {
			r.load.ring()
			time.Sleep(t.lead)
			if undo := t.fault.do(r); undo != nil {
				r.injected[t.fault.name]++
				ends = append(ends, end{next + t.lead + t.hold, undo})
			}
		}
		t = r.throwNext()
		next += t.gap
	}
	r.rand = t.rand
	for _, e := range ends {
		r.left = append(r.left, e.undo)
	}
}

// gap is the time between two faults: mostly long, now and then none.
func gap(rnd *rand.Rand) time.Duration {
	if rnd.IntN(4) == 0 {
		return time.Duration(rnd.Int64N(int64(2 * time.Second)))
	}
	return time.Duration(rnd.Int64N(int64(40 * time.Second)))
}

// hold is how long a fault lasts: around the times after which servers draw conclusions.
func hold(rnd *rand.Rand) time.Duration {
	switch rnd.IntN(4) {
	case 0:
		return time.Duration(rnd.Int64N(int64(time.Second)))
	case 1:
		return time.Duration(rnd.Int64N(int64(4 * time.Second)))
	}
	return time.Duration(rnd.Int64N(int64(30 * time.Second)))
}

func (r *run) killSome(d death, which func() *host) func() {
	h := which()
	if h == nil || !h.running() {
		return nil
	}
	r.note("server %d: %v", h.id, d)
	h.kill(d)
	return func() { r.bringUp(h) }
}

func (r *run) killAll(d death) func() {
	r.note("all servers: %v", d)
	for _, i := range r.rand.Perm(len(r.hosts)) {
		if h := r.hosts[i]; h.running() {
			h.kill(d)
		}
	}
	return func() { r.bringUp(r.hosts...) }
}

// endsWithin is how long a process takes at most that was told to stop, with a disk that hangs, too.
const endsWithin = time.Minute

// bringUp starts those that do not run. Who was told to stop has to end first.
func (r *run) bringUp(hosts ...*host) {
	for _, h := range hosts {
		if h.stopping() && !r.await(endsWithin, func() bool { return !h.running() }) {
			r.failf("I8 live: server %d was told to stop, and has not ended for %v", h.id, endsWithin)
		}
		if !h.running() {
			r.note("server %d starts", h.id)
			h.start()
		}
	}
}

func (r *run) stopOne() func() {
	h := r.pick()
	if !h.running() {
		return nil
	}
	r.note("server %d is told to stop", h.id)
	h.tellToStop()
	return func() { r.bringUp(h) }
}

// stopAndKill kills a leader while it hands over.
func (r *run) stopAndKill() func() {
	h := r.leader()
	if h == nil {
		return nil
	}
	r.note("server %d, the leader, is told to stop", h.id)
	h.tellToStop()
	time.Sleep(time.Duration(r.rand.Int64N(int64(5 * time.Millisecond))))
	if h.running() {
		r.note("server %d: %v", h.id, killed)
		h.kill(killed)
	}
	return func() { r.bringUp(h) }
}

// between puts the paths between two sets of hosts into a state, both directions.
func (r *run) between(s state, a, b []int) {
	for _, x := range a {
		for _, y := range b {
			if x != y {
				r.net.set(x, y, s)
				r.net.set(y, x, s)
			}
		}
	}
}

func (r *run) ids() (list []int) {
	for _, h := range r.hosts {
		list = append(list, h.id)
	}
	return list
}

// clientHosts are the machines of all clients so far.
func (r *run) clientHosts() (list []int) {
	if r.load != nil {
		for i := range int(r.load.hosts.Load()) + 1 {
			list = append(list, firstClient+i)
		}
	}
	return list
}

func (r *run) isolate(h *host) func() {
	if h == nil || len(r.hosts) < 2 {
		return nil
	}
	r.note("server %d is cut off", h.id)
	all := r.ids()
	if r.rand.IntN(2) == 0 {
		all = append(all, r.clientHosts()...)
	}
	r.between(cut, []int{h.id}, all)
	return func() {
		r.note("server %d is connected again", h.id)
		r.between(open, []int{h.id}, all)
	}
}

func (r *run) halves() func() {
	if len(r.hosts) < 2 {
		return nil
	}
	all := r.ids()
	r.rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	if l := r.leader(); l != nil && r.rand.IntN(2) == 0 { // into the smaller one
		i := slices.Index(all, l.id)
		all[0], all[i] = all[i], all[0]
	}
	n := len(all) / 2
	r.note("%v is cut off from %v", all[:n], all[n:])
	r.between(cut, all[:n], all[n:])
	return func() {
		r.note("%v is connected to %v", all[:n], all[n:])
		r.between(open, all[:n], all[n:])
	}
}

// bridge leaves one server that sees all others, who are two groups.
func (r *run) bridge() func() {
	if len(r.hosts) < 3 {
		return nil
	}
	all := r.ids()
	r.rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	n := 1 + (len(all)-1)/2
	r.note("%v is cut off from %v, %d sees all", all[1:n], all[n:], all[0])
	r.between(cut, all[1:n], all[n:])
	return func() {
		r.note("%v is connected to %v", all[1:n], all[n:])
		r.between(open, all[1:n], all[n:])
	}
}

// ring leaves each server its two neighbours; of three, each hears only the one before it.
func (r *run) ring() func() {
	n := len(r.hosts)
	if n < 3 {
		return nil
	}
	all := r.ids()
	var shut [][2]int
	for i := range all {
		for j := range all {
			near := (i+1)%n == j || n > 3 && (j+1)%n == i
			if i != j && !near {
				shut = append(shut, [2]int{all[i], all[j]})
			}
		}
	}
	r.note("a ring")
	for _, p := range shut {
		r.net.set(p[0], p[1], cut)
	}
	return func() {
		r.note("no ring any more")
		for _, p := range shut {
			r.net.set(p[0], p[1], open)
		}
	}
}

func (r *run) oneWay() func() {
	h := r.pick()
	if l := r.leader(); l != nil && r.rand.IntN(2) == 0 {
		h = l
	}
	out := r.rand.IntN(2) == 0
	var others []int
	for _, id := range r.ids() {
		if id != h.id && (len(r.hosts) < 3 || r.rand.IntN(3) > 0) {
			others = append(others, id)
		}
	}
	if len(others) == 0 {
		return nil
	}
	r.note("server %d and %v: only one way, out is shut: %t", h.id, others, out)
	put := func(s state) {
		for _, o := range others {
			if out {
				r.net.set(h.id, o, s)
			} else {
				r.net.set(o, h.id, s)
			}
		}
	}
	put(cut)
	return func() {
		r.note("server %d and %v: both ways", h.id, others)
		put(open)
	}
}

func (r *run) clientsCutOff() func() {
	h, clients := r.pick(), r.clientHosts()
	r.note("server %d: no clients", h.id)
	r.between(cut, []int{h.id}, clients)
	return func() {
		r.note("server %d: clients again", h.id)
		r.between(open, []int{h.id}, clients)
	}
}

func (r *run) peersCutOff() func() {
	h := r.pick()
	r.note("server %d: no peers", h.id)
	r.between(cut, []int{h.id}, r.ids())
	return func() {
		r.note("server %d: peers again", h.id)
		r.between(open, []int{h.id}, r.ids())
	}
}

// pauseOne is as near as this comes to a process that is not scheduled: nothing gets in or out, and what it has sent
// and was sent is there when it goes on. Its timers run.
func (r *run) pauseOne() func() {
	h := r.pick()
	if l := r.leader(); l != nil && r.rand.IntN(2) == 0 {
		h = l
	}
	if !h.running() {
		return nil
	}
	all := append(r.ids(), r.clientHosts()...)
	r.note("server %d pauses", h.id)
	r.between(held, []int{h.id}, all)
	return func() {
		r.note("server %d goes on", h.id)
		r.between(open, []int{h.id}, all)
	}
}

func (r *run) shapeLinks(s shape) func() {
	h := r.pick()
	r.note("server %d: links %+v", h.id, s)
	put := func(s shape) {
		for _, o := range append(r.ids(), r.clientHosts()...) {
			if o != h.id {
				r.net.slow(h.id, o, s)
				r.net.slow(o, h.id, s)
			}
		}
	}
	put(s)
	return func() {
		r.note("server %d: links as before", h.id)
		put(shape{})
	}
}

func (r *run) slowLinks() func() {
	return r.shapeLinks(shape{delay: time.Duration(1+r.rand.IntN(400)) * time.Millisecond})
}

func (r *run) lossyLinks() func() { return r.shapeLinks(shape{late: 0.3 * r.rand.Float64()}) }

func (r *run) narrowLinks() func() { return r.shapeLinks(shape{rate: 2000 + r.rand.IntN(50000)}) }

func (r *run) resetSome() func() {
	h := r.pick()
	r.note("server %d: connections are reset", h.id)
	r.net.disturb(h.id, func(c *conn) {
		if r.rand.IntN(2) == 0 {
			c.resetPeer()
			c.breakWith(errReset)
		}
	})
	return nothing
}

func (r *run) halfOpen() func() {
	h := r.pick()
	r.note("server %d: some connections are there on one side only", h.id)
	r.net.disturb(h.id, func(c *conn) {
		if r.rand.IntN(2) == 0 {
			c.breakWith(errReset)
		} else if r.rand.IntN(2) == 0 {
			c.peer.breakWith(errReset)
		}
	})
	return nothing
}

// jump sets the wall clock of a host to another time.
func (r *run) jump() func() {
	if !r.plan.jumps {
		return nil
	}
	h := r.pick()
	by := time.Duration(r.rand.Int64N(int64(4*time.Hour))) - 2*time.Hour
	if r.rand.IntN(3) == 0 {
		by = time.Duration(r.rand.Int64N(int64(time.Second))) - time.Second/2
	}
	r.note("server %d: the clock is off by %v", h.id, by)
	h.skew.Store(int64(by))
	return func() { h.skew.Store(0) }
}

// diskFault does something to the disk of some host. In the end all of it is taken back, and a server that ended by it
// is started again.
func (r *run) diskFault(what string, do func(h *host, d *disk)) func() {
	h := r.pick()
	if l := r.leader(); l != nil && r.rand.IntN(2) == 0 {
		h = l
	}
	r.note("server %d: %s", h.id, what)
	do(h, h.disk)
	return func() {
		r.note("server %d: the disk is as before", h.id)
		h.disk.heal()
		r.bringUp(h)
	}
}

func (r *run) slowDisk() func() {
	least := time.Duration(r.rand.Int64N(int64(20 * time.Millisecond)))
	most := time.Duration(r.rand.Int64N(int64([]time.Duration{50 * time.Millisecond, time.Second, 5 * time.Second}[r.rand.IntN(3)])))
	return r.diskFault(fmt.Sprintf("syncs take %v to %v", least, most), func(_ *host, d *disk) { d.setSlow(least, most) })
}

func (r *run) hungDisk() func() {
	w := []where{{store.OpSync, "log"}, {store.OpSync, ""}, {store.OpCommit, "vote"}, {store.OpWrite, "log"}, {store.OpWrite, "snapshot"}}[r.rand.IntN(5)]
	return r.diskFault(fmt.Sprintf("%v %s hangs", w.kind, w.part), func(_ *host, d *disk) { d.hang(w.kind, w.part) })
}

func (r *run) fullDisk() func() {
	unaware := r.rand.IntN(2) == 0
	return r.diskFault(fmt.Sprintf("the disk is full, and unaware of it: %t", unaware), func(_ *host, d *disk) { d.setFull(unaware) })
}

func (r *run) diskError() func() {
	kinds := []store.OpKind{store.OpWrite, store.OpSync, store.OpSync, store.OpRead, store.OpCommit, store.OpRename, store.OpCreate, store.OpSyncDir, store.OpRemove}
	kind := kinds[r.rand.IntN(len(kinds))]
	part := []string{"log", "", "snapshot"}[r.rand.IntN(3)]
	// Of most kinds there are few while the fault lasts.
	skip, times := r.rand.IntN(3), 1-2*r.rand.IntN(2)
	if part != "snapshot" && (kind == store.OpWrite || kind == store.OpSync) {
		skip = r.rand.IntN(30)
	}
	return r.diskErrorOf(kind, part, skip, times)
}

func (r *run) diskErrorOf(kind store.OpKind, part string, skip, times int) func() {
	return r.diskFault(fmt.Sprintf("%v %s fails after %d, %d times", kind, part, skip, times), func(_ *host, d *disk) { d.fail(kind, part, skip, times) })
}

// ambush kills a server at a named point of what it does to its files.
func (r *run) ambush() func() {
	points := pointsOf(r.plan.engine)
	return r.ambushAt(points[r.rand.IntN(len(points))], r.rand.IntN(20), death(r.rand.IntN(2)))
}

func (r *run) ambushAt(point string, skip int, d death) func() {
	return r.diskFault(fmt.Sprintf("%v at %q after %d", d, point, skip), func(h *host, disk *disk) {
		disk.at(point, skip, func() {
			r.note("server %d is at %q: %v", h.id, point, d)
			r.ambushed.Add(1)
			h.kill(d)
		})
	})
}
