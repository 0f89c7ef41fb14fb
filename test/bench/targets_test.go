package main

import (
	"math"
	"testing"
)

// measured is a report of one figure on each of the three servers, with two more rounds above and below.
func measured(scenario string, m metric, zookeeper, zkd, floor float64) *report {
	r := &report{Servers: []string{zookeeperName, zkdName, floorName}}
	for server, v := range map[string]float64{zookeeperName: zookeeper, zkdName: zkd, floorName: floor} {
		if v == 0 {
			continue // was not measured
		}
		for round, x := range []float64{v / 2, 3 * v, v} {
			r.add(sample{Scenario: scenario, Server: server, Round: round, Values: map[metric]float64{m: x}})
		}
	}
	return r
}

func TestVerdicts(t *testing.T) {
	const sc = "get 16×16"
	for name, c := range map[string]struct {
		target                target
		zookeeper, zkd, floor float64
		figure                float64
		known, reached        bool
	}{
		"more is better":          {target{metric: mThroughput, betterThanZooKeeper: 5}, 10, 50, 0, 5, true, true},
		"more, but not enough":    {target{metric: mThroughput, betterThanZooKeeper: 5}, 10, 49, 0, 4.9, true, false},
		"less is better":          {target{metric: mServerCPU, betterThanZooKeeper: 12}, 24, 2, 0, 12, true, true},
		"less, but not enough":    {target{metric: mServerCPU, betterThanZooKeeper: 12}, 24, 3, 0, 8, true, false},
		"no ZooKeeper":            {target{metric: mServerCPU, betterThanZooKeeper: 12}, 0, 3, 1, 0, false, false},
		"a share of ZooKeeper's":  {target{metric: mP50, ofZooKeeper: 0.5}, 40, 20, 0, 0.5, true, true},
		"more than that share":    {target{metric: mP50, ofZooKeeper: 0.5}, 40, 30, 0, 0.75, true, false},
		"near the floor":          {target{metric: mServerCPU, ofFloor: 2.5}, 90, 2, 1, 2, true, true},
		"far above the floor":     {target{metric: mServerCPU, ofFloor: 2.5}, 90, 3, 1, 3, true, false},
		"no floor":                {target{metric: mServerCPU, ofFloor: 2.5}, 90, 3, 0, 0, false, false},
		"ours alone":              {target{metric: mBusiest, atMost: 1}, 0, 1, 0, 1, true, true},
		"above the limit":         {target{metric: mBusiest, atMost: 1}, 0, 2, 0, 2, true, false},
		"the worst round counts":  {target{metric: mBusiest, atMost: 1, never: 2.5}, 0, 1, 0, 1, true, false},
		"the worst round is fine": {target{metric: mBusiest, atMost: 1, never: 3}, 0, 1, 0, 1, true, true},
		"at least":                {target{metric: mSyncsOfPlain, atLeast: 0.8}, 0, 0.9, 0, 0.9, true, true},
		"less than that":          {target{metric: mSyncsOfPlain, atLeast: 0.8}, 0, 0.7, 0, 0.7, true, false},
		"another measure":         {target{metric: mMax, atMost: 1}, 0, 0, 0, 0, false, false},
	} {
		r := measured(sc, c.target.metric, c.zookeeper, c.zkd, c.floor)
		v, known := r.judge(c.target, sc)
		if known != c.known || known && (v.Reached != c.reached || math.Abs(v.Figure-c.figure) > 1e-9) {
			t.Errorf("%s: figure %v, reached %v, known %v; want %v, %v, %v", name, v.Figure, v.Reached, known, c.figure, c.reached, c.known)
		}
	}
}

// A throughput that misses its ratio counts as reached when the disk allows no more, and only then.
func TestDiskBoundStandsIn(t *testing.T) {
	const sc = "set 16×16"
	tt := target{scenario: sc, metric: mThroughput, betterThanZooKeeper: 5, unless: diskBound(sc)}
	for name, c := range map[string]struct {
		share   float64 // 0: not measured
		reached bool
	}{"as often as a plain loop": {0.9, true}, "half as often": {0.5, false}, "not measured": {0, false}} {
		r := measured(sc, mThroughput, 10, 40, 0)
		if c.share > 0 {
			r.add(sample{Scenario: sc, Server: zkdName, Values: map[metric]float64{mSyncsOfPlain: c.share}})
		}
		v, known := r.judge(tt, sc)
		if !known || v.Reached != c.reached || v.Figure != 4 || (v.Note != "") != (c.share > 0) {
			t.Errorf("%s: %+v, %v", name, v, known)
		}
	}
}

// Every target has one bound on a measure that the report prints, in a direction that gives it a meaning.
func TestTargetsMeanSomething(t *testing.T) {
	for _, tt := range targets {
		bounds := 0
		for _, b := range []float64{tt.betterThanZooKeeper, tt.ofZooKeeper, tt.ofFloor, tt.atMost, tt.atLeast} {
			if b > 0 {
				bounds++
			}
		}
		if bounds != 1 || tt.row == "" || labelOf(tt.metric) == string(tt.metric) {
			t.Errorf("%+v", tt)
		}
		if tt.betterThanZooKeeper > 0 && dirOf(tt.metric) == neutral {
			t.Errorf("%s, %s: nothing is better", tt.scenario, tt.metric)
		}
	}
}
