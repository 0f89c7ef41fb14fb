package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"zkd/test/bench/chart"
)

const (
	// million is from where on a tree is large: it is filled by multis beyond, started again from disk and
	// asked through a snapshot.
	million = 1_000_000
	// openLargest is the largest tree for the open loop; a snapshot of more outlasts the run.
	openLargest = 5 * million
	// fillMultiLarge is the creates of a multi beyond a million znodes.
	fillMultiLarge = 100
	// restarts of a tree of a million; a larger one is started once.
	restarts = 3
	// accessRounds measurements of get and set by turns.
	accessRounds = 3
)

// everySize is what -sizes is chosen from; those beyond a million are run with -full, and on ZooKeeper,
// with a heap to match, only with -huge.
var everySize = []int{1_000, 100_000, million, openLargest, 10 * million}

// sizes runs fill and what goes on with its znodes for each number of znodes.
func sizes(ctx context.Context, b *bench, round int) error {
	first := map[string]float64{} // CPU on the smallest tree
	for _, n := range b.o.Sizes {
		for _, k := range b.kinds {
			if k.stateless || isZooKeeper(k.name) && n > million && !b.o.Huge {
				continue
			}
			fmt.Fprintf(b.log, "%s %d znodes: %s\n", time.Now().Format(time.TimeOnly), n, k.name)
			if k.forZnodes != nil {
				k = k.forZnodes(n)
			}
			if err := b.onServers(ctx, k, 1, func(e *ensemble) error { return b.oneSize(ctx, e.servers[0], n, round, first) }); err != nil {
				return fmt.Errorf("%s, %d znodes: %w", k.name, n, err)
			}
		}
	}
	return nil
}

// oneSize fills a server and runs the parts that go on with it.
func (b *bench) oneSize(ctx context.Context, s *server, n, round int, first map[string]float64) error {
	one, err := runFill(ctx, s, b.o, n)
	if err != nil {
		return err
	}
	b.add(one, round)
	if err := b.addPauses(s, n, "fill of", round); err != nil {
		return err
	}
	// Reads and writes are measured without snapshots, whose cost grows with the tree and is told by the open
	// loop. The restarts that are measured are those to this setting.
	if err := s.configure("snapCount", neverSnapshot); err != nil {
		return err
	}
	restarted := slices.Contains(b.o.Parts, "restart") && n >= million
	for _, p := range []struct {
		name string
		when bool
		run  func() ([]sample, error)
	}{
		{"restart", n >= million, func() ([]sample, error) { return runRestarts(ctx, s, n) }},
		{"access", true, func() ([]sample, error) {
			if !restarted {
				if err := s.restart(ctx); err != nil {
					return nil, err
				}
			}
			return runAccess(ctx, s, b.o, n, first)
		}},
		{"open", n >= million && n <= openLargest, func() ([]sample, error) { return runOpen(ctx, s, b.o, n) }},
	} {
		if !p.when || !slices.Contains(b.o.Parts, p.name) {
			continue
		}
		all, err := p.run()
		for _, one := range all {
			b.add(one, round)
		}
		if err != nil {
			return err
		}
		if p.name == "access" {
			if err := b.addPauses(s, n, "get and set on", round); err != nil {
				return err
			}
		}
	}
	return nil
}

// neverSnapshot is a snapCount that nothing here reaches.
const neverSnapshot = "2000000000"

// addPauses adds the pauses of the garbage collector since the last start of the process.
func (b *bench) addPauses(s *server, n int, during string, round int) error {
	pauses, err := s.kind.pauses(s)
	if err == nil {
		b.add(pauseSample(fmt.Sprintf("collector, %s %d znodes", during, n), s.kind.name, pauses), round)
	}
	return err
}

// runAccess reports what getData and setData of random znodes of the whole tree cost.
func runAccess(ctx context.Context, s *server, o *options, n int, first map[string]float64) (all []sample, err error) {
	e := &ensemble{kind: s.kind, servers: []*server{s}}
	data := payload(o.Size)
	for range accessRounds {
		for _, op := range []struct {
			name   string
			source func(session int) source
		}{
			{"get", func(i int) source { return newFillReader(n, 100, 0, i, data) }},
			{"set", func(i int) source { return newFillWriter(n, 0, i, data) }},
		} {
			one, err := closedLoop(ctx, e, o, accessName(op.name, n), op.source)
			if err != nil {
				return all, err
			}
			key := s.kind.name + " " + op.name
			if n == o.Sizes[0] {
				first[key] = (first[key]*float64(len(all)/2) + one.Values[mServerCPU]) / float64(len(all)/2+1)
			} else if first[key] > 0 {
				one.Values[mCPUGrowth] = one.Values[mServerCPU] / first[key]
			}
			all = append(all, one)
		}
	}
	return all, nil
}

func accessName(op string, n int) string { return fmt.Sprintf("%s on %d znodes", op, n) }

// closedLoop is one measurement, with the whole distribution of latencies.
func closedLoop(ctx context.Context, e *ensemble, o *options, name string, src func(int) source) (sample, error) {
	l, err := startLoad(ctx, e.addrs(), o.Sessions, o.Depth, o.Threads, src)
	if err != nil {
		return sample{}, fmt.Errorf("%s: %w", name, err)
	}
	before, after, err := l.measure(e, o.Time, func() (func() error, error) { return startProfile(e, name, o) })
	if ferr := l.finish(); ferr != nil {
		err = ferr
	}
	if err != nil {
		return sample{}, fmt.Errorf("%s: %w", name, err)
	}
	h := l.latencies(phaseA)
	one := throughputSample(name, e.kind.name, before, after, h)
	one.Series = map[string][]chart.Point{seriesLatency: h.curve()}
	return one, nil
}

// pauseSample sums up for how long the collector stopped everything.
func pauseSample(name, server string, pauses []time.Duration) sample {
	one := sample{Scenario: name, Server: server, Values: map[metric]float64{mPauses: float64(len(pauses))}}
	if len(pauses) == 0 {
		return one
	}
	slices.Sort(pauses)
	var sum time.Duration
	for _, p := range pauses {
		sum += p
	}
	one.Values[mPauseP50] = micros(pauses[len(pauses)/2])
	one.Values[mPauseMax] = micros(pauses[len(pauses)-1])
	one.Values[mPauseTotal] = micros(sum) / 1000
	return one
}
