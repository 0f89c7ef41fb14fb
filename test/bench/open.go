package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"zkd/test/bench/chart"
	"zkd/test/proc"
)

// The open loop's mix: reads of which 65 % are getData, 33 % getChildren (of the filled parents, so of
// 1,000 names each) and the rest exists, and half as many multis of five setData; all over the whole tree.
const (
	openGets     = 65
	openLists    = 33
	openMultiOps = 5
	openReaders  = 32 // sessions
	openWriters  = 16
	// openWarm is for every kind: at such a pace a JVM needs that long.
	openWarm = 10 * time.Second
	// openSpacing is the time from one snapshot to the next at most: a snapshot takes its time, and as
	// much again must be quiet. So many snapshots a run.
	openSpacing        = 10 * time.Second
	openSpacingMillion = 4 * time.Second // and for each million znodes
	openSnapshots      = 3
	openSlice          = 100 * time.Millisecond // of the time line
	snapshotLook       = 10 * time.Millisecond
)

// Streams of the open loop.
const (
	openReads = iota
	openMultis
)

// runOpen restarts a filled server so that snapshots become due often, then sends requests at a fixed
// rate and reports their latencies while a snapshot is written and while none is.
func runOpen(ctx context.Context, s *server, o *options, n int) ([]sample, error) {
	spacing := openSpacing + openSpacingMillion*time.Duration(n)/1_000_000
	multis := o.OpenRate / 2
	// Both servers draw the distance between half of this and all of it.
	if err := errors.Join(s.configure("snapCount", fmt.Sprint(int(spacing.Seconds())*multis)), s.restart(ctx)); err != nil {
		return nil, err
	}
	data := payload(o.Size)
	l, err := startOpenLoad(ctx, s.addr, []openStream{
		openReads:  {o.OpenRate, openReaders, func(i int) source { return newFillReader(n, openGets, openLists, i, data) }},
		openMultis: {multis, openWriters, func(i int) source { return newFillWriter(n, openMultiOps, i, data) }},
	})
	if err != nil {
		return nil, fmt.Errorf("open loop: %w", err)
	}
	var from int64
	var before, after time.Duration
	var spans []span
	err = l.sleep(openWarm)
	if err == nil {
		from = nowNs()
		before, err = proc.CPU(s.pid())
	}
	if err == nil {
		spans, err = l.followSnapshots(s.dataDir(), openSnapshots*spacing)
	}
	to := nowNs()
	if err == nil {
		after, err = proc.CPU(s.pid())
	}
	if ferr := l.finish(); ferr != nil {
		err = ferr
	}
	if err != nil {
		return nil, fmt.Errorf("open loop: %w", err)
	}
	all := slices.DeleteFunc(l.outcomes, func(c outcome) bool { return c.due < from || c.due >= to })
	samples, err := openSamples(openName(n), s.kind.name, all, spans)
	if err != nil {
		return nil, err
	}
	samples[0].Values[mServerLoad] = float64(after-before) / float64(to-from)
	samples[0].Values[mThroughput] = float64(len(all)) / time.Duration(to-from).Seconds()
	samples[0].Note = fmt.Sprintf("%d reads/s on %d sessions (%d %% get, %d %% list of %d names, %d %% exists) and %d multis of %d sets/s on %d sessions, from when each was due",
		o.OpenRate, openReaders, openGets, openLists, fillDirSize, 100-openGets-openLists, multis, openMultiOps, openWriters)
	samples[0].Series = timeLine(all, spans, from)
	return samples, nil
}

// What is behind the name of a scenario of one stream.
const (
	openReadsOnly  = ", reads"
	openMultisOnly = ", multis"
)

func openName(n int) string { return fmt.Sprintf("open loop on %d znodes", n) }

// span is a stretch of time by nowNs.
type span struct{ from, to int64 }

