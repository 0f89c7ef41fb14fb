package main

import (
	"strings"
	"testing"
)

func TestReportRatios(t *testing.T) {
	r := &report{Servers: []string{"zkd", "zookeeper"}}
	for i, v := range []float64{1, 3, 2} {
		r.add(sample{Scenario: "get 16×16", Server: "zkd", Round: i, Values: map[metric]float64{mServerCPU: v, mThroughput: 100 * v}})
		r.add(sample{Scenario: "get 16×16", Server: "zookeeper", Round: i, Values: map[metric]float64{mServerCPU: 10 * v, mThroughput: 50 * v}})
	}
	if x, ok := r.ratio("get 16×16", mServerCPU, lower); !ok || x != 10 {
		t.Errorf("CPU is %v times better, want 10", x)
	}
	if x, ok := r.ratio("get 16×16", mThroughput, higher); !ok || x != 2 {
		t.Errorf("throughput is %v times better, want 2", x)
	}
	var out strings.Builder
	r.writeTable(&out)
	for _, want := range []string{"2.00 (1.00–3.00)", "20.0 (10.0–30.0)", "≥ 8× reached", "≥ 3× MISSED", "10.0×"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("table lacks %q:\n%s", want, out.String())
		}
	}
	var js strings.Builder
	if err := r.writeJSON(&js); err != nil || !strings.Contains(js.String(), `"server_cpu_us_per_op": 10`) {
		t.Errorf("JSON: %v\n%s", err, js.String())
	}
}

func TestReportOfOneServer(t *testing.T) {
	r := &report{Servers: []string{"zkd"}}
	r.add(sample{Scenario: "get 16×16", Server: "zkd", Values: map[metric]float64{mServerCPU: 1}})
	var out strings.Builder
	r.writeTable(&out)
	if strings.Contains(out.String(), "target") {
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
