package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// bench is one run: the kinds of server, what is measured, and the samples.
type bench struct {
	o      *options
	kinds  []*kind
	work   string // holds all data directories; removed at the end
	report *report
	log    io.Writer // progress
}

// run lets the servers take turns in each part. A failure ends the run; samples gathered stay.
func (b *bench) run(ctx context.Context) error {
	for _, p := range []struct {
		name   string
		rounds int
		size   int // of the ensemble
		run    func(ctx context.Context, e *ensemble, round int) error
	}{
		{"throughput", b.o.Rounds, 1, b.throughput(b.o.Workloads)},
		{"fanout", b.o.Rounds, 1, b.simple(runFanout)},
		{"idle", b.o.Rounds, 1, b.simple(runIdle)},
		{"fill", b.o.FillRounds, 1, alone(b.filled)}, // restart and snapshot go on with its server
		{"ensemble", b.o.Rounds, b.o.Members, b.throughput(b.o.EnsembleWorkloads)},
		{"rest", b.o.Rounds, b.o.Members, b.several(runRest)},
		{"failover", b.o.Rounds, b.o.Members, b.several(runFailover)},
	} {
		if !slices.Contains(b.o.Parts, p.name) {
			continue
		}
		for round := 1; round <= p.rounds; round++ {
			for _, k := range b.kinds {
				fmt.Fprintf(b.log, "%s %s, round %d of %d: %s\n", time.Now().Format(time.TimeOnly), p.name, round, p.rounds, k.name)
				if err := b.onEnsemble(ctx, k, p.size, func(e *ensemble) error { return p.run(ctx, e, round) }); err != nil {
					return fmt.Errorf("%s: %w", k.name, err)
				}
			}
		}
	}
	return nil
}

// onEnsemble runs f on new, empty servers.
func (b *bench) onEnsemble(ctx context.Context, k *kind, size int, f func(*ensemble) error) (err error) {
	e, err := startEnsemble(ctx, k, b.work, size)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("%w%s", err, e.lastWords())
		}
		err = errors.Join(err, e.stop())
	}()
	return f(e)
}

func (b *bench) add(s sample, round int) {
	s.Round = round
	b.report.add(s)
	if v, ok := s.Values[mThroughput]; ok {
		fmt.Fprintf(b.log, "  %-32s %10s/s, p50 %s µs, server CPU %s µs each\n", s.Scenario, number(v), number(s.Values[mP50]), number(s.Values[mServerCPU]))
	}
	if v, ok := s.Values[mBusiest]; ok {
		fmt.Fprintf(b.log, "  %-32s busiest server %s %% of a core\n", s.Scenario, number(v))
	}
	if v, ok := s.Values[mAllWriteAgain]; ok {
		fmt.Fprintf(b.log, "  %-32s all clients write again after %s ms\n", s.Scenario, number(v))
	}
}

// throughput runs workloads one after the other on the same servers.
func (b *bench) throughput(workloads []string) func(context.Context, *ensemble, int) error {
	return func(ctx context.Context, e *ensemble, round int) error {
		scenarios, err := b.o.scenarios(workloads)
		if err != nil {
			return err
		}
		var last sample
		for i, sc := range scenarios {
			one, err := runScenario(ctx, e, sc, b.o, i)
			if err != nil {
				return err
			}
			if sc.at == atFollowers && last.Scenario == e.name(sc.on(atLeader).name()) {
				one.Values[mOfLeader] = one.Values[mP50] / last.Values[mP50]
			}
			b.add(one, round)
			last = one
		}
		mem, err := e.memory()
		if err != nil {
			return err
		}
		b.add(sample{Scenario: e.name("after these"), Server: e.kind.name, Values: map[metric]float64{
			mRSS: mib(mem.rss), mPeakRSS: mib(mem.peak),
		}}, round)
		return nil
	}
}

// alone wraps a part of a server on its own.
func alone(run func(context.Context, *server, int) error) func(context.Context, *ensemble, int) error {
	return func(ctx context.Context, e *ensemble, round int) error { return run(ctx, e.servers[0], round) }
}

// simple wraps a part of a server on its own that yields one sample.
func (b *bench) simple(run func(context.Context, *server, *options) (sample, error)) func(context.Context, *ensemble, int) error {
	return alone(func(ctx context.Context, s *server, round int) error { return b.one(ctx, s, round, run) })
}

func (b *bench) one(ctx context.Context, s *server, round int, run func(context.Context, *server, *options) (sample, error)) error {
	one, err := run(ctx, s, b.o)
	if err == nil {
		b.add(one, round)
	}
	return err
}

// several wraps a part that yields samples of their own; those before a failure count.
func (b *bench) several(run func(context.Context, *ensemble, *options) ([]sample, error)) func(context.Context, *ensemble, int) error {
	return func(ctx context.Context, e *ensemble, round int) error {
		all, err := run(ctx, e, b.o)
		for _, one := range all {
			b.add(one, round)
		}
		return err
	}
}

// filled runs fill and, on the same znodes, restart and snapshot.
func (b *bench) filled(ctx context.Context, s *server, round int) error {
	for _, p := range []struct {
		name string
		run  func(context.Context, *server, *options) (sample, error)
	}{{"fill", runFill}, {"restart", runRestart}, {"snapshot", runSnapshot}} {
		if !slices.Contains(b.o.Parts, p.name) {
			continue
		}
		if err := b.one(ctx, s, round, p.run); err != nil {
			return err
		}
	}
	return nil
}
