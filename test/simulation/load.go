package simulation

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"zkd/test/oracle/recorded"
	"zkd/test/wire"
)

// load is what the clients of a run do: bursts of requests, and long rests in which only their sessions live.
type load struct {
	run     *run
	ctx     context.Context
	stop    context.CancelFunc
	hosts   atomic.Int64 // clients so far
	workers []*worker
	tasks   sync.WaitGroup

	mu   sync.Mutex
	bell chan struct{} // closed and replaced by ring
}

// worker is one client after another on a machine of its own.
type worker struct {
	load   *load
	rand   *rand.Rand
	name   string
	kind   mix
	nic    *nic
	c      *recorded.Client
	open   []*recorded.Call
	end    order // how the client ends
	orders chan order
	made   []string // sequential znodes of this worker, to be deleted
}

// mix is what a worker likes to do.
type mix struct {
	writes, watches, ephemerals, syncs float64 // shares
	depth                              int     // requests under way
	pause                              time.Duration
	rate                               int // bytes a second that its link brings, 0 for any
}

// narrowWindow is what may be on the way to a worker whose link has a rate.
const narrowWindow = 512

func (r *run) startLoad(workers int) *load {
	ctx, stop := context.WithCancel(context.Background())
	l := &load{run: r, ctx: ctx, stop: stop, bell: make(chan struct{})}
	for i := range workers {
		rnd := rand.New(rand.NewPCG(r.seed, uint64(1000+i)))
		w := &worker{load: l, orders: make(chan order, 1), rand: rnd, name: fmt.Sprintf("client %d", i), kind: mix{
			writes: 0.3 + 0.6*rnd.Float64(), watches: rnd.Float64() * 0.7, ephemerals: rnd.Float64() * 0.4, syncs: rnd.Float64() * 0.15,
			depth: 1 + rnd.IntN(12), pause: time.Duration(1+rnd.IntN(100)) * time.Millisecond,
		}}
		if !r.quiet && rnd.IntN(4) == 0 { // a quiet run judges by what clients send when their sessions have to end
			w.kind.rate = 200 + rnd.IntN(5000)
		}
		l.workers = append(l.workers, w)
		l.tasks.Go(w.run)
	}
	return l
}

// end stops the clients where they are; half of them say goodbye.
func (l *load) end() { l.stop() }

// order is what a worker is told to do.
type order uint8

const (
	goOn     order = iota
	goAway         // end the client without a word
	vanish         // take its machine off the network
	findNext       // look for another server
)

// vanish makes half of the clients go without a word. With their machines nobody answers for them any more; without,
// their connections are closed.
func (l *load) vanish(machines bool) {
	o := goAway
	if machines {
		o = vanish
	}
	for _, i := range l.run.rand.Perm(len(l.workers))[:(len(l.workers)+1)/2] {
		l.workers[i].tell(o)
	}
}

// moveAll makes all clients look for another server.
func (l *load) moveAll() {
	for _, w := range l.workers {
		w.tell(findNext)
	}
}

// tell gives an order, unless the worker has not got to the last one.
func (w *worker) tell(o order) {
	select {
	case w.orders <- o:
	default:
	}
}

// obey does what the worker was told; it is done with a client that is to go.
func (w *worker) obey(o order) {
	switch o {
	case findNext:
		w.c.MoveTo(w.load.ctx, w.servers()...)
	case goAway, vanish:
		w.end = o
	}
}

func (w *worker) run() {
	for w.load.ctx.Err() == nil {
		w.begin()
		for w.load.ctx.Err() == nil && !w.c.Over() {
			if w.rand.Float64() < 0.03 {
				w.end = [...]order{goOn, goAway, vanish}[w.rand.IntN(3)]
				break
			}
			w.burst()
			w.rest()
			if w.end != goOn {
				break
			}
			if w.rand.Float64() < 0.2 {
				w.c.MoveTo(w.load.ctx, w.servers()...)
			}
		}
		w.part()
	}
}

// begin starts a client.
func (w *worker) begin() {
	r := w.load.run
	w.nic = r.net.attach(firstClient + int(w.load.hosts.Add(1)))
	w.made, w.open, w.end = nil, nil, goOn
	ticks := 2 + w.rand.IntN(12)
	w.c = recorded.New(recorded.Options{
		Name: w.name, Servers: w.servers(), History: r.history, Timeout: time.Duration(ticks) * r.plan.tick, Depth: w.kind.depth,
		Dial: w.dial,
	})
}

