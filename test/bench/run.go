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
		run    func(ctx context.Context, s *server, round int) error
	}{
		{"throughput", b.o.Rounds, b.throughput},
		{"fanout", b.o.Rounds, b.simple(runFanout)},
		{"idle", b.o.Rounds, b.simple(runIdle)},
		{"fill", b.o.FillRounds, b.filled}, // restart and snapshot go on with its server
	} {
		if !slices.Contains(b.o.Parts, p.name) {
			continue
		}
		for round := 1; round <= p.rounds; round++ {
			for _, k := range b.kinds {
				fmt.Fprintf(b.log, "%s %s, round %d of %d: %s\n", time.Now().Format(time.TimeOnly), p.name, round, p.rounds, k.name)
				if err := b.onServer(ctx, k, func(s *server) error { return p.run(ctx, s, round) }); err != nil {
					return fmt.Errorf("%s: %w", k.name, err)
				}
			}
		}
	}
	return nil
}

// onServer runs f on a new, empty server.
func (b *bench) onServer(ctx context.Context, k *kind, f func(*server) error) (err error) {
	s, err := startServer(ctx, k, b.work)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("%w%s", err, s.lastWords())
		}
		err = errors.Join(err, s.stop())
	}()
	return f(s)
}

func (b *bench) add(s sample, round int) {
	s.Round = round
	b.report.add(s)
	if v, ok := s.Values[mThroughput]; ok {
		fmt.Fprintf(b.log, "  %-24s %10s/s, server CPU %s µs each\n", s.Scenario, number(v), number(s.Values[mServerCPU]))
	}
}

func (b *bench) throughput(ctx context.Context, s *server, round int) error {
	scenarios, err := b.o.scenarios()
	if err != nil {
		return err
	}
	for i, sc := range scenarios {
		one, err := runScenario(ctx, s, sc, b.o, i)
		if err != nil {
			return err
		}
		b.add(one, round)
	}
	mem, err := memoryOf(s.pid())
	if err != nil {
		return err
	}
	b.add(sample{Scenario: "after these", Server: s.kind.name, Values: map[metric]float64{
		mRSS: mib(mem.rss), mPeakRSS: mib(mem.peak),
	}}, round)
	return nil
}

// simple wraps a part that yields one sample.
func (b *bench) simple(run func(context.Context, *server, *options) (sample, error)) func(context.Context, *server, int) error {
	return func(ctx context.Context, s *server, round int) error {
		one, err := run(ctx, s, b.o)
		if err == nil {
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
		if err := b.simple(p.run)(ctx, s, round); err != nil {
			return err
		}
	}
	return nil
}
