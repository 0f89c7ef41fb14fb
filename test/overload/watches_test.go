package overload

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"zkd/test/wire"
)

// Watchers that never read, of a znode whose path is long, so that events are.
func TestDeafWatchers(t *testing.T) {
	watchers := shortOrLong(200, 1000)
	path := "/" + strings.Repeat("w", 20_000)
	scenario{
		name: fmt.Sprintf("events of 20 kB for %d watchers that never read", watchers), limit: 256 * mega, lasts: 6 * time.Second,
		prepare: func(t *testing.T, tg *target) { fill(t, tg.victim.addr, 1, func(int) string { return path }, nil) },
		attack: func(f *force) {
			f.each(watchers, func(int) {
				f.deaf(pipeline(1, wire.OpAddWatch, func(int) wire.Body { return wire.PathType{Path: path} }), 0)
				<-f.ctx.Done()
			})
			f.each(2, func(int) {
				f.flood(pipeline(10, wire.OpSetData, func(int) wire.Body { return set(path, 10) }), 10)
			})
		},
		least: 100,
	}.run(t)
}

// Very many watches are memory, and nothing else.
func TestManyWatches(t *testing.T) {
	const clients, perRequest = 10, 5_000
	watches := shortOrLong(100_000, 1_000_000)
	scenario{
		name: fmt.Sprintf("%d watches of as many paths", watches), limit: shortOrLong(256*mega, 768*mega), lasts: shortOrLong(4*time.Second, 6*time.Second),
		attack: func(f *force) {
			f.each(clients, func(i int) {
				nc := f.session()
				if nc == nil {
					return
				}
				defer nc.Close()
				c := wire.NewConn(nc)
				for n := 0; n < watches/clients; n += perRequest {
					paths := make([]string, perRequest)
					for at := range paths {
						paths[at] = fmt.Sprintf("/watched/by-%d/%08d", i, n+at)
					}
					none := []string{}
					all := wire.SetWatches2{SetWatches: wire.SetWatches{Data: none, Exist: paths, Child: none}, Persistent: none, Recursive: none}
					if err := c.Send(1, wire.OpSetWatches2, all); err != nil {
						return
					}
					if _, _, err := c.Next(honestPatience); err != nil {
						return
					}
					f.did.Add(perRequest)
				}
				<-f.ctx.Done()
			})
		},
		least: int64(watches),
	}.run(t)
}
