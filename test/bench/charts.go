package main

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"

	"zkd/test/bench/chart"
)

// charts are files by name; each is drawn when what it shows was measured.
var charts = []struct {
	file string
	make func(r *report) (chart.Chart, bool)
}{
	{"throughput-over-reads.svg", chartReads},
	{"latency-percentiles.svg", chartPercentiles},
	{"memory-over-znodes.svg", chartMemory},
	{"cpu-over-znodes.svg", chartCPU},
	{"latency-through-a-snapshot.svg", chartSnapshot},
}

// drawCharts writes into dir every chart for which there are samples.
func (r *report) drawCharts(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var errs []error
	for _, c := range charts {
		if drawn, ok := c.make(r); ok {
			errs = append(errs, drawn.Write(filepath.Join(dir, c.file)))
		}
	}
	return errors.Join(errs...)
}

// display is the name that a server goes by among people.
func display(server string) string {
	if isZooKeeper(server) {
		return "ZooKeeper" + server[len(zookeeperName):]
	}
	return server
}

// over is a line of medians of one measure, over the scenarios that name makes of xs.
func (r *report) over(server string, m metric, xs []int, name func(int) string) (points []chart.Point) {
	for _, x := range xs {
		if vs := r.values(name(x), server, m); len(vs) > 0 {
			points = append(points, chart.Point{X: float64(x), Y: median(vs)})
		}
	}
	return points
}

// series is a sample's line, of the last round.
func (r *report) series(scenario, server, name string) []chart.Point {
	for _, s := range slices.Backward(r.Samples) {
		if s.Scenario == scenario && s.Server == server && len(s.Series[name]) > 0 {
			return s.Series[name]
		}
	}
	return nil
}

// panelOf has a line for each server and each of several measures.
func (r *report) panelOf(p chart.Panel, xs []int, measures []measure) (chart.Panel, bool) {
	for _, server := range r.Servers {
		for _, m := range measures {
			if points := r.over(server, m.metric, xs, m.scenario); len(points) > 1 {
				p.Lines = append(p.Lines, chart.Line{Server: server, Name: display(server) + m.label, Points: points, Style: m.style, Marks: true})
			}
		}
	}
	return p, len(p.Lines) > 0
}

// measure is one sort of line.
type measure struct {
	label    string // behind the server's name
	metric   metric
	scenario func(x int) string
	style    chart.Style
}

func chartReads(r *report) (chart.Chart, bool) {
	p, ok := r.panelOf(chart.Panel{
		Title: "Throughput over the share of reads (16 sessions × 16 outstanding, writes durable)",
		X:     chart.Axis{Label: "getData, % (the rest is setData)", Min: -3, Max: 103, Names: percents(ratios)},
		Y:     chart.Axis{Label: "operations per second", Log: true},
	}, ratios, []measure{{"", mThroughput, ratioName, chart.Solid}})
	return chart.Chart{Panels: []chart.Panel{p}}, ok
}

func percents(all []int) (names []chart.Name) {
	for _, n := range all {
		names = append(names, chart.Name{At: float64(n), Text: chart.Short(float64(n))})
	}
	return names
}

func chartPercentiles(r *report) (chart.Chart, bool) {
	p := chart.Panel{
		Title: "Latency percentiles (16 sessions × 16 outstanding, closed loop)",
		X: chart.Axis{Label: "share of requests answered within", Min: 0, Max: 4, Names: []chart.Name{
			{At: 0, Text: "0 %"}, {At: nines(0.5), Text: "50 %"}, {At: 1, Text: "90 %"}, {At: 2, Text: "99 %"}, {At: 3, Text: "99.9 %"}, {At: 4, Text: "99.99 %"}}},
		Y: chart.Axis{Label: "latency, µs", Log: true},
	}
	for _, server := range r.Servers {
		for _, m := range []struct {
			percent int
			label   string
			style   chart.Style
		}{{0, ", setData", chart.Solid}, {100, ", getData", chart.Dashed}} {
			if points := r.series(ratioName(m.percent), server, seriesLatency); len(points) > 0 {
				p.Lines = append(p.Lines, chart.Line{Server: server, Name: display(server) + m.label, Points: points, Style: m.style})
			}
		}
	}
	return chart.Chart{Panels: []chart.Panel{p}}, len(p.Lines) > 0
}

// measuredSizes are the numbers of znodes that a run had.
func (r *report) measuredSizes() []int {
	return slices.DeleteFunc(slices.Clone(everySize), func(n int) bool {
		return !slices.Contains(r.scenarios(), fillName(n))
	})
}

func chartMemory(r *report) (chart.Chart, bool) {
	p, ok := r.panelOf(chart.Panel{
		Title: "Memory over znodes (paths of 26 bytes, data of 100 bytes)",
		X:     chart.Axis{Label: "znodes", Log: true},
		Y:     chart.Axis{Label: "MiB", Log: true},
	}, r.measuredSizes(), []measure{
		{", resident", mRSS, fillName, chart.Solid},
		{", live heap", mLiveHeap, fillName, chart.Dashed},
	})
	return chart.Chart{Panels: []chart.Panel{p}}, ok
}

func chartCPU(r *report) (chart.Chart, bool) {
	p, ok := r.panelOf(chart.Panel{
		Title: "CPU of the server over znodes (16 sessions × 16 outstanding, random znodes of all)",
		X:     chart.Axis{Label: "znodes", Log: true},
		Y:     chart.Axis{Label: "µs of CPU per operation", Log: true},
	}, r.measuredSizes(), []measure{
		{", setData", mServerCPU, func(n int) string { return accessName("set", n) }, chart.Solid},
		{", getData", mServerCPU, func(n int) string { return accessName("get", n) }, chart.Dashed},
	})
	return chart.Chart{Panels: []chart.Panel{p}}, ok
}

// chartSnapshot has a panel for each server, all with the same axes.
func chartSnapshot(r *report) (chart.Chart, bool) {
	var c chart.Chart
	lo, hi, end := math.Inf(1), 0.0, 0.0
	for _, server := range r.Servers {
		p50, p99 := r.series(openName(million), server, seriesP50), r.series(openName(million), server, seriesP99)
		if len(p99) == 0 {
			continue
		}
		for i := range p99 {
			lo, hi, end = min(lo, p50[i].Y), max(hi, p99[i].Y), max(end, p99[i].X)
		}
		p := chart.Panel{
			Title: display(server) + ": latency through snapshots of 1,000,000 znodes (open loop)",
			Lines: []chart.Line{
				{Server: server, Name: "p99 of each 100 ms", Points: p99},
				{Server: server, Name: "p50", Points: p50, Style: chart.Dotted},
			},
			SpanName: "snapshot is written",
		}
		for _, s := range r.series(openName(million), server, seriesSpans) {
			p.Spans = append(p.Spans, chart.Span{From: s.X, To: s.Y})
		}
		c.Panels = append(c.Panels, p)
	}
	for i := range c.Panels {
		c.Panels[i].X = chart.Axis{Label: "time, s", Min: 0, Max: end}
		c.Panels[i].Y = chart.Axis{Label: "latency, µs", Log: true, Min: lo / 2, Max: hi * 8} // room for the legend
	}
	return c, len(c.Panels) > 0
}
