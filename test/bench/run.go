package main

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// bench is one run: the kinds of server, what is measured, and the samples.
type bench struct {
	o      *options
	kinds  []*kind
	work   string // holds all data directories; removed at the end
	report *report
	log    io.Writer // progress
}

// onEnsemble measures one round on the servers of one kind.
type onEnsemble func(ctx context.Context, b *bench, e *ensemble, round int) error

// inTurn makes a part of f: each kind on new, empty servers, one kind after the other, so that nothing else
// runs meanwhile. The floor keeps no state and is left out.
func inTurn(size func(*options) int, f onEnsemble) func(context.Context, *bench, int) error {
	return eachInTurn(size, f, func(k *kind) bool { return !k.stateless })
}

// allInTurn is inTurn with the floor.
func allInTurn(size func(*options) int, f onEnsemble) func(context.Context, *bench, int) error {
	return eachInTurn(size, f, func(*kind) bool { return true })
}

func eachInTurn(size func(*options) int, f onEnsemble, takesPart func(*kind) bool) func(context.Context, *bench, int) error {
	return func(ctx context.Context, b *bench, round int) error {
		for _, k := range b.kinds {
			if !takesPart(k) {
				continue
			}
			if err := b.onServers(ctx, k, size(b.o), func(e *ensemble) error { return f(ctx, b, e, round) }); err != nil {
				return fmt.Errorf("%s: %w", k.name, err)
			}
		}
		return nil
	}
}

// onServers runs f on new, empty servers of one kind.
func (b *bench) onServers(ctx context.Context, k *kind, size int, f func(*ensemble) error) (err error) {
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

// sideBySide makes a part of f, which is given one ensemble of each kind, all new and empty. They run at
// the same time and are loaded one after the other, so that what is compared was measured within seconds;
// who is not loaded is idle, which takes well below one per cent of a core. The floor has no ensembles.
func sideBySide(size func(*options) int, f func(ctx context.Context, b *bench, es []*ensemble, round int) error) func(context.Context, *bench, int) error {
	return func(ctx context.Context, b *bench, round int) (err error) {
		var es []*ensemble
		defer func() {
			for _, e := range es {
				err = errors.Join(err, e.stop())
			}
		}()
		n := size(b.o)
		for _, k := range b.kinds {
			if k.stateless && n > 1 {
				continue
			}
			e, err := startEnsemble(ctx, k, b.work, n)
			if err != nil {
				return fmt.Errorf("%s: %w", k.name, err)
			}
			es = append(es, e)
		}
		return f(ctx, b, es, round)
	}
}

func (b *bench) add(s sample, round int) {
	s.Round = round
	b.report.add(s)
	if v, ok := s.Values[mThroughput]; ok {
		fmt.Fprintf(b.log, "  %-32s %-14s %10s/s, p50 %s µs, server CPU %s µs each, generator's %s\n", s.Scenario, s.Server,
			number(v), number(s.Values[mP50]), number(s.Values[mServerCPU]), number(s.Values[mOwnCPU]))
	}
	if v, ok := s.Values[mBusiest]; ok {
		fmt.Fprintf(b.log, "  %-32s %-14s busiest server %s %% of a core\n", s.Scenario, s.Server, number(v))
	}
	if v, ok := s.Values[mAllWriteAgain]; ok {
		fmt.Fprintf(b.log, "  %-32s %-14s all clients write again after %s ms\n", s.Scenario, s.Server, number(v))
	}
}

// opsAlone and opsTogether are the workloads of a part.
func opsAlone(o *options) []string    { return o.Workloads }
func opsTogether(o *options) []string { return o.EnsembleWorkloads }

// throughput runs workloads one after the other, each on all kinds before the next.
func throughput(ops func(*options) []string) func(context.Context, *bench, []*ensemble, int) error {
	return func(ctx context.Context, b *bench, es []*ensemble, round int) error {
		scenarios, err := b.o.scenarios(ops(b.o))
		if err != nil {
			return err
		}
		last := make([]sample, len(es))
		for run, sc := range scenarios {
			for i, e := range es {
				one, err := runScenario(ctx, e, sc, b.o, run)
				if err != nil {
					return fmt.Errorf("%s: %w%s", e.kind.name, err, e.lastWords())
				}
				if sc.at == atFollowers && last[i].Scenario == e.name(sc.on(atLeader).name()) {
					one.Values[mOfLeader] = one.Values[mP50] / last[i].Values[mP50]
				}
				b.add(one, round)
				last[i] = one
			}
		}
		for _, e := range es {
			mem, err := e.memory()
			if err != nil {
				return err
			}
			b.add(sample{Scenario: e.name("after these"), Server: e.kind.name, Values: map[metric]float64{
				mRSS: mib(mem.RSS), mPeakRSS: mib(mem.Peak),
			}}, round)
		}
		return nil
	}
}

// single wraps what measures a server on its own and yields one sample.
func single(run func(context.Context, *server, *options) (sample, error)) onEnsemble {
	return func(ctx context.Context, b *bench, e *ensemble, round int) error {
		return b.one(ctx, e.servers[0], round, run)
	}
}

func (b *bench) one(ctx context.Context, s *server, round int, run func(context.Context, *server, *options) (sample, error)) error {
	one, err := run(ctx, s, b.o)
	if err == nil {
		b.add(one, round)
	}
	return err
}

// several wraps what yields samples of its own; those before a failure count.
func several(run func(context.Context, *ensemble, *options) ([]sample, error)) onEnsemble {
	return func(ctx context.Context, b *bench, e *ensemble, round int) error {
		all, err := run(ctx, e, b.o)
		for _, one := range all {
			b.add(one, round)
		}
		return err
	}
}