func (w *worker) dial(ctx context.Context, address string) (net.Conn, error) {
	if w.kind.rate > 0 {
		w.nic.window = narrowWindow
	}
	nc, err := w.nic.Dial(ctx, "tcp", address)
	if err != nil || w.kind.rate == 0 {
		return nc, err
	}
	return recorded.Slow(nc, w.kind.rate), nil
}

// part ends a client: it says goodbye, or just goes, or its machine does.
func (w *worker) part() {
	switch w.end {
	case goOn:
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		_ = w.c.Close(ctx) // it may well not get through
		cancel()
	case vanish:
		w.nic.kill(false)
	}
	w.c.Abandon()
	w.nic.kill(true)
}

// servers returns the addresses of all servers in some order.
func (w *worker) servers() (list []string) {
	hosts := w.load.run.members()
	for _, i := range w.rand.Perm(len(hosts)) {
		list = append(list, address(hosts[i].id, clientPort))
	}
	return list
}

func (w *worker) sleep(d time.Duration) {
	select {
	case <-w.load.ctx.Done():
	case <-time.After(d):
	}
}

// rest waits for the next burst: most come when something else is about to happen.
func (w *worker) rest() {
	rest := time.NewTimer(time.Duration(w.rand.Int64N(int64(2 * meanRest))))
	defer rest.Stop()
	for {
		select {
		case <-w.load.ctx.Done():
			return
		case <-rest.C:
			return
		case o := <-w.orders:
			w.obey(o)
			return
		case <-w.load.rung():
			if w.rand.IntN(3) > 0 {
				w.sleep(time.Duration(w.rand.Int64N(int64(bellLead))))
				return
			}
		}
	}
}

const (
	meanRest = 90 * time.Second
	// bellLead is how long before a fault the bell rings.
	bellLead = 300 * time.Millisecond
)

// ring calls the clients to work, and lets them begin.
func (l *load) ring() {
	l.mu.Lock()
	close(l.bell)
	l.bell = make(chan struct{})
	l.mu.Unlock()
}

func (l *load) rung() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bell
}

func (w *worker) burst() {
	end := time.Now().Add(time.Duration(w.rand.Int64N(int64(4 * time.Second))))
	for range 5 + w.rand.IntN(40) {
		if !time.Now().Before(end) || w.load.ctx.Err() != nil || w.c.Over() {
			return
		}
		w.request(end)
		select {
		case o := <-w.orders:
			if w.obey(o); w.end != goOn {
				return
			}
		default:
		}
		if len(w.open) == 0 || w.rand.IntN(w.kind.depth) == 0 {
			w.sleep(time.Duration(w.rand.Int64N(int64(w.kind.pause))))
		}
	}
}

// request sends one, or a few that belong together.
func (w *worker) request(end time.Time) {
	ctx, cancel := context.WithDeadline(w.load.ctx, end)
	defer cancel()
	if len(w.open) >= w.kind.depth {
		r, err := w.open[0].Wait(ctx)
		if ctx.Err() != nil {
			return
		}
		w.open = w.open[1:]
		if err == nil && r.Err == 0 && len(w.made) < 20 && r.Path != nil && strings.HasPrefix(*r.Path, "/seq/") {
			w.made = append(w.made, *r.Path)
		}
	}
	op, body := w.pick()
	call, err := w.c.Send(ctx, op, body)
	if err == nil {
		w.open = append(w.open, call)
	}
}

// names of the znodes: few, so that clients meet.
func (w *worker) path() string {
	p := fmt.Sprintf("/k%d", w.rand.IntN(4))
	if w.rand.IntN(2) == 0 {
		p += fmt.Sprintf("/c%d", w.rand.IntN(4))
	}
	return p
}

func (w *worker) data() []byte {
	n := w.rand.IntN(40)
	if w.rand.IntN(200) == 0 {
		n = w.rand.IntN(20000)
	}
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(w.rand.Uint32())
	}
	return b
}

func (w *worker) version() int32 {
	if w.rand.IntN(3) == 0 {
		return int32(w.rand.IntN(6))
	}
	return -1
}

