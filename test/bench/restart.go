package main

import (
	"context"
	"fmt"
	"time"
)

// runRestart kills a filled server as a crash would and reports the time from starting it again to the
// first answer of a getData of the last znode created. Its files are in the page cache.
func runRestart(ctx context.Context, s *server, n int) ([]sample, error) {
	s.kill()
	begin := time.Now()
	if err := s.launch(); err != nil {
		return nil, err
	}
	at, err := s.awaitAnswer(ctx, fillPath(n-1))
	if err != nil {
		return nil, fmt.Errorf("restart: %w", err)
	}
	cpu, err := cpuTime(s.pid())
	if err != nil {
		return nil, err
	}
	mem, err := memoryOf(s.pid())
	if err != nil {
		return nil, err
	}
	return []sample{{Scenario: restartName(n), Server: s.kind.name, Values: map[metric]float64{
		mRestart:  at.Sub(begin).Seconds(),
		mCPUTotal: cpu.Seconds(),
		mPeakRSS:  mib(mem.peak),
	}}}, nil
}
