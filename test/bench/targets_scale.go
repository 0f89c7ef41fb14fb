package main

// scaleTargets are about many znodes, many sessions and many watchers.
var scaleTargets = []target{
	{row: "memory of the tree", scenario: "fill ", metric: mLiveHeap, betterThanZooKeeper: 2},
	{row: "memory of the tree", scenario: "fill ", metric: mPeakRSS, betterThanZooKeeper: 3},
	{row: "restart", scenario: "restart ", metric: mRestart, betterThanZooKeeper: 4},
	{row: "latency through a snapshot", scenario: "snapshot ", metric: mSnapSlowdown, atMost: 3},
}
