package server

import (
	"context"
	"sync"
	"time"

	"zkd/internal/mutant"
)

// A session lives as long as its client gets on. Mostly that shows when its
// requests are taken up. But a client may be busy for longer than its timeout
// with what this server has for it, or with a request that is long: while
// somebody here waits for it to take a reply, its pings are not read. Then every
// byte that it takes or sends is a sign of life. Where it is this server that
// lets a client wait, see waitsLocked.

// rounds look for such signs. A connection is looked at when somebody waits for
// its client to take something, or when it has been quiet for longer than an idle
// client is, which sends a ping each third of its timeout; and from then on
// several times in each timeout. So an idle connection costs next to nothing.
type rounds struct {
	srv   *Server
	every time.Duration

	mu   sync.Mutex
	due  map[int64]map[*conn]struct{} // by the number of the round
	next int64                        // of a round
}

func newRounds(srv *Server) *rounds {
	// Two looks are needed, and the leader has to be told, before two ticks are over.
	every := max(min(srv.cfg.TickTime/4, srv.cfg.MinSessionTimeout/8), 10*time.Millisecond)
	return &rounds{srv: srv, every: every, due: map[int64]map[*conn]struct{}{}}
}

// enter has a connection looked at in the first round behind some time, or in an
// earlier one that it waits for.
func (r *rounds) enter(c *conn, at time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	round := max(int64(at/r.every)+1, r.next)
	if c.round > 0 && c.round <= round {
		return
	}
	r.leaveLocked(c)
	c.round = round
	if r.due[round] == nil {
		r.due[round] = map[*conn]struct{}{}
	}
	r.due[round][c] = struct{}{}
}

// leave forgets a connection.
func (r *rounds) leave(c *conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.leaveLocked(c)
}

func (r *rounds) leaveLocked(c *conn) {
	delete(r.due[c.round], c)
	if len(r.due[c.round]) == 0 {
		delete(r.due, c.round)
	}
	c.round = 0
}

// take returns those whose round has come. They are in none until they enter again.
func (r *rounds) take(now time.Duration) (list []*conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for last := int64(now / r.every); r.next <= last; r.next++ {
		for c := range r.due[r.next] {
			c.round = 0
			list = append(list, c)
		}
		delete(r.due, r.next)
	}
	return list
}

// run is the goroutine that looks.
func (r *rounds) run(ctx context.Context) {
	tick := time.NewTicker(r.every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for _, c := range r.take(r.srv.now()) {
			if now := r.srv.now(); !c.isGone() {
				r.enter(c, c.look(now))
			}
		}
	}
}

// look looks for signs of life that the connection's goroutine does not see, and
// returns when to look again.
func (c *conn) look(now time.Duration) time.Duration {
	c.out.mu.Lock()
	entry, attached := c.entry, c.attached
	c.out.mu.Unlock()
	blocked, ending := c.out.moved.Load() != 0, c.ending.Load()
	switch {
	case ending:
	case !attached, mutant.Is(mutant.Slow):
		return now
	case !blocked && !c.meter.Behind():
		if quiet := entry.Touched() + entry.Timeout()*3/8; now < quiet {
			c.meter.Forget()
			return quiet
		}
	}
	signs, ok := c.meter.Look(blocked)
	switch {
	case !ok:
	case signs.Took:
		c.took()
	case attached && !ending && (blocked || c.arriving.Load()):
		// What was read whole counts by what it was: an auth packet does not.
		entry.Heard(now - signs.Sent)
	}
	return now
}

// took notes that the client has taken something that had to wait for it.
func (c *conn) took() {
	c.heard()
	if c.ending.Load() {
		c.limitWrites()
	}
}

// heard notes that the client got on just now, or that it could not.
func (c *conn) heard() {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	c.heardLocked()
}

func (c *conn) heardLocked() {
	if c.attached && !c.gone {
		c.entry.Heard(c.srv.now())
	}
}

func (c *conn) isGone() bool {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	return c.gone
}

// keep and letGo are around what the client waits for because of others.
func (c *conn) keep() { c.kept.Store(true) }

func (c *conn) letGo() {
	c.heard()
	c.kept.Store(false)
}
