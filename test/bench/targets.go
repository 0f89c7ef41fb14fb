package main

import (
	"fmt"
	"slices"
	"strings"
)

// target is one bound that the project set itself for one measure of a scenario. Exactly one of its bounds
// is set, but that never goes with atMost.
type target struct {
	row      string // of the project's table: what the bound is about
	scenario string // or the beginning of its name, with a blank at the end
	metric   metric

	betterThanZooKeeper float64 // so many times, at least
	ofZooKeeper         float64 // so many times ZooKeeper's figure, at most
	ofFloor             float64 // so many times the floor's figure, at most
	atMost              float64 // the median itself
	atLeast             float64
	never               float64 // above this, with atMost: the worst round

	// unless is another target that stands in for this one, as a bound of the machine does for one of
	// comparison.
	unless *target
}

// targets of all parts, in the order of the report.
var targets = slices.Concat(readTargets(), writeTargets, ensembleTargets, scaleTargets)

// readTargets are the same for three kinds of read.
func readTargets() (all []target) {
	shape := func(sessions, depth int, add func(scenario string)) {
		for _, w := range []string{"get", "exists", "children"} {
			add(fmt.Sprintf("%s %d×%d", w, sessions, depth))
		}
	}
	shape(16, 16, func(sc string) {
		const row = "reads, 16 sessions × 16 outstanding"
		all = append(all, target{row: row, scenario: sc, metric: mServerCPU, ofFloor: 2.5},
			target{row: row, scenario: sc, metric: mServerCPU, betterThanZooKeeper: 12})
	})
	shape(1, 1, func(sc string) {
		const row = "reads, 1 session × 1 outstanding"
		all = append(all, target{row: row, scenario: sc, metric: mP50, ofFloor: 1.6},
			target{row: row, scenario: sc, metric: mP50, ofZooKeeper: 0.5})
	})
	shape(1000, 1, func(sc string) {
		const row = "reads, 1,000 sessions × 1 outstanding"
		all = append(all, target{row: row, scenario: sc, metric: mServerCPU, ofFloor: 2.5})
	})
	return all
}

// diskBound stands in for a throughput: the server syncs its log as often as the disk allows.
func diskBound(workload string) *target {
	return &target{scenario: workload, metric: mSyncsOfPlain, atLeast: 0.8}
}

var writeTargets = slices.Concat(
	durableWrites("durable writes, one server", "", 5),
	[]target{
		{row: "multi of 10 sets", scenario: "multi 16×16", metric: mThroughput, betterThanZooKeeper: 4},
		{row: "ephemeral sequential create", scenario: "ephemeral 16×16", metric: mThroughput, betterThanZooKeeper: 4},
		{row: "mixed 90/10 and 50/50", scenario: "mixed-90 16×16", metric: mThroughput, betterThanZooKeeper: 4},
		{row: "mixed 90/10 and 50/50", scenario: "mixed-50 16×16", metric: mThroughput, betterThanZooKeeper: 4},
		{row: "the keeper mix", scenario: "keeper 224×1", metric: mThroughput, betterThanZooKeeper: 4},
		{row: "disk: bytes written per durable set", scenario: "set 16×16", metric: mWrittenPerOp, ofZooKeeper: 1},
		{row: "disk: bytes written per durable set", scenario: "set 1×1", metric: mWrittenPerOp, ofZooKeeper: 1},
	})

func durableWrites(row, prefix string, throughput float64) (all []target) {
	for _, w := range []string{"set 16×16", "create 16×16", "create-delete 16×16"} {
		t := target{row: row, scenario: prefix + w, metric: mThroughput, betterThanZooKeeper: throughput}
		if prefix == "" {
			t.unless = diskBound(w)
		}
		all = append(all, t, target{row: row, scenario: prefix + w, metric: mServerCPU, betterThanZooKeeper: 8})
	}
	return all
}

