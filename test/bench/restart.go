package main

import (
	"context"
	"fmt"
	"time"

	"zkd/test/proc"
)

// runRestarts is several restarts, each after a kill.
func runRestarts(ctx context.Context, s *server, n int) (all []sample, err error) {
	for range restarts {
		one, err := runRestart(ctx, s, n)
		if err != nil {
			return all, err
		}
		all = append(all, one)
		if n > million {
			break
		}
	}
	return all, nil
}

// runRestart kills a filled server as a crash would and reports the time from starting it again to the
// first answer of a getData of the last znode created. Its files are in the page cache.
func runRestart(ctx context.Context, s *server, n int) (sample, error) {
	s.kill()
	begin := time.Now()
	if err := s.launch(); err != nil {
		return sample{}, err
	}
	at, err := s.awaitAnswer(ctx, fillPath(n-1))
	if err != nil {
		return sample{}, fmt.Errorf("restart: %w", err)
	}
	cpu, err := proc.CPU(s.pid())
	if err != nil {
		return sample{}, err
	}
	mem, err := proc.MemoryOf(s.pid())
	if err != nil {
		return sample{}, err
	}
	return sample{Scenario: restartName(n), Server: s.kind.name, Values: map[metric]float64{
		mRestart:  at.Sub(begin).Seconds(),
		mCPUTotal: cpu.Seconds(),
		mPeakRSS:  mib(mem.Peak),
	}}, nil
}
