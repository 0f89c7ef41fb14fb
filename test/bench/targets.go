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
	atMost      float64 // of ours alone
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
	if t.atMost > 0 {
		return fmt.Sprintf("≤ %g", t.atMost)
	}
	return fmt.Sprintf("≥ %g×", t.timesBetter)
}
