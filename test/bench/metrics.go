package main

import (
	"fmt"
	"math"
)

// metric is what a scenario measures. Its value is the key in JSON and must not change.
type metric string

const (
	mThroughput     metric = "ops_per_s"
	mP50            metric = "p50_us"
	mP99            metric = "p99_us"
	mP999           metric = "p999_us"
	mMax            metric = "max_us"
	mServerCPU      metric = "server_cpu_us_per_op"
	mServerLoad     metric = "server_cores"
	mBatch          metric = "replies_per_read"
	mOwnCPU         metric = "generator_cpu_us_per_op"
	mRSS            metric = "rss_mib"
	mPeakRSS        metric = "peak_rss_mib"
	mLiveHeap       metric = "live_heap_mib"
	mHeapPerZnode   metric = "live_heap_bytes_per_znode"
	mRestart        metric = "restart_s"
	mCPUTotal       metric = "cpu_s"
	mDiskUsage      metric = "disk_mib"
	mSnapshots      metric = "snapshots"
	mSnapshotTime   metric = "snapshot_s"
	mQuietP50       metric = "quiet_p50_us"
	mQuietP99       metric = "quiet_p99_us"
	mQuietP999      metric = "quiet_p999_us"
	mQuietMax       metric = "quiet_max_us"
	mDuringP50      metric = "snapshot_p50_us"
	mDuringP99      metric = "snapshot_p99_us"
	mDuringP999     metric = "snapshot_p999_us"
	mDuringMax      metric = "snapshot_max_us"
	mSnapSlowdown   metric = "snapshot_p999_over_quiet"
	mStart          metric = "start_ms"
	mCPUGrowth      metric = "server_cpu_over_smallest"
	mPauses         metric = "pauses"
	mPauseP50       metric = "pause_p50_us"
	mPauseMax       metric = "pause_max_us"
	mPauseTotal     metric = "pause_total_ms"
	mLastEventP50   metric = "last_event_p50_us"
	mLastEventP99   metric = "last_event_p99_us"
	mWatchCPU       metric = "server_cpu_us_per_watch"
	mOpenRate       metric = "sessions_opened_per_s"
	mRSSPerSession  metric = "rss_bytes_per_session"
	mHeapPerSession metric = "live_heap_bytes_per_session"
	mOfLeader       metric = "p50_over_leader"
	mBusiest        metric = "busiest_server_percent"
	mIdlest         metric = "idlest_server_percent"
	mWritesAgain    metric = "median_client_writes_again_ms"
	mAllWriteAgain  metric = "all_clients_write_again_ms"
	mLosses         metric = "survivor_connections_lost"
	mStale          metric = "stale_first_reads_percent"
	mSeenP50        metric = "seen_after_p50_ms"
	mSeenP99        metric = "seen_after_p99_ms"
	mSeenMax        metric = "seen_after_max_ms"
	mWrittenPerOp   metric = "bytes_written_per_op"
	mWriteRate      metric = "written_mib_per_s"
	mSyncRate       metric = "syncs_per_s"
	mOpsPerSync     metric = "ops_per_sync"
	mPlainSyncRate  metric = "plain_loop_syncs_per_s"
	mSyncsOfPlain   metric = "syncs_of_plain_loop"
)

type direction int

const (
	neutral direction = iota // no ratio is printed
	higher                   // more is better
	lower                    // less is better
)

// metrics in the order of the report.
var metrics = []struct {
	id    metric
	label string
	dir   direction
}{
	{mThroughput, "operations/s", higher},
	{mP50, "p50 µs", lower},
	{mOfLeader, "p50 : p50 on leader", lower},
	{mP99, "p99 µs", lower},
	{mP999, "p99.9 µs", lower},
	{mMax, "max µs", lower},
	{mServerCPU, "server CPU µs/op", lower},
	{mCPUGrowth, "server CPU/op : on the smallest tree", lower},
	{mServerLoad, "server cores busy", neutral},
	{mBatch, "replies a generator read", neutral},
	{mOwnCPU, "generator CPU µs/op", neutral},
	{mStart, "start to first answer ms", lower},
	{mRestart, "start to first answer s", lower},
	{mCPUTotal, "server CPU s", lower},
	{mBusiest, "busiest server, % of a core", lower},
	{mIdlest, "idlest server, % of a core", lower},
	{mWritesAgain, "until half the clients write again, ms", lower},
	{mAllWriteAgain, "until all clients write again, ms", lower},
	{mStale, "first reads that do not show it, %", lower},
	{mSeenP50, "seen after p50, ms", lower},
	{mSeenP99, "p99, ms", lower},
	{mSeenMax, "max, ms", lower},
	{mLosses, "connections lost on surviving servers", lower},
	{mRSS, "RSS MiB", lower},
	{mPeakRSS, "peak RSS MiB", lower},
	{mLiveHeap, "live heap MiB", lower},
	{mHeapPerZnode, "live heap bytes/znode", lower},
	{mDiskUsage, "data directory MiB", lower},
	{mSnapshots, "snapshots seen", neutral},
	{mSnapshotTime, "seconds a snapshot", neutral},
	{mQuietP50, "p50 µs, quiet", lower},
	{mDuringP50, "p50 µs, snapshot running", lower},
	{mQuietP99, "p99 µs, quiet", lower},
	{mDuringP99, "p99 µs, snapshot running", lower},
	{mQuietP999, "p99.9 µs, quiet", lower},
	{mDuringP999, "p99.9 µs, snapshot running", lower},
	{mSnapSlowdown, "p99.9 snapshot : quiet", lower},
	{mQuietMax, "max µs, quiet", lower},
	{mDuringMax, "max µs, snapshot running", lower},
	{mPauses, "pauses", neutral},
	{mPauseP50, "pause p50 µs", lower},
	{mPauseMax, "longest pause µs", lower},
	{mPauseTotal, "all pauses ms", lower},
	{mLastEventP50, "until the last event, p50 µs", lower},
	{mLastEventP99, "until the last event, p99 µs", lower},
	{mWatchCPU, "server CPU µs/watch set and fired", lower},
	{mOpenRate, "sessions opened/s", higher},
	{mRSSPerSession, "RSS bytes/session", lower},
	{mHeapPerSession, "live heap bytes/session", lower},
	{mWrittenPerOp, "bytes to disk/op", lower},
	{mWriteRate, "MiB to disk/s", neutral},
	{mSyncRate, "syncs/s", neutral},
	{mOpsPerSync, "operations a sync", neutral},
	{mPlainSyncRate, "syncs/s of a plain loop", neutral},
	{mSyncsOfPlain, "syncs/s : plain loop's", neutral},
}

func labelOf(m metric) string {
	for _, known := range metrics {
		if known.id == m {
			return known.label
		}
	}
	return string(m)
}

func dirOf(m metric) direction {
	for _, known := range metrics {
		if known.id == m {
			return known.dir
		}
	}
	return neutral
}

// number prints with three digits that matter, or none after the point when large.
func number(v float64) string {
	switch a := math.Abs(v); {
	case a >= 100:
		return fmt.Sprintf("%.0f", v)
	case a >= 10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}
