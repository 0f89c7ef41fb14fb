package crash

import (
	"math/rand/v2"
	"testing"
	"time"

	"zkd/test/wire"
)

// Killed in the first moments of its first start, whenever that is, a server starts the next time. The simulation goes
// through all of these moments one by one (TestFirstStartDies); here they are those of a real process.
func TestKillFirstStart(t *testing.T) {
	for name, args := range map[string][]string{"wal": nil, "bolt": {"-D", "zkd.logStore=bolt"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, args...)
			began := time.Now()
			connect(t, s.up(), time.Minute).create("/a", nil, 0)
			takes := time.Since(began)
			for range 10 {
				s := newSite(t, args...)
				p, at := s.start(), time.Duration(rand.Int64N(int64(takes)))
				time.Sleep(at) // the moment is what is tried
				p.kill()
				p = s.up()
				c := connect(t, p, time.Minute)
				if r := c.call(wire.OpCreate, wire.Create{Path: "/a", ACL: wire.OpenACL}); r.Err != 0 {
					t.Errorf("killed after %v: %+v", at, r)
				}
				p.kill()
			}
		})
	}
}
