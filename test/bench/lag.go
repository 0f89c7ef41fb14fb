package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

const (
	// lagTries is how many znodes are created on one server of an ensemble and looked for on another,
	// for each pair of servers and round.
	lagTries = 400
	// lagThink is the pause between two tries.
	lagThink = 2 * time.Millisecond
	// lagLimit bounds how long a znode is looked for.
	lagLimit = 10 * time.Second
)

// lags runs runLag for each pair of roles, on all kinds before the next pair.
func lags(ctx context.Context, b *bench, es []*ensemble, round int) error {
	for _, e := range es {
		if err := pause(ctx, e.warmUp()); err != nil {
			return err
		}
	}
	for _, roles := range [][2]place{{atLeader, atFollowers}, {atFollowers, atLeader}, {atFollowers, atFollowers}} {
		for _, e := range es {
			one, err := runLag(ctx, e, roles[0], roles[1], round)
			if err != nil {
				return fmt.Errorf("%s: %w%s", e.kind.name, err, e.lastWords())
			}
			b.add(one, round)
		}
	}
	return nil
}

// runLag reports how late a write that was answered on one server is read on another: how often the
// first read, sent at once, does not show it, and after what time one does.
func runLag(ctx context.Context, e *ensemble, from, to place, round int) (sample, error) {
	leader, err := e.leader()
	if err != nil {
		return sample{}, err
	}
	var seen []float64
	stale := 0
	for _, w := range e.servers {
		for _, r := range e.servers {
			if w == r || (w == leader) != (from == atLeader) || (r == leader) != (to == atLeader) {
				continue
			}
			all, late, err := lag(ctx, w, r, fmt.Sprintf("/lag-%d-%d-%d", round, w.id, r.id))
			if err != nil {
				return sample{}, fmt.Errorf("written on server %d, read on %d: %w", w.id, r.id, err)
			}
			seen, stale = append(seen, all...), stale+late
		}
	}
	slices.Sort(seen)
	return sample{
		Scenario: e.name(fmt.Sprintf("written on a %s, read on a %s", from, to)), Server: e.kind.name,
		Values: map[metric]float64{
			mStale:   100 * float64(stale) / float64(len(seen)),
			mSeenP50: median(seen),
			mSeenP99: seen[len(seen)*99/100],
			mSeenMax: seen[len(seen)-1],
		},
	}, nil
}

// lag creates znodes below a path on one server and looks for each on another. It returns the times in
// ms from the reply to the create to a reply that shows it, and how many first looks did not.
func lag(ctx context.Context, on, at *server, path string) (seen []float64, stale int, err error) {
	cs, err := connectMany([]string{on.addr, at.addr}, 2, sessionTimeout)
	if err != nil {
		return nil, 0, err
	}
	defer dropAll(cs)
	if err := cs[0].ensure(path, nil); err != nil {
		return nil, 0, err
	}
	for i := range lagTries {
		znode := fmt.Sprintf("%s/%d", path, i)
		look := readFrame(opExists, znode, false)
		if err := cs[0].ensure(znode, nil); err != nil {
			return nil, 0, err
		}
		written := time.Now()
		for looks := 0; ; looks++ {
			code, _, err := cs[1].call(look)
			switch {
			case err == nil && code == 0:
				seen = append(seen, millis(time.Since(written)))
				stale += min(looks, 1)
			case err == nil && code == errNoNode && time.Since(written) < lagLimit:
				continue
			case err == nil:
				err = fmt.Errorf("exists %s: code %d after %v", znode, code, time.Since(written))
			}
			if err != nil {
				return nil, 0, err
			}
			break
		}
		if err := pause(ctx, lagThink); err != nil {
			return nil, 0, err
		}
	}
	return seen, stale, closeAll(cs)
}