var ensembleTargets = slices.Concat(
	durableWrites("durable writes, 3 servers", "3 servers: ", 4),
	[]target{
		{row: "one synchronous writer, 3 servers", scenario: "3 servers: set 1×1 on leader", metric: mP50, ofZooKeeper: 0.8},
		{row: "one synchronous writer, 3 servers", scenario: "3 servers: set 1×1 on follower", metric: mP50, ofZooKeeper: 0.8},
		{row: "3 servers with next to nothing to do", scenario: "3 servers: 0 idle sessions", metric: mBusiest, atMost: 1},
		{row: "3 servers with next to nothing to do", scenario: "3 servers: 30 idle sessions", metric: mBusiest, atMost: 1},
		{row: "leader killed", scenario: "3 servers: leader killed", metric: mAllWriteAgain, atMost: 500, never: 3000},
	})

func (t target) measures(scenario string) bool {
	return t.scenario == scenario || strings.HasSuffix(t.scenario, " ") && strings.HasPrefix(scenario, t.scenario)
}

func (t target) String() string {
	var s string
	switch {
	case t.betterThanZooKeeper > 0:
		s = fmt.Sprintf("≥ %g× better than ZooKeeper", t.betterThanZooKeeper)
	case t.ofZooKeeper > 0:
		s = fmt.Sprintf("≤ %g× ZooKeeper's", t.ofZooKeeper)
	case t.ofFloor > 0:
		s = fmt.Sprintf("≤ %g× the floor's", t.ofFloor)
	case t.never > 0:
		s = fmt.Sprintf("≤ %g, never > %g", t.atMost, t.never)
	case t.atMost > 0:
		s = fmt.Sprintf("≤ %g", t.atMost)
	default:
		s = fmt.Sprintf("≥ %g", t.atLeast)
	}
	if t.unless != nil {
		s += fmt.Sprintf(", or %s %s", labelOf(t.unless.metric), t.unless)
	}
	return s
}

// verdict is a target held against what was measured.
type verdict struct {
	Row      string  `json:"row"`
	Scenario string  `json:"scenario"`
	Metric   metric  `json:"metric"`
	Bound    string  `json:"bound"`
	Figure   float64 `json:"figure"` // in the terms of the bound: a ratio or the median itself
	Reached  bool    `json:"reached"`
	Note     string  `json:"note,omitempty"`
}

// verdicts on all targets whose scenario was measured on the servers that the bound needs.
func (r *report) verdicts() (all []verdict) {
	for _, t := range targets {
		for _, sc := range r.scenarios() {
			if !t.measures(sc) {
				continue
			}
			if v, ok := r.judge(t, sc); ok {
				all = append(all, v)
			}
		}
	}
	return all
}

// judge is false when a figure that the target is about was not measured.
func (r *report) judge(t target, scenario string) (v verdict, ok bool) {
	v = verdict{Row: t.row, Scenario: scenario, Metric: t.metric, Bound: t.String()}
	ours := r.values(scenario, r.ours(), t.metric)
	if len(ours) == 0 {
		return v, false
	}
	against := func(server string) {
		theirs := r.values(scenario, server, t.metric)
		if ok = len(theirs) > 0 && median(theirs) > 0; ok {
			v.Figure = median(ours) / median(theirs)
		}
	}
	switch {
	case t.betterThanZooKeeper > 0:
		against(r.theirs())
		if dirOf(t.metric) == lower && v.Figure > 0 {
			v.Figure = 1 / v.Figure
		}
		v.Reached = v.Figure >= t.betterThanZooKeeper
	case t.ofZooKeeper > 0:
		against(r.theirs())
		v.Reached = v.Figure <= t.ofZooKeeper
	case t.ofFloor > 0:
		against(floorName)
		v.Reached = v.Figure <= t.ofFloor
	case t.atMost > 0:
		v.Figure, ok = median(ours), true
		v.Reached = v.Figure <= t.atMost && (t.never == 0 || ours[len(ours)-1] <= t.never)
	default:
		v.Figure, ok = median(ours), true
		v.Reached = v.Figure >= t.atLeast
	}
	if ok && !v.Reached && t.unless != nil {
		if u, known := r.judge(*t.unless, t.unless.scenario); known {
			v.Reached = u.Reached
			v.Note = fmt.Sprintf("%s %s", labelOf(u.Metric), number(u.Figure))
		}
	}
	return v, ok
}