// meets tells whether a request was under way within any of the spans.
func (c outcome) meets(spans []span) bool {
	return slices.ContainsFunc(spans, func(s span) bool { return c.due < s.to && c.done > s.from })
}

// openSamples: one of all requests, then one of each stream.
func openSamples(name, server string, all []outcome, spans []span) ([]sample, error) {
	var samples []sample
	for _, part := range []struct {
		name string
		is   func(stream int) bool
	}{
		{name, func(int) bool { return true }},
		{name + openReadsOnly, func(st int) bool { return st == openReads }},
		{name + openMultisOnly, func(st int) bool { return st == openMultis }},
	} {
		var quiet, during hist
		for _, c := range all {
			switch {
			case !part.is(c.stream):
			case c.meets(spans):
				during.record(c.done - c.due)
			default:
				quiet.record(c.done - c.due)
			}
		}
		if quiet.count == 0 || during.count == 0 {
			return nil, errors.New("open loop: not both quiet and a snapshot were seen")
		}
		samples = append(samples, sample{Scenario: part.name, Server: server, Values: map[metric]float64{
			mQuietP50:     micros(quiet.quantile(0.50)),
			mQuietP99:     micros(quiet.quantile(0.99)),
			mQuietP999:    micros(quiet.quantile(0.999)),
			mQuietMax:     micros(time.Duration(quiet.max)),
			mDuringP50:    micros(during.quantile(0.50)),
			mDuringP99:    micros(during.quantile(0.99)),
			mDuringP999:   micros(during.quantile(0.999)),
			mDuringMax:    micros(time.Duration(during.max)),
			mSnapSlowdown: float64(during.quantile(0.999)) / float64(max(quiet.quantile(0.999), 1)),
		}})
	}
	var busy int64
	for _, s := range spans {
		busy += s.to - s.from
	}
	samples[0].Values[mSnapshots] = float64(len(spans))
	samples[0].Values[mSnapshotTime] = time.Duration(busy).Seconds() / float64(len(spans))
	return samples, nil
}

// Names of the time line's series.
const (
	seriesP50   = "p50"
	seriesP99   = "p99"
	seriesMax   = "max"
	seriesSpans = "snapshots" // from and to
)

// timeLine is seconds and, for the requests due within each slice, microseconds.
func timeLine(all []outcome, spans []span, from int64) map[string][]chart.Point {
	series := map[string][]chart.Point{}
	second := func(ns int64) float64 { return time.Duration(ns - from).Seconds() }
	var slice []int64
	flush := func(at int64) {
		if len(slice) == 0 {
			return
		}
		slices.Sort(slice)
		for name, q := range map[string]float64{seriesP50: 0.5, seriesP99: 0.99, seriesMax: 1} {
			i := min(int(q*float64(len(slice))), len(slice)-1)
			series[name] = append(series[name], chart.Point{X: second(at), Y: micros(time.Duration(slice[i]))})
		}
		slice = slice[:0]
	}
	at := from
	for _, c := range all {
		for c.due >= at+int64(openSlice) {
			flush(at)
			at += int64(openSlice)
		}
		slice = append(slice, c.done-c.due)
	}
	flush(at)
	for _, s := range spans {
		series[seriesSpans] = append(series[seriesSpans], chart.Point{X: second(s.from), Y: second(s.to)})
	}
	return series
}

// followSnapshots returns when snapshots were written within t from now.
func (l *openLoad) followSnapshots(dir string, t time.Duration) (spans []span, err error) {
	watch := snapshotWatch{sizes: snapshotSizes(dir)}
	for until := time.Now().Add(t); time.Now().Before(until); {
		if err := l.sleep(snapshotLook); err != nil {
			return nil, err
		}
		was, now := watch.running, nowNs()
		watch.look(snapshotSizes(dir), time.Now())
		if watch.running && !was {
			spans = append(spans, span{from: now - int64(snapshotLook)})
		}
		if watch.running || was {
			spans[len(spans)-1].to = now
		}
	}
	return spans, nil
}
