package main

import (
	"strings"
	"testing"
)

func TestReportRatios(t *testing.T) {
	r := &report{Servers: []string{"zookeeper", "zkd", "floor"}}
	for i, v := range []float64{1, 3, 2} {
		add := func(server string, cpu, rate float64) {
			r.add(sample{Scenario: "get 16×16", Server: server, Round: i, Values: map[metric]float64{mServerCPU: cpu, mThroughput: rate}})
		}
		add("zkd", 4*v, 100*v)
		add("zookeeper", 40*v, 50*v)
		add("floor", v, 200*v)
	}
	ours := r.pairs()[0]
	if x, ok := r.ratio(ours, "get 16×16", mServerCPU, lower); !ok || x != 10 {
		t.Errorf("CPU is %v times better, want 10", x)
	}
	if x, ok := r.ratio(ours, "get 16×16", mThroughput, higher); !ok || x != 2 {
		t.Errorf("throughput is %v times better, want 2", x)
	}
	var out strings.Builder
	r.writeDocument(&out)
	for _, want := range []string{"zkd : zookeeper", "floor : zkd", "8.00 (4.00–12.0)", "80.0 (40.0–120)", "10.0×", "4.00×", "MISSED", "0 of 2 reached"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("report lacks %q:\n%s", want, out.String())
		}
	}
	var js strings.Builder
	if err := r.writeJSON(&js); err != nil || !strings.Contains(js.String(), `"server_cpu_us_per_op": 4`) || !strings.Contains(js.String(), `"reached": false`) {
		t.Errorf("JSON: %v\n%s", err, js.String())
	}
}

func TestReportOfOneServer(t *testing.T) {
	r := &report{Servers: []string{"zkd"}}
	r.add(sample{Scenario: "get 16×16", Server: "zkd", Values: map[metric]float64{mServerCPU: 1}})
	var out strings.Builder
	r.writeDocument(&out)
	if strings.Contains(out.String(), "Targets") || strings.Contains(out.String(), " : ") {
		t.Errorf("one server is compared:\n%s", out.String())
	}
}

func TestMedian(t *testing.T) {
	if m := median([]float64{1, 2, 9}); m != 2 {
		t.Errorf("median %v", m)
	}
	if m := median([]float64{1, 2, 4, 9}); m != 3 {
		t.Errorf("median of four %v", m)
	}
}
