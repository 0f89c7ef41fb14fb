package main

import (
	"slices"
	"testing"
	"time"
)

func TestPausesOfLogs(t *testing.T) {
	const goLog = `time=2026-01-01T00:00:00Z level=INFO msg="gc of snapshots"
gc 1 @0.038s 1%: 0.018+0.32+0.004 ms clock, 0.036+0.1/0.2/0.3+0.008 ms cpu, 4->4->1 MB, 4 MB goal, 0 MB stacks, 0 MB globals, 2 P
gc 2 @1.5s 0%: 1.5+9.1+0.25 ms clock, 3+0/0/0+0.5 ms cpu, 8->8->2 MB, 8 MB goal, 0 MB stacks, 0 MB globals, 2 P (forced)
`
	if got, want := parseGoTrace([]byte(goLog)), []time.Duration{18_000, 4_000, 1_500_000, 250_000}; !slices.Equal(got, want) {
		t.Errorf("Go: %v, want %v", got, want)
	}
	const jvmLog = `[0.006s] Using G1
[1.234s] GC(0) Pause Young (Normal) (G1 Evacuation Pause) 24M->4M(256M) 3.456ms
[1.300s] GC(1) Concurrent Mark Cycle
[1.400s] GC(1) Pause Remark 12M->12M(60M) 1.001ms
[1.500s] GC(1) Concurrent Mark Cycle 99.000ms
`
	if got, want := parseJVMTrace([]byte(jvmLog)), []time.Duration{3_456_000, 1_001_000}; !slices.Equal(got, want) {
		t.Errorf("JVM: %v, want %v", got, want)
	}
	one := pauseSample("c", "zkd", []time.Duration{3e6, 1e6, 2e6})
	if one.Values[mPauseP50] != 2000 || one.Values[mPauseMax] != 3000 || one.Values[mPauseTotal] != 6 || one.Values[mPauses] != 3 {
		t.Errorf("sample %v", one.Values)
	}
}
