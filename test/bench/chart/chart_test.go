package chart

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func sampleChart() Chart {
	return Chart{Title: "Latency", Panels: []Panel{{
		X:        Axis{Label: "time, s"},
		Y:        Axis{Label: "latency, µs", Log: true},
		Lines:    []Line{{Server: "zkd", Name: "zkd", Points: []Point{{0, 100}, {1, 0}, {2, 3000}}, Marks: true}, {Server: "zookeeper", Name: "ZooKeeper", Style: Dashed, Points: []Point{{0, 900}, {2, 90_000}}}},
		Spans:    []Span{{0.5, 1.5}},
		SpanName: "snapshot",
	}}}
}

func TestChartsAreTheSameEachTime(t *testing.T) {
	var files [][]byte
	for _, name := range []string{"a.svg", "b.svg", "c.png", "d.png"} {
		file := filepath.Join(t.TempDir(), name)
		if err := sampleChart().Write(file); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, b)
	}
	if !bytes.Equal(files[0], files[1]) || !bytes.Equal(files[2], files[3]) {
		t.Error("equal charts make different files")
	}
	for _, want := range []string{"<svg", "latency, µs", "Arial", "ZooKeeper", "snapshot", "#0066B3", "#D55E00"} {
		if !strings.Contains(string(files[0]), want) {
			t.Errorf("the chart lacks %q", want)
		}
	}
}

func TestUnknownFormatIsRefused(t *testing.T) {
	if err := sampleChart().Write(filepath.Join(t.TempDir(), "chart.doc")); err == nil || !strings.Contains(err.Error(), ".doc") {
		t.Errorf("error %v", err)
	}
}

func TestShort(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 0.01: "0.01", 10: "10", 1000: "1k", 1_500_000: "1.5M", 1e10: "10G", 250: "250", 0.5: "0.5"} {
		if got := Short(v); got != want {
			t.Errorf("%v is %q, want %q", v, got, want)
		}
	}
}

func TestColoursDiffer(t *testing.T) {
	seen := map[any]string{}
	for _, server := range []string{"zkd", "ZooKeeper", "floor", "another"} {
		c := Colour(server)
		if other, taken := seen[c]; taken {
			t.Errorf("%s looks like %s", server, other)
		}
		seen[c] = server
	}
	if Colour("zookeeper-3.9") != Colour("ZooKeeper") {
		t.Error("one server has two colours")
	}
}

func TestAxesHoldTheirPoints(t *testing.T) {
	p := sampleChart().Panels[0]
	drawn, err := p.plot()
	if err != nil {
		t.Fatal(err)
	}
	if drawn.X.Min != 0 || drawn.X.Max < 2 || drawn.Y.Min != 100 || drawn.Y.Max <= 90_000 {
		t.Errorf("axes %v–%v, %v–%v", drawn.X.Min, drawn.X.Max, drawn.Y.Min, drawn.Y.Max)
	}
}
