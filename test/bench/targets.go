package main

import (
	"fmt"
	"strings"
)

// target is what the project set out to reach for one measure of a scenario.
type target struct {
	scenario    string // or the beginning of its name
	metric      metric
	timesBetter float64 // than ZooKeeper; or
	atMost      float64 // of ours alone: the median
	never       float64 // above this, with atMost: the worst
}

var targets = []target{
	{scenario: "get 16×16", metric: mServerCPU, timesBetter: 8},
	{scenario: "get 16×16", metric: mThroughput, timesBetter: 3},
	{scenario: "set 16×16", metric: mServerCPU, timesBetter: 4},
	{scenario: "set 16×16", metric: mThroughput, timesBetter: 2},
	{scenario: "get 1×1", metric: mP50, timesBetter: 1},
	{scenario: "set 1×1", metric: mP50, timesBetter: 1},
	{scenario: "fill ", metric: mLiveHeap, timesBetter: 2},
	{scenario: "fill ", metric: mPeakRSS, timesBetter: 3},
	{scenario: "restart ", metric: mRestart, timesBetter: 4},
	{scenario: "snapshot ", metric: mSnapSlowdown, atMost: 3},

	{scenario: "3 servers: get 16×16", metric: mServerCPU, timesBetter: 8},
	{scenario: "3 servers: set 16×16", metric: mServerCPU, timesBetter: 5},
	{scenario: "3 servers: set 16×16", metric: mThroughput, timesBetter: 2.5},
	{scenario: "3 servers: set 1×1 on leader", metric: mP50, timesBetter: 1},
	{scenario: "3 servers: set 1×1 on follower", metric: mP50, timesBetter: 1},
	{scenario: "3 servers: set 1×1 on follower", metric: mOfLeader, atMost: 1.5},
	{scenario: "3 servers: 0 idle sessions", metric: mBusiest, atMost: 1},
	{scenario: "3 servers: 30 idle sessions", metric: mBusiest, atMost: 1},
	{scenario: "3 servers: leader killed", metric: mAllWriteAgain, atMost: 500, never: 3000},
}

func targetFor(scenario string, m metric) (target, bool) {
	for _, t := range targets {
		if t.metric == m && (t.scenario == scenario || strings.HasSuffix(t.scenario, " ") && strings.HasPrefix(scenario, t.scenario)) {
			return t, true
		}
	}
	return target{}, false
}

func (t target) String() string {
	if t.never > 0 {
		return fmt.Sprintf("≤ %g, never > %g", t.atMost, t.never)
	}
	if t.atMost > 0 {
		return fmt.Sprintf("≤ %g", t.atMost)
	}
	return fmt.Sprintf("≥ %g×", t.timesBetter)
}
