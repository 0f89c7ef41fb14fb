package simulation

import (
	"context"
	"flag"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"zkd/consensus/store"
	"zkd/test/oracle"
	"zkd/test/quick"
	"zkd/test/wire"
)

var (
	startStep   = flag.Int("start.step", -1, "the only step at which TestFirstStartDies ends processes")
	startStride = flag.Int("start.stride", 9, "TestFirstStartDies (of members) and TestRebuildingDies end processes at each so many-th step")
	startDraws  = flag.Uint64("start.draws", 1, "how often they draw what a power failure leaves")
)

// However far a first start has come when the process is killed or the power fails, and whatever is left of it then:
// the next start serves, and has what was acknowledged. Of members all die at once, or the first one alone.
func TestFirstStartDies(t *testing.T) {
	quick.Skip(t)
	seed := seedList()[0]
	for _, engine := range []string{store.EngineWAL, store.EngineBolt} {
		for _, servers := range []int{1, 3} {
			t.Run(fmt.Sprint(engine, " ", servers), func(t *testing.T) {
				stride := 1
				if servers > 1 {
					stride = *startStride
				}
				p := plan{servers: servers, engine: engine}.usual()
				step := int(seed) % stride
				if *startStep >= 0 {
					firstStarts(t, p, *startStep, seed)
					return
				}
				for ; firstStarts(t, p, step, seed); step += stride {
				}
				if step < 60 && !t.Failed() {
					t.Errorf("a first start with a write has %d steps at most: there are more", step)
				}
			})
		}
	}
}

// firstStarts ends first starts at one step in all ways, and tells whether they came to it.
func firstStarts(t *testing.T, p plan, step int, seed uint64) (reached bool) {
	try := func(seed uint64, how death, alone bool) {
		if firstStart(t, p, step, seed, how, alone) {
			reached = true
		}
	}
	for _, alone := range []bool{false, true}[:min(p.servers, 2)] {
		try(seed, killed, alone)
		for i := range *startDraws {
			try(seed+i, powerOff, alone)
		}
	}
	return reached && !t.Failed()
}

// firstStart ends one first start, or those of all servers, at a step of the first one's.
func firstStart(t *testing.T, p plan, step int, seed uint64, how death, alone bool) (reached bool) {
	play := func(r *run) {
		victims := r.hosts
		if alone {
			victims = victims[:1]
		}
		died := make(chan struct{})
		r.hosts[0].disk.at("", step, func() {
			r.note("%v at step %d", how, step)
			for _, h := range victims {
				h.kill(how)
			}
			close(died)
		})
		for _, h := range r.hosts[1:] {
			h.start()
		}
		synctest.Wait() // for them to be there when they are killed; no time passes
		r.hosts[0].start()
		c := r.client("first", r.hosts[0])
		written := make(chan struct{})
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		go func() {
			_, _ = c.Do(ctx, wire.OpCreate, wire.Create{Path: "/probe", ACL: wire.OpenACL})
			close(written)
		}()
		select {
		case <-died:
		case <-written:
			r.hosts[0].disk.heal()
		}
		reached = !r.hosts[0].running()
		r.bringUp(victims...)
		<-written
		for _, h := range r.hosts {
			h.disk.heal()
		}
		r.works(r.hosts, true, allLive, fmt.Sprintf("%v at step %d", how, step))
		_ = c.Close(ctx)
		c.Abandon()
		time.Sleep((longestSession + 5) * r.plan.tick) // a session that nobody was told of ends
		r.equal()
		r.finish(oracle.Stats{})
	}
	simulateOnce(t, seed, p, play, fmt.Sprintf("-run 'TestFirstStartDies/%s_%d' -start.step %d -sim.seed %d", p.engine, p.servers, step, seed))
	return reached
}
