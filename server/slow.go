package server

import (
	"context"
	"time"

	"zkd/internal/mutant"
)

// A session lives as long as its client gets on. Mostly that shows when its
// requests are taken up. But a client may be busy for longer than its timeout
// with what this server has for it, or with a request that is long: while
// somebody here waits for it to take a reply, its pings are not read. Then every
// byte that it takes or sends is a sign of life. Where it is this server that
// lets a client wait, see waitsLocked.

// lookAfterSlow is the goroutine that looks for such signs.
func (s *Server) lookAfterSlow(ctx context.Context) {
	// Several times within any timeout.
	every := max(min(s.cfg.TickTime/2, s.cfg.MinSessionTimeout/4), 10*time.Millisecond)
	tick := time.NewTicker(every)
	defer tick.Stop()
	var all []*conn
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		all = s.conns.appendTo(all[:0])
		for i, c := range all {
			c.look(s.now())
			all[i] = nil
		}
	}
}

// look looks for signs of life that the connection's goroutine does not see. A
// client that is idle sends a ping each third of its timeout: one that is heard
// of as often needs no look.
func (c *conn) look(now time.Duration) {
	c.out.mu.Lock()
	entry, attached := c.entry, c.attached && !c.gone
	c.out.mu.Unlock()
	blocked, ending := c.out.moved.Load() != 0, c.ending.Load()
	quiet := attached && now-entry.Touched() > entry.Timeout()*3/8
	if mutant.Is(mutant.Slow) || !quiet && !blocked && !ending && !c.meter.Behind() {
		c.meter.Forget()
		return
	}
	signs, ok := c.meter.Look(blocked)
	if !ok {
		return
	}
	if signs.Took {
		c.took()
	} else if attached && !ending {
		entry.Heard(now - signs.Sent)
	}
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

// keep and letGo are around what the client waits for because of others.
func (c *conn) keep() { c.kept.Store(true) }

func (c *conn) letGo() {
	c.heard()
	c.kept.Store(false)
}
