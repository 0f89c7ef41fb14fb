package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

const (
	// restMin is how long an idle ensemble is looked at, at least: /proc counts in steps of 10 ms, which
	// must be little beside a hundredth of a core.
	restMin = 15 * time.Second
	// restSessions is a few clients that hold a session and ask for nothing.
	restSessions = 30
)

// runRest reports what an ensemble uses of the processor without a session and with some that only ping.
func runRest(ctx context.Context, e *ensemble, o *options) (all []sample, err error) {
	// What a JVM does after its start is not idling, and neither is a first election.
	if err := pause(ctx, e.warmUp()); err != nil {
		return nil, err
	}
	cs, err := []*client(nil), error(nil)
	for _, sessions := range []int{0, restSessions} {
		if cs, err = connectMany(e.addrs(), sessions, sessionTimeout); err != nil {
			return nil, fmt.Errorf("rest: %w", err)
		}
		one, err := rest(ctx, e, cs, max(o.Time, restMin))
		if err != nil {
			dropAll(cs)
			return nil, fmt.Errorf("rest: %w", err)
		}
		if err := closeAll(cs); err != nil {
			return nil, fmt.Errorf("rest: %w", err)
		}
		all = append(all, one)
	}
	return all, nil
}

func rest(ctx context.Context, e *ensemble, cs []*client, t time.Duration) (sample, error) {
	before, err := e.cpu()
	if err != nil {
		return sample{}, err
	}
	begin := time.Now()
	if len(cs) == 0 {
		err = pause(ctx, t)
	} else {
		err = pingAll(ctx, cs, t)
	}
	took := time.Since(begin)
	after, cerr := e.cpu()
	mem, merr := e.memory()
	if err := errors.Join(err, cerr, merr); err != nil {
		return sample{}, err
	}
	for i := range after {
		after[i] -= before[i]
	}
	percent := func(d time.Duration) float64 { return 100 * d.Seconds() / took.Seconds() }
	return sample{Scenario: e.name(fmt.Sprintf("%d idle sessions", len(cs))), Server: e.kind.name, Values: map[metric]float64{
		mBusiest: percent(slices.Max(after)),
		mIdlest:  percent(slices.Min(after)),
		mRSS:     mib(mem.RSS),
	}}, nil
}

func pause(ctx context.Context, t time.Duration) error {
	select {
	case <-time.After(t):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
