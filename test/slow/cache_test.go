package slow

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"zkd/test/ensemble"
	"zkd/test/wire"
)

// Clients that load their caches after a restart all at once, each over a slow link of its own, get done, each with the
// session with which it has begun. Who lost it would begin anew, and never get done.
func TestCachesLoad(t *testing.T) {
	s := theScale()
	e := ensemble.Start(t, ensemble.Options{Tick: s.timeout / 2})
	prepare(t, e.AwaitLeader().Addr())
	const clients = 12
	znodes, rate := shortOrLong(7, 22), shortOrLong(600*kB, 1*MB) // of 900 kB each
	var all sync.WaitGroup
	began := time.Now()
	for i := range clients {
		link := NewLink(t, e.Servers[i%len(e.Servers)].Addr(), rate)
		all.Go(func() {
			if err := loadCache(t, link.Addr(), s.timeout, znodes); err != nil {
				t.Errorf("client %d, after %.1f s: %v", i, time.Since(began).Seconds(), err)
			}
		})
	}
	all.Wait()
	t.Logf("%d clients have %.1f MB each after %.1f s", clients, float64(znodes)*0.9, time.Since(began).Seconds())
}

// loadCache reads many znodes at once, and then shows that its session has lived.
func loadCache(t *testing.T, addr string, timeout time.Duration, znodes int) error {
	c, err := open(t, addr, timeout)
	if err != nil {
		return err
	}
	defer c.pings(timeout)()
	first := c.xid + 1
	for range znodes {
		if _, err := c.send(wire.OpGetData, wire.PathWatch{Path: "/900k", Watch: true}); err != nil {
			return err
		}
	}
	for i := range znodes {
		if err := c.expect(first + int32(i)); err != nil {
			return fmt.Errorf("reply %d of %d: %w", i+1, znodes, err)
		}
	}
	xid, err := c.send(wire.OpCreate, wire.Create{Path: c.own(), ACL: wire.OpenACL, Flags: 1})
	if err != nil {
		return err
	}
	return c.expect(xid)
}
