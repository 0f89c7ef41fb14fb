package server

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"zkd/consensus"
	"zkd/internal/mutant"
)

// gate keeps a server from answering for an ensemble that it is cut off from:
// what it holds grows old, and its sessions may have been expired by a leader
// that does not hear of them any more.
//
// One goroutine follows the contact with the leader, ends the connections for
// which it was lost too long, and lets clients in again once this server has
// caught up. Connections compare the time themselves before they answer: a
// process that was stopped must notice before it says anything.
type gate struct {
	srv *Server
	// limit is how long this server serves without contact.
	limit time.Duration
	// contact is when the leader was last known to be there, on the server's
	// clock. It only moves on once everybody for whom that was too late has
	// been sent away. The server that is its whole cluster has it for ever.
	contact atomic.Int64
	// readOnly is set while there is no leader and clients may read all the same.
	readOnly atomic.Bool

	mu    sync.Mutex // guards changes of Server.serving
	begun bool
	ended bool
}

func newGate(srv *Server) *gate {
	g := &gate{srv: srv, limit: math.MaxInt64}
	g.contact.Store(math.MaxInt64)
	if srv.cfg.EnsembleMode() {
		g.limit = max(time.Duration(srv.cfg.SyncLimit)*srv.cfg.TickTime, leastPatience)
		g.contact.Store(0)
	}
	return g
}

// leastPatience bounds limits from below: the heartbeats of a leader with
// nothing to say come up to 300 ms apart (a tenth of raft's heartbeat timeout,
// and up to twice that), and are looked at every 50 ms.
const leastPatience = 600 * time.Millisecond

// patience is how long a connection is served without contact. A leader that
// hears nothing of a session any more may have last heard of it a ping earlier,
// that is a third of its timeout.
func (g *gate) patience(timeout time.Duration) time.Duration {
	return min(g.limit, max(timeout*2/3, leastPatience))
}

// lapsed tells whether a connection with that patience must not be answered.
func (g *gate) lapsed(now, patience time.Duration) bool {
	return now-time.Duration(g.contact.Load()) > patience && !mutant.Is(mutant.Gate)
}

// open lets clients in for the first time.
func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.begun = true
	// What was before concerns nobody: from now on there are clients.
	g.contact.Store(max(g.contact.Load(), int64(g.srv.now()-g.srv.node.Contact())))
	g.srv.serving.Store(!g.ended && !g.abstains())
}

// end sends no client away, but lets no more in.
func (g *gate) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ended = true
	g.srv.serving.Store(false)
}

// run is the gate's goroutine.
func (g *gate) run(ctx context.Context) {
	tick := time.NewTicker(min(50*time.Millisecond, max(g.limit/8, time.Millisecond)))
	defer tick.Stop()
	for {
		g.look(ctx, g.srv.now(), g.srv.node.Contact())
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// look acts upon how long ago there was contact, as of now.
func (g *gate) look(ctx context.Context, now, ago time.Duration) {
	begun := g.hasBegun() // asked first, see open
	last := time.Duration(g.contact.Load())
	at := max(now-ago, last)
	// A gap counts also if it is over: nobody knows what happened meanwhile.
	switch gap := max(at-last, now-at); {
	case !begun || mutant.Is(mutant.Gate):
	case gap > g.limit:
		g.close("no contact with a leader, closing all client connections", "for", gap, "limit", g.limit)
	case g.abstains():
		g.close("this server leads and leaderServes=no, closing all client connections")
	case gap > g.patience(g.srv.cfg.MinSessionTimeout):
		g.srv.conns.drop(func(c *conn) bool { return c.impatient(gap) })
	}
	g.contact.Store(int64(at))
	g.setReadOnly(g.readOnlyDue(now, at))
	if g.closed() && now-at < g.limit && !g.abstains() {
		g.reopen(ctx)
	}
}

// abstains tells whether this server leaves clients to the others because it
// leads.
func (g *gate) abstains() bool {
	cfg := g.srv.cfg
	return !cfg.LeaderServes && cfg.EnsembleMode() && g.srv.node.Role() == consensus.Leading
}

func (g *gate) hasBegun() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.begun
}

func (g *gate) closed() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.begun && !g.ended && !g.srv.serving.Load()
}

// close sends all clients away, but for those who only read, and says why.
func (g *gate) close(why string, args ...any) {
	g.mu.Lock()
	was := g.srv.serving.Swap(false)
	g.mu.Unlock()
	if !was {
		return
	}
	g.srv.log.Warn(why, args...)
	g.srv.conns.drop(func(c *conn) bool {
		c.out.mu.Lock()
		defer c.out.mu.Unlock()
		return !c.readOnly
	})
}

// reopen lets clients in again if this server can catch up soon.
func (g *gate) reopen(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, g.srv.cfg.TickTime)
	defer cancel()
	asked := g.srv.now()
	if !mutant.Is(mutant.CatchUp) && g.srv.node.Sync(ctx) != nil {
		return
	}
	g.contact.Store(max(g.contact.Load(), int64(asked)))
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.ended {
		g.srv.serving.Store(true)
		g.srv.log.Info("in contact with a leader, serving clients again")
	}
}
