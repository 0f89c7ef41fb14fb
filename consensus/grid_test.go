package consensus

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/raft"

	"zkd/consensus/peer"
	"zkd/consensus/store"
	"zkd/test/memdir"
)

// grid is an ensemble of servers in this process whose power can fail.
type grid struct {
	agreed  int // how often agree was called
	t       *testing.T
	dir     string
	members []peer.Member
	servers map[uint64]*powered
	seed    uint64
	record  record
}

// powered is one server of a grid, on or off.
type powered struct {
	g    *grid
	id   uint64
	disk *platter
	boot int // how often it was started

	node  *Node // nil while it is off
	state *ledger
	stop  context.CancelFunc // of what uses node
	done  sync.WaitGroup
}

// record is what all servers have applied, and what clients were told.
type record struct {
	mu      sync.Mutex
	history map[spot]string
	acked   map[string]bool
	faults  []string
}

func (r *record) fault(format string, args ...any) {
	r.faults = append(r.faults, fmt.Sprintf(format, args...))
}

func (r *record) has(request string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.acked[request]
}

func (r *record) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.acked)
}

// spot is where a batch is in the log.
type spot struct {
	index uint64
	nth   int // of its entry, from 1
}

// ledger is a machine that notes what becomes of requests.
type ledger struct {
	*machine
	of     *record
	server uint64
	last   spot
}

func (l *ledger) Apply(b *Batch) {
	if l.last.index != b.Index {
		l.last = spot{index: b.Index}
	}
	l.last.nth++
	at := l.last
	l.of.mu.Lock()
	defer l.of.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []string
	for {
		request, w, ok := b.Next()
		if !ok {
			break
		}
		name, _, _ := strings.Cut(string(request), "|")
		all = append(all, name)
		if mine, ok := w.(chan struct{}); ok {
			l.of.acked[name] = true
			close(mine)
		}
	}
	l.requests = append(l.requests, all...)
	said := strings.Join(all, ",")
	if before, ok := l.of.history[at]; ok && before != said {
		l.of.fault("server %d applies %q as entry %d, where %q was applied before", l.server, said, at.index, before)
	}
	l.of.history[at] = said
}

func newGrid(t *testing.T, seed uint64) *grid {
	dir := memdir.New(t) // the platter is the disk
	g := &grid{t: t, dir: dir, seed: seed, servers: map[uint64]*powered{}}
	g.record.history, g.record.acked = map[spot]string{}, map[string]bool{}
	for id := uint64(1); id <= 3; id++ {
		g.members = append(g.members, peer.Member{ID: id, Raft: []string{freeAddr(t)}, Link: []string{freeAddr(t)}})
		g.servers[id] = &powered{g: g, id: id, disk: newPlatter(t, seed+id)}
	}
	t.Cleanup(func() {
		g.fail(noSector, 1, 2, 3)
		os.RemoveAll(dir)
	})
	g.start(1, 2, 3)
	g.ready(1, 2, 3)
	for _, p := range g.servers { // who came late is still to get its vote
		g.until("three voters", func() bool {
			servers := p.node.configuration().Servers
			return len(servers) == 3 && !slices.ContainsFunc(servers, func(s raft.Server) bool { return s.Suffrage != raft.Voter }) &&
				rank(servers, p.node.raftID(), "") >= 0
		})
		g.until("committed members", func() bool { r := p.node.raft.Load(); return r.CommitIndex() == r.LastIndex() })
	}
	return g
}

// start starts servers that are off.
func (g *grid) start(ids ...uint64) {
	g.t.Helper()
	g.open(ids...)
	for _, id := range ids {
		p := g.servers[id]
		ctx, stop := context.WithCancel(context.Background())
		n, end := p.node, p.stop
		p.stop = func() { stop(); end() }
		p.done.Go(func() { _ = n.Ready(ctx) }) // its requests go out from then on
	}
}

// open starts servers that have no requests of their own.
func (g *grid) open(ids ...uint64) {
	g.t.Helper()
	for _, id := range ids {
		p := g.servers[id]
		p.boot++
		m := newMachine(0)
		m.members = &Membership{Current: g.members}
		p.state = &ledger{machine: m, of: &g.record, server: id}
		cfg := config(g.t, filepath.Join(g.dir, fmt.Sprint(id)))
		cfg.ServerID, cfg.SnapshotRequests = id, 400
		cfg.Store.NoSync, cfg.Store.Disk, cfg.Store.MinFreeBytes = false, p.disk, 1<<20
		cfg.OnFatal = func(err error) {
			// The end of the process before may be told when this one runs.
			if p.disk.on() && !errors.Is(err, errPower) {
				g.t.Errorf("server %d fails: %v", id, err)
			}
		}
		cfg.Ensemble = &Ensemble{Members: g.members, DialTimeout: time.Second, ReportEvery: 50 * time.Millisecond, CatchUp: time.Minute}
		cfg.tune = func(c *raft.Config) {
			c.HeartbeatTimeout, c.ElectionTimeout = 300*time.Millisecond, 300*time.Millisecond
			c.LeaderLeaseTimeout, c.CommitTimeout = 200*time.Millisecond, 5*time.Millisecond
		}
		n, err := Open(cfg, p.state)
		if err != nil {
			g.t.Fatalf("server %d does not start again: %v", id, err)
		}
		if p.boot > 1 && n.raft.Load() == nil {
			g.t.Errorf("server %d takes its log for damaged", id)
		}
		p.node, p.stop = n, func() {}
	}
}

