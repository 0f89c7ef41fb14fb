package main

import (
	"context"
	"fmt"
	"time"
)

// runRestart kills a filled server as a crash would and reports the time from starting it again to the
// first answer of a getData of the last znode written.
func runRestart(ctx context.Context, s *server, o *options) (sample, error) {
	s.kill()
	begin := time.Now()
	if err := s.launch(); err != nil {
		return sample{}, err
	}
	at, err := s.awaitAnswer(ctx, fillPath(o.Znodes-1))
	if err != nil {
		return sample{}, fmt.Errorf("restart: %w", err)
	}
	cpu, err := cpuTime(s.pid())
	if err != nil {
		return sample{}, err
	}
	mem, err := memoryOf(s.pid())
	if err != nil {
		return sample{}, err
	}
	return sample{Scenario: o.restartName(), Server: s.kind.name, Values: map[metric]float64{
		mRestart:   at.Sub(begin).Seconds(),
		mCPUTotal:  cpu.Seconds(),
		mPeakRSS:   mib(mem.peak),
		mDiskUsage: mib(diskUsage(s.dataDir())),
	}}, nil
}
