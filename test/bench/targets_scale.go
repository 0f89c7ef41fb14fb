package main

import (
	"fmt"
	"slices"
)

// scaleTargets are about many znodes, many sessions and many watchers.
var scaleTargets = slices.Concat(openTargets(), []target{
	{row: "watch fan-out", scenario: crowds(10_000)[0].name, metric: mLastEventP50, betterThanZooKeeper: 5},
	{row: "watch fan-out", scenario: crowds(10_000)[1].name, metric: mLastEventP50, betterThanZooKeeper: 5},
	{row: "10,000 idle sessions", scenario: idleName(10_000), metric: mRSSPerSession, atMost: 12 << 10},
	{row: "10,000 idle sessions", scenario: idleName(10_000), metric: mBusiest, atMost: 5},
	{row: "CPU per get and per set over the size of the tree", scenario: accessName("get", 10*million), metric: mCPUGrowth, atMost: 1.5},
	{row: "CPU per get and per set over the size of the tree", scenario: accessName("set", 10*million), metric: mCPUGrowth, atMost: 1.5},
	{row: "live heap per znode", scenario: fillName(million), metric: mHeapPerZnode, atMost: 250},
	{row: "live heap per znode", scenario: fillName(10 * million), metric: mHeapPerZnode, atMost: 250},
	{row: "cold start", scenario: restartName(million), metric: mRestart, betterThanZooKeeper: 5},
	{row: "cold start", scenario: restartName(10 * million), metric: mRestart, betterThanZooKeeper: 5},
	{row: "start of an empty server", scenario: startName, metric: mStart, atMost: 100},
	{row: "disk after 1,000,000 creates", scenario: fillName(million), metric: mDiskUsage, ofZooKeeper: 1},
})

// openTargets are about all requests together and about reads and multis each by themselves.
func openTargets() (all []target) {
	for _, n := range []int{million, openLargest} {
		for _, stream := range []string{"", openReadsOnly, openMultisOnly} {
			all = append(all, target{row: "open loop through a snapshot", scenario: openName(n) + stream, metric: mSnapSlowdown, atMost: 3})
		}
	}
	return all
}

func restartName(n int) string { return fmt.Sprintf("restart on %d znodes", n) }
func idleName(n int) string    { return fmt.Sprintf("%d idle sessions", n) }

const startName = "start of an empty server"