const (
	ephemeral  = 1
	sequential = 2
)

func (w *worker) create() (wire.Op, wire.Body) {
	c := wire.Create{Path: w.path(), Data: w.data(), ACL: wire.OpenACL}
	switch op := [...]wire.Op{wire.OpCreate, wire.OpCreate, wire.OpCreate2, wire.OpCreateContainer, wire.OpCreateTTL}[w.rand.IntN(5)]; {
	case w.rand.Float64() < w.kind.ephemerals:
		c.Flags = ephemeral
		if w.rand.IntN(2) == 0 {
			c.Path, c.Flags = "/seq/e-", ephemeral|sequential
		} else {
			c.Path = fmt.Sprintf("/k%d/e%d", w.rand.IntN(4), w.rand.IntN(3))
		}
		return wire.OpCreate2, c
	case w.rand.IntN(6) == 0:
		c.Path, c.Flags = "/seq/s-", sequential
		return wire.OpCreate, c
	case op == wire.OpCreateContainer:
		c.Flags = 4
		return op, c
	case op == wire.OpCreateTTL:
		c.Flags = 5
		return op, wire.CreateTTL{Create: c, TTL: int64(1000 + w.rand.IntN(60000))}
	default:
		return op, c
	}
}

func (w *worker) pick() (wire.Op, wire.Body) {
	x := w.rand.Float64()
	switch {
	case x < w.kind.syncs:
		return wire.OpSync, wire.Path("/")
	case x < w.kind.syncs+w.kind.writes*(1-w.kind.syncs):
		return w.write()
	}
	return w.read()
}

func (w *worker) write() (wire.Op, wire.Body) {
	switch w.rand.IntN(10) {
	case 0, 1, 2:
		return w.create()
	case 3:
		if n := len(w.made); n > 0 {
			p := w.made[n-1]
			w.made = w.made[:n-1]
			return wire.OpDelete, wire.PathVersion{Path: p, Version: -1}
		}
		return wire.OpDelete, wire.PathVersion{Path: w.path(), Version: w.version()}
	case 4:
		return wire.OpDelete, wire.PathVersion{Path: w.path(), Version: w.version()}
	case 5:
		m := wire.Multi{}
		for range 1 + w.rand.IntN(4) {
			m.Ops = append(m.Ops, w.subOp())
		}
		return wire.OpMulti, m
	default:
		return wire.OpSetData, wire.SetData{Path: w.path(), Data: w.data(), Version: w.version()}
	}
}

func (w *worker) subOp() wire.SubOp {
	switch w.rand.IntN(5) {
	case 0:
		return wire.SubOp{Op: wire.OpCreate, Body: wire.Create{Path: w.path(), Data: w.data(), ACL: wire.OpenACL}}
	case 1:
		return wire.SubOp{Op: wire.OpDelete, Body: wire.PathVersion{Path: w.path(), Version: -1}}
	case 2:
		return wire.SubOp{Op: wire.OpCheck, Body: wire.PathVersion{Path: w.path(), Version: w.version()}}
	default:
		return wire.SubOp{Op: wire.OpSetData, Body: wire.SetData{Path: w.path(), Data: w.data(), Version: -1}}
	}
}

func (w *worker) read() (wire.Op, wire.Body) {
	watch := w.rand.Float64() < w.kind.watches
	p := w.path()
	switch w.rand.IntN(9) {
	case 0, 1, 2:
		return wire.OpGetData, wire.PathWatch{Path: p, Watch: watch}
	case 3, 4:
		return wire.OpExists, wire.PathWatch{Path: p, Watch: watch}
	case 5:
		return wire.OpGetChildren2, wire.PathWatch{Path: p, Watch: watch}
	case 6:
		return wire.OpGetChildren, wire.PathWatch{Path: "/seq", Watch: watch}
	case 7:
		if watch {
			return wire.OpAddWatch, wire.PathType{Path: p, Type: int32(w.rand.IntN(2))}
		}
		return wire.OpGetACL, wire.Path(p)
	default:
		if watch {
			return wire.OpRemoveWatches, wire.PathType{Path: p, Type: int32(1 + w.rand.IntN(5))}
		}
		return wire.OpGetEphemerals, wire.Path("/")
	}
}
