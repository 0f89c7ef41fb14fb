package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zkd/test/bench/chart"
)

// A report of all that charts need gives every chart, with every server in it; an empty one gives none.
func TestChartsOfAReport(t *testing.T) {
	r := &report{Servers: []string{zookeeperName, zkdName}}
	line := []chart.Point{{X: 1, Y: 10}, {X: 2, Y: 20}}
	for _, server := range r.Servers {
		for _, percent := range ratios {
			r.add(sample{Scenario: ratioName(percent), Server: server, Values: map[metric]float64{mThroughput: 1000}, Series: map[string][]chart.Point{seriesLatency: line}})
		}
		for _, n := range everySize[:2] {
			r.add(sample{Scenario: fillName(n), Server: server, Values: map[metric]float64{mRSS: 100, mLiveHeap: 50}})
			r.add(sample{Scenario: accessName("get", n), Server: server, Values: map[metric]float64{mServerCPU: 1}})
		}
		r.add(sample{Scenario: openName(million), Server: server, Series: map[string][]chart.Point{seriesP50: line, seriesP99: line, seriesSpans: {{X: 1, Y: 2}}}})
	}
	dir := filepath.Join(t.TempDir(), "charts")
	if err := r.drawCharts(dir); err != nil {
		t.Fatal(err)
	}
	for _, c := range charts {
		b, err := os.ReadFile(filepath.Join(dir, c.file))
		if err != nil {
			t.Error(err)
			continue
		}
		for _, want := range []string{"ZooKeeper", "zkd"} {
			if !strings.Contains(string(b), want) {
				t.Errorf("%s lacks %s", c.file, want)
			}
		}
	}
	empty := t.TempDir()
	if err := (&report{Servers: r.Servers}).drawCharts(empty); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(empty); len(left) > 0 {
		t.Errorf("an empty report has the chart %s", left[0].Name())
	}
}

func TestCurveGrows(t *testing.T) {
	var h hist
	for i := range int64(100_000) {
		h.record(i * 1000)
	}
	last := chart.Point{}
	for _, p := range h.curve() {
		if p.X <= last.X || p.Y < last.Y {
			t.Fatalf("%+v after %+v", p, last)
		}
		last = p
	}
	if last.X != 4 || last.Y < 99_000*0.98 {
		t.Errorf("the curve ends at %+v", last)
	}
}