// ready waits until servers have their place and have applied all.
func (g *grid) ready(ids ...uint64) {
	g.t.Helper()
	for _, id := range ids {
		n := g.servers[id].node
		g.until(fmt.Sprintf("place for server %d", id), func() bool { return n.stream.incarnation.Load() != 0 })
	}
}

func (g *grid) until(what string, ok func() bool) {
	g.t.Helper()
	until(g.t, what, func() bool { g.check(); return ok() })
}

// check ends the test at the first fault.
func (g *grid) check() {
	g.t.Helper()
	g.record.mu.Lock()
	defer g.record.mu.Unlock()
	if len(g.record.faults) > 0 {
		g.t.Fatal(g.record.faults[0])
	}
}

// fail takes the power from servers at the same moment, or kills their
// processes, and ends what is left of them.
func (g *grid) fail(s survival, ids ...uint64) {
	var on []*powered
	for _, id := range ids {
		if p := g.servers[id]; p.node != nil {
			p.disk.cut()
			on = append(on, p)
		}
	}
	var all sync.WaitGroup
	for _, p := range on {
		all.Go(func() {
			p.end()
			p.disk.restore(s)
		})
	}
	all.Wait()
}

// end is Close without what a process does that sees its end coming.
func (p *powered) end() {
	n := p.node
	p.node = nil
	n.fatal(errPower)
	_ = n.net.Close()
	// Raft panics if the store fails while it deals with a peer: let it come to
	// its end first, unless it waits for the disk.
	ended := make(chan struct{})
	p.done.Go(func() {
		defer close(ended)
		select {
		case <-n.started:
			_ = n.shutdown().Error()
		case <-n.life.Done(): // it never was
		}
	})
	select {
	case <-ended:
	case <-time.After(500 * time.Millisecond):
	}
	close(p.disk.dead)
	p.stop()
	n.stream.close()
	n.stop()
	n.entering.Wait()
	n.proposer.Wait()
	n.done.Wait()
	<-ended
	// A store that has not noticed would note how far it got.
	last, _ := n.store.Log().LastIndex()
	_ = n.store.Log().StoreLog(&raft.Log{Index: last + 1, Type: raft.LogNoop})
	_ = n.store.Close()
	p.done.Wait()
}

// submit gives a request to a server, which reports to the record.
func (g *grid) submit(id uint64, request string, size int) chan struct{} {
	w := make(chan struct{})
	g.servers[id].node.Submit(w, []byte(request), []byte("|"+strings.Repeat("x", size)))
	return w
}

// leads waits for a leader that has begun to act as one.
func (g *grid) leads() uint64 {
	g.t.Helper()
	var leader uint64
	g.until("leader", func() bool {
		for id, p := range g.servers {
			if p.node != nil && p.node.syncsBehind() == store.AsLeader {
				leader = id
				return true
			}
		}
		return false
	})
	return leader
}

// others returns the servers but one.
func others(id uint64) (a, b uint64) { return id%3 + 1, (id+1)%3 + 1 }

// agree starts what is off, and checks that all servers come to the same
// sequence, with every acknowledged request in it, none twice.
func (g *grid) agree() []string {
	g.t.Helper()
	for id, p := range g.servers {
		p.disk.takes(0)
		p.disk.release()
		if p.node == nil {
			g.start(id)
		}
	}
	g.ready(1, 2, 3)
	g.agreed++
	for id := range g.servers {
		last := fmt.Sprintf("last-%d-%d", id, g.agreed)
		g.submit(id, last, 1)
		for _, q := range g.servers {
			g.until(last, func() bool { return slices.Contains(q.state.all(), last) })
		}
	}
	all := g.servers[1].state.all()
	for id, p := range g.servers {
		g.until("equal state", func() bool { return len(p.state.all()) >= len(all) })
		if !slices.Equal(p.state.all(), all) {
			g.t.Fatalf("servers 1 and %d have applied other requests", id)
		}
	}
	count := map[string]int{}
	for _, request := range all {
		count[request]++
		if count[request] > 1 {
			g.t.Fatalf("%q was applied twice", request)
		}
	}
	g.record.mu.Lock()
	defer g.record.mu.Unlock()
	for request := range g.record.acked {
		if count[request] == 0 {
			g.t.Fatalf("%q was acknowledged and is lost", request)
		}
	}
	return all
}
