package ensemble

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"sync"
	"testing"
	"time"

	"zkd/test/wire"
)

var away = flag.Int("away", 500_000, "writes that a follower misses in the long variant")

// A follower that was away for many writes, more than the others keep as a log, comes back while they serve. What its
// readers see is never half of a state, and the others' writes stay quick.
func TestCatchUp(t *testing.T) {
	missed := shortOrLong(20_000, *away)
	e := Start(t, Options{Config: []string{"snapCount=1000"}})
	l := e.StartLoad(LoadOptions{Clients: 10})
	l.AwaitAll(nil)

	absent := e.AwaitRole(Follower)
	rest := e.Except(absent)
	others := ClientsOf(rest...)
	absent.Kill()
	l.AwaitAll(nil)
	quiet := l.Now()
	time.Sleep(shortOrLong(2*time.Second, 10*time.Second)) // a measurement needs its time
	before := l.Latencies(quiet, l.Now(), others)

	filler := Open(t, 30*time.Second, rest[0])
	var parents []string
	for i := range (missed + 9999) / 10_000 {
		parent := fmt.Sprintf("/fill%d", i)
		filler.Create(parent, nil)
		if err := filler.Fill(parent, 0, min(10_000, missed-i*10_000), bytes.Repeat([]byte{'x'}, 100)); err != nil {
			t.Fatal(err)
		}
		parents = append(parents, parent)
	}
	pairs := startPairs(t, rest)
	for i := range 3 { // whatever it was doing to come back, it must be able to begin again
		e.Launch(absent)
		time.Sleep(time.Duration(100+300*i) * time.Millisecond) // then it is killed, wherever it is
		absent.Kill()
	}
	at := l.Now()
	e.Launch(absent)
	reader := pairs.read(t, absent)
	e.AwaitServing(absent)
	back := l.Now()
	late := Open(t, 10*time.Second, absent)
	for i, p := range parents {
		if _, stat := late.Get(p); int(stat.NumChildren) != min(10_000, missed-i*10_000) {
			t.Errorf("%s has %d children where the follower came back", p, stat.NumChildren)
		}
	}
	l.AwaitAll(nil)
	reader.await(t)
	pairs.stop()
	during := l.Latencies(at, back, others)
	t.Logf("a follower without %d writes serves after %v", missed, back-at)
	t.Logf("writes of the others: quiet p50 %v p99 %v (%d), meanwhile p50 %v p99 %v (%d)",
		Quantile(before, 0.5), Quantile(before, 0.99), len(before), Quantile(during, 0.5), Quantile(during, 0.99), len(during))
	l.Stop()
}

// pairs are two znodes that are only ever written together.
type pairs struct {
	writer *Session
	end    chan struct{}
	done   sync.WaitGroup
}

func startPairs(t *testing.T, servers []*Server) *pairs {
	p := &pairs{writer: Open(t, 20*time.Second, servers...), end: make(chan struct{})}
	p.writer.Create("/pair-a", nil)
	p.writer.Create("/pair-b", nil)
	p.done.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-p.end:
				return
			default:
			}
			data := fmt.Append(nil, n)
			_, err := p.writer.Call(wire.OpMulti, wire.Multi{Ops: []wire.SubOp{
				{Op: wire.OpSetData, Body: wire.SetData{Path: "/pair-a", Data: data, Version: -1}},
				{Op: wire.OpSetData, Body: wire.SetData{Path: "/pair-b", Data: data, Version: -1}},
			}})
			if err != nil && !errors.Is(err, ErrLost) {
				return
			}
		}
	})
	t.Cleanup(p.stop)
	return p
}

func (p *pairs) stop() {
	select {
	case <-p.end:
	default:
		close(p.end)
	}
	p.done.Wait()
	p.writer.Abandon()
}

// pairReader reads both at one server, again and again, from before it serves.
type pairReader struct {
	mu   sync.Mutex
	seen int
	errs []error
	end  chan struct{}
	done sync.WaitGroup
}

func (p *pairs) read(t *testing.T, server *Server) *pairReader {
	r := &pairReader{end: make(chan struct{})}
	c := newSession(t, 20*time.Second, server)
	c.zxid = p.writer.Zxid() // who has seen the pairs elsewhere must find them
	r.done.Go(func() {
		for {
			select {
			case <-r.end:
				return
			default:
			}
			reply, err := c.Call(wire.OpMultiRead, wire.Multi{Ops: []wire.SubOp{
				{Op: wire.OpGetData, Body: wire.PathWatch{Path: "/pair-a"}},
				{Op: wire.OpGetData, Body: wire.PathWatch{Path: "/pair-b"}},
			}})
			if err != nil {
				if errors.Is(err, ErrLost) || errors.Is(err, errNoServer) {
					continue
				}
				r.note(err)
				return
			}
			switch {
			case len(reply.Results) != 2 || reply.Results[0].Stat == nil || reply.Results[1].Stat == nil:
				r.note(fmt.Errorf("a pair reads %+v", reply))
			case !bytes.Equal(reply.Results[0].Data, reply.Results[1].Data), reply.Results[0].Stat.Mzxid != reply.Results[1].Stat.Mzxid:
				r.note(fmt.Errorf("half of a pair: %s and %s", reply.Results[0].Data, reply.Results[1].Data))
			default:
				r.note(nil)
			}
		}
	})
	t.Cleanup(func() { r.finish() })
	return r
}

func (r *pairReader) note(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.errs = append(r.errs, err)
	} else {
		r.seen++
	}
}

func (r *pairReader) finish() []error {
	select {
	case <-r.end:
	default:
		close(r.end)
	}
	r.done.Wait()
	return r.errs
}

// await waits for some good reads and reports bad ones.
func (r *pairReader) await(t *testing.T) {
	t.Helper()
	Await(t, "reads where the follower came back", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.seen > 50 || len(r.errs) > 0
	})
	for i, err := range r.finish() {
		if i < 5 {
			t.Error(err)
		}
	}
}
