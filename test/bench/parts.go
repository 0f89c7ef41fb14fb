package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// part is one section of a run. A line in parts is all that the rest of the bench knows of it.
type part struct {
	name string
	// several: on ensembles of -members servers; otherwise on a server alone.
	several bool
	// needs is a part on whose servers and znodes this one goes on; that part runs it.
	needs  string
	rounds func(o *options) int
	// run measures one round. It is nil for a part that another one runs.
	run func(ctx context.Context, b *bench, round int) error
}

var parts = []part{
	{name: "throughput", rounds: mainRounds, run: sideBySide(alone, throughput(opsAlone))},                    // the workloads of -ops, closed loop
	{name: "ratio", rounds: ratioRoundsOf, run: sideBySide(alone, readRatios)},                                // throughput and latencies over the share of reads
	{name: "fanout", rounds: mainRounds, run: allInTurn(alone, several(runFanout))},                           // one znode with -watchers watchers, and so many znodes with ten each
	{name: "idle", rounds: mainRounds, run: inTurn(alone, single(runIdle))},                                   // -idle sessions that only ping
	{name: "start", rounds: once, run: startEmpty},                                                            // start of an empty server, until it answers
	{name: "fill", rounds: fillRounds, run: sizes},                                                            // -sizes znodes: time, memory and disk
	{name: "restart", needs: "fill"},                                                                          // a kill of a filled server, until it answers
	{name: "access", needs: "fill"},                                                                           // CPU of reads and writes over all znodes, pauses
	{name: "open", needs: "fill"},                                                                             // an open loop on a filled server, quiet and through a snapshot
	{name: "ensemble", several: true, rounds: mainRounds, run: sideBySide(together, throughput(opsTogether))}, // the workloads of -ensemble-ops
	{name: "rest", several: true, rounds: fewRounds, run: inTurn(together, several(runRest))},                 // what an ensemble uses with next to nothing to do
	{name: "lag", several: true, rounds: mainRounds, run: sideBySide(together, lags)},                         // writes on one server, read on another
	{name: "failover", several: true, rounds: fewRounds, run: inTurn(together, several(runFailover))},         // kills of the leader
}

func mainRounds(o *options) int { return o.Rounds }

// fewRounds are enough for what varies little or is repeated within a round.
func fewRounds(o *options) int  { return min(o.Rounds, 2) }
func fillRounds(o *options) int { return o.FillRounds }
func once(*options) int         { return 1 }

// alone and together are the sizes of a part's ensembles.
func alone(*options) int      { return 1 }
func together(o *options) int { return o.Members }

// partNames lists the parts that satisfy a condition, in the order in which they run.
func partNames(is func(part) bool) []string {
	var names []string
	for _, p := range parts {
		if is(p) {
			names = append(names, p.name)
		}
	}
	return names
}

func anyPart(part) bool       { return true }
func partAlone(p part) bool   { return !p.several }
func partSeveral(p part) bool { return p.several }

// validateParts: each is known, has the servers it needs and follows what it goes on with.
func (o *options) validateParts() error {
	for i, name := range o.Parts {
		at := slices.IndexFunc(parts, func(p part) bool { return p.name == name })
		switch {
		case at < 0:
			return fmt.Errorf("unknown part %q (have %s)", name, strings.Join(partNames(anyPart), ", "))
		case parts[at].several && o.Members < 3:
			return fmt.Errorf("part %s needs 3 -members at least", name)
		case parts[at].needs != "" && !slices.Contains(o.Parts[:i], parts[at].needs):
			return fmt.Errorf("part %s needs %s before it", name, parts[at].needs)
		}
	}
	return nil
}

// run lets the servers take turns in each part. A failure ends the run; samples gathered stay.
func (b *bench) run(ctx context.Context) error {
	for _, p := range parts {
		if p.run == nil || !slices.Contains(b.o.Parts, p.name) {
			continue
		}
		rounds := p.rounds(b.o)
		for round := 1; round <= rounds; round++ {
			fmt.Fprintf(b.log, "%s %s, round %d of %d\n", time.Now().Format(time.TimeOnly), p.name, round, rounds)
			if err := p.run(ctx, b, round); err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
		}
	}
	return nil
}
