package soak

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"zkd/test/ensemble"
	"zkd/test/oracle"
	"zkd/test/oracle/recorded"
	"zkd/test/wire"
)

// The clients of a run. All together they send some hundred requests a second: faults are what is to be hard, not load.
const (
	singles = 14 // have a few requests under way
	divers  = 2  // have many
	narrow  = 2  // have many, over links that take longer for what they ask than others
)

// What the links of narrow clients bring in a second, and keep on the way.
const (
	narrowRate = 16 << 10
	narrowRoom = 4 << 10
)

// The namespaces that clients live in: apart from all servers, so that links between clients and servers can be cut
// and those between servers not, and the other way round.
var clientSpaces = []int{201, 202}

// fleet is the clients of a run. What they are told is judged all along by the sequence that the servers have committed.
type fleet struct {
	r             *run
	history       *oracle.History
	sequence      *oracle.Sequence
	checker       *oracle.Checker
	since         atomic.Int64 // zxid below which nothing can be judged any more
	spaces        []*ensemble.Space
	writes, reads meter
	written, read atomic.Int64 // answered requests
	unknown       atomic.Int64
	sessions      atomic.Int64
	round         atomic.Int64

	ctx    context.Context
	cancel context.CancelFunc
	hold   sync.RWMutex // held for writing while nobody may send
	all    sync.WaitGroup
	sail   []*member

	operator *operator
}

// member is one client with one session at a time.
type member struct {
	f      *fleet
	n      int
	deep   bool
	rnd    *rand.Rand
	client atomic.Pointer[recorded.Client]
	own    []string     // sequential znodes that it made and has not deleted
	wrote  atomic.Int64 // when the last acknowledged write was called, on the run's clock
}

func newFleet(r *run, network *ensemble.Network) *fleet {
	f := &fleet{r: r, history: oracle.NewHistory(), sequence: oracle.NewSequence()}
	f.checker = oracle.NewChecker(f.history, f.sequence, oracle.Options{Clock: oracle.LeaderClock, Second: isCounter})
	f.ctx, f.cancel = context.WithCancel(context.Background())
	for _, id := range clientSpaces {
		f.spaces = append(f.spaces, network.Space(r, id))
	}
	return f
}

// start lets the clients go.
func (f *fleet) start() {
	first := f.newMember(0, false)
	for _, path := range folders() {
		for {
			reply, err := first.client.Load().Do(f.ctx, wire.OpCreate, wire.Create{Path: path, ACL: wire.OpenACL})
			if err == nil && (reply.Err == 0 || reply.Err == wire.CodeNodeExists) {
				break
			}
		}
	}
	f.sail = append(f.sail, first)
	for i := 1; i < singles+divers+narrow; i++ {
		f.sail = append(f.sail, f.newMember(i, i >= singles))
	}
	for _, m := range f.sail {
		f.all.Go(m.run)
	}
	f.operator = newOperator(f)
}

func (f *fleet) newMember(n int, deep bool) *member {
	m := &member{f: f, n: n, deep: deep, rnd: rand.New(rand.NewPCG(f.r.opts.Seed, uint64(n)))}
	m.begin()
	return m
}

// begin starts a session.
func (m *member) begin() {
	var servers []string
	addresses := m.f.addresses()
	for _, i := range m.rnd.Perm(len(addresses)) {
		servers = append(servers, addresses[i])
	}
	timeout := []time.Duration{6 * time.Second, 10 * time.Second, 20 * time.Second}[m.rnd.IntN(3)]
	rate := 0
	if m.n >= singles+divers {
		rate = narrowRate
	}
	m.client.Store(m.f.newClient(fmt.Sprintf("client %d", m.n), m.n, timeout, rate, servers))
}

func (f *fleet) addresses() (all []string) {
	for _, s := range f.r.e.Servers {
		all = append(all, s.Addr())
	}
	return all
}

// newClient makes a client in one of the clients' namespaces, whose link brings some bytes a second, or any for 0.
func (f *fleet) newClient(name string, n int, timeout time.Duration, rate int, servers []string) *recorded.Client {
	space := f.spaces[n%len(f.spaces)]
	f.sessions.Add(1)
	return recorded.New(recorded.Options{
		Name: name, Servers: servers, History: f.history, Timeout: timeout, Since: f.since.Load(),
		Dial: func(ctx context.Context, address string) (net.Conn, error) {
			wait := time.Second
			if end, ok := ctx.Deadline(); ok {
				wait = max(time.Until(end), time.Millisecond)
			}
			nc, err := space.Dial(address, wait)
			if err != nil || rate == 0 {
				return nc, err
			}
			if err := nc.(*net.TCPConn).SetReadBuffer(narrowRoom); err != nil {
				return nil, errors.Join(err, nc.Close())
			}
			return recorded.Slow(nc, rate), nil
		},
	})
}

