package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// starts is how often a server with nothing in its directory is started a run; the kinds take turns.
const starts = 11

// startEmpty reports the time from the start of a process, which finds an empty directory, to the first
// answer to a client.
func startEmpty(ctx context.Context, b *bench, _ int) error {
	for turn := 1; turn <= starts; turn++ {
		for _, k := range b.kinds {
			if k.stateless {
				continue
			}
			took, err := timeStart(ctx, k, b.work)
			if err != nil {
				return fmt.Errorf("%s: %w", k.name, err)
			}
			b.add(sample{Scenario: startName, Server: k.name, Values: map[metric]float64{
				mStart: took.Seconds() * 1000,
			}}, turn)
		}
	}
	return nil
}

func timeStart(ctx context.Context, k *kind, work string) (took time.Duration, err error) {
	sites, err := newSites(1)
	if err != nil {
		return 0, err
	}
	s, err := newServer(k, work, 1, sites)
	if err != nil {
		return 0, err
	}
	begin := time.Now()
	if err := s.launch(); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	at, err := s.awaitAnswer(ctx, "/")
	return at.Sub(begin), err
}
