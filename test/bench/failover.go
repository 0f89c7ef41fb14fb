package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

const (
	failoverClients = 12
	// failoverThink is what a client waits between a write and the next: a light load.
	failoverThink = 5 * time.Millisecond
	// failoverSettle is how long the clients write before the leader is killed.
	failoverSettle = time.Second
	// failoverLimit bounds the wait until all clients write again.
	failoverLimit = time.Minute
	failoverLook  = 5 * time.Millisecond
)

// runFailover kills the leader so many times, each time a whole ensemble under a light load, and reports
// of each kill when the clients wrote again.
func runFailover(ctx context.Context, e *ensemble, o *options) (all []sample, err error) {
	warm := e.warmUp()
	for n := range o.Kills {
		one, err := failOver(ctx, e, warm)
		if err != nil {
			return all, fmt.Errorf("kill %d: %w", n+1, err)
		}
		all = append(all, one)
		warm = e.kind.warm // of the server that was started anew, by a light load
	}
	return all, nil
}

// failOver kills the leader once, after so long under load, and brings it back.
func failOver(ctx context.Context, e *ensemble, warm time.Duration) (sample, error) {
	leader, err := e.leader()
	if err != nil {
		return sample{}, err
	}
	clients, err := newRoamers(e, failoverClients)
	if err != nil {
		return sample{}, err
	}
	writing, stop := context.WithCancel(ctx)
	var writers sync.WaitGroup
	for _, r := range clients {
		writers.Go(func() { r.run(writing) })
	}
	defer func() {
		stop()
		writers.Wait()
		for _, r := range clients {
			r.leave()
		}
	}()
	if err := pause(ctx, warm+failoverSettle); err != nil {
		return sample{}, err
	}
	for _, r := range clients {
		r.arm()
	}
	killed := time.Now()
	leader.kill()
	dead := time.Now()
	for _, r := range clients {
		r.expect(killed, dead)
	}
	if err := awaitWriters(ctx, clients); err != nil {
		return sample{}, err
	}
	one := failoverSample(e, leader, clients)
	if err := leader.launch(); err != nil {
		return sample{}, err
	}
	return one, e.awaitFormed(ctx)
}

// awaitWriters returns when every client has written again.
func awaitWriters(ctx context.Context, clients []*roamer) error {
	for until := time.Now().Add(failoverLimit); ; {
		left := 0
		for _, r := range clients {
			st := r.look()
			if st.err != nil {
				return st.err
			}
			if st.again == 0 {
				left++
			}
		}
		if left == 0 {
			return nil
		}
		if time.Now().After(until) {
			return fmt.Errorf("%d of %d clients did not write in %v", left, len(clients), failoverLimit)
		}
		if err := pause(ctx, failoverLook); err != nil {
			return err
		}
	}
}

func failoverSample(e *ensemble, killed *server, clients []*roamer) sample {
	var again []float64
	losses := 0
	for _, r := range clients {
		st := r.look()
		again = append(again, millis(st.again))
		if st.on != killed.addr {
			losses += st.losses
		}
	}
	slices.Sort(again)
	return sample{Scenario: e.name("leader killed"), Server: e.kind.name, Values: map[metric]float64{
		mWritesAgain:   median(again),
		mAllWriteAgain: again[len(again)-1],
		mLosses:        float64(losses),
	}}
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