func (m *member) run() {
	defer func() { m.client.Load().Abandon() }()
	for {
		pause := time.Duration(m.rnd.ExpFloat64() * float64(20*time.Millisecond))
		if m.deep {
			pause *= 5
		}
		select {
		case <-m.f.ctx.Done():
			return
		case <-time.After(pause):
		}
		m.f.hold.RLock()
		if m.f.ctx.Err() == nil {
			m.burst()
		}
		m.f.hold.RUnlock()
	}
}

// burst sends some requests and waits for what becomes of them.
func (m *member) burst() {
	if m.client.Load().Over() || m.rnd.IntN(vanishing) == 0 {
		m.client.Load().Abandon()
		m.begin()
	}
	n := 1
	if m.deep {
		n = 5 + m.rnd.IntN(20)
	} else if m.rnd.IntN(6) == 0 {
		n = 2 + m.rnd.IntN(4)
	}
	type sent struct {
		request
		at   time.Duration
		call *recorded.Call
	}
	var all []sent
	for len(all) < n {
		for _, q := range m.draw() {
			at := m.f.r.now()
			call, err := m.client.Load().Send(m.f.ctx, q.op, q.body)
			if err != nil {
				n = 0
				break
			}
			all = append(all, sent{q, at, call})
		}
	}
	for _, s := range all {
		reply, err := s.call.Wait(m.f.ctx)
		m.told(s.request, s.at, reply, err)
	}
}

// told counts what became of a request.
func (m *member) told(q request, at time.Duration, reply *wire.Reply, err error) {
	f, now := m.f, m.f.r.now()
	switch {
	case err != nil:
		if q.op.Takes() {
			f.unknown.Add(1)
		}
		return
	case q.op.Takes():
		f.written.Add(1)
		f.writes.note(now, now-at)
		m.wrote.Store(int64(at))
	default:
		f.read.Add(1)
		f.reads.note(now, now-at)
	}
	if reply.Err == 0 && reply.Path != nil && q.sequential {
		m.own = append(m.own, *reply.Path)
	}
}

// awaitAll waits until each client has had a write acknowledged that it sent after now, but for those that are with one
// of the servers from which nothing is demanded.
func (f *fleet) awaitAll(but ...*ensemble.Server) {
	since := f.r.now()
	for _, m := range f.sail {
		f.r.e.Await(fmt.Sprintf("client %d writes again", m.n), func() bool {
			at := m.at()
			return time.Duration(m.wrote.Load()) >= since || f.ctx.Err() != nil ||
				slices.ContainsFunc(but, func(s *ensemble.Server) bool { return s.Addr() == at })
		})
	}
}

// at is the address of the server that the client is connected to.
func (m *member) at() string { return m.client.Load().Server() }

// rest waits until nothing is under way and lets nothing be sent until the returned function is called. Sessions live
// on.
func (f *fleet) rest() (goOn func()) {
	f.hold.Lock()
	return f.hold.Unlock
}

// judge compares what is certain with what was committed.
func (f *fleet) judge() {
	f.checker.Advance()
	f.since.Store(f.checker.Zxid())
	f.r.judged = f.checker.Stats()
	f.complain(f.checker.Faults())
}

// settle demands that every server has applied everything.
func (f *fleet) settle() {
	var names []string
	for _, s := range f.r.e.Servers {
		names = append(names, s.String())
	}
	f.sequence.Settled(names...)
}

// finish judges the rest, when all servers have ended.
func (f *fleet) finish() {
	f.complain(f.checker.Finish())
	f.r.judged = f.checker.Stats()
}

func (f *fleet) complain(faults []oracle.Fault) {
	for _, fault := range faults {
		f.r.during(Check(fault.Check))
		f.r.Error(fault.Detail)
	}
}

// end closes all sessions.
func (f *fleet) end() {
	f.hold.Lock() // nobody is within a burst
	for _, m := range f.sail {
		ctx, cancel := context.WithTimeout(context.Background(), ensemble.Patience)
		if err := m.client.Load().Close(ctx); err != nil {
			f.r.Errorf("client %d cannot close its session: %v", m.n, err)
		}
		cancel()
	}
	f.cancel() // or they would begin other sessions
	f.hold.Unlock()
	f.operator.end()
	f.abandon()
}

// abandon ends the clients, wherever they are.
func (f *fleet) abandon() {
	f.cancel()
	f.all.Wait()
	if f.operator != nil {
		f.operator.client.Abandon()
	}
}
