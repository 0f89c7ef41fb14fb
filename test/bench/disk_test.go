package main

import (
	"maps"
	"os"
	"testing"
	"time"

	"zkd/test/proc"
)

func TestDiskUse(t *testing.T) {
	begin := time.Now()
	before := diskUse{at: begin, written: 1 << 20, syncs: 50}
	after := diskUse{at: begin.Add(2 * time.Second), written: 5 << 20, syncs: 250}
	want := map[metric]float64{mWrittenPerOp: 4 << 20 / 2000., mWriteRate: 2, mSyncRate: 100, mOpsPerSync: 10}
	if got := after.values(before, 1000); !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got := before.values(before, 1000); got != nil {
		t.Errorf("nothing written is %v", got)
	}
	// A server that does not count its syncs still has a figure for what it writes.
	after.syncs = before.syncs
	if got := after.values(before, 1000); len(got) != 2 {
		t.Errorf("without syncs: %v", got)
	}
}

func TestBytesWrittenOfThisProcess(t *testing.T) {
	before, err := proc.Written(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	one := sample{Values: map[metric]float64{mSyncRate: 1, mOpsPerSync: 10}}
	if err := besidePlainLoop(one, 150, dir, time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if v := one.Values; v[mPlainSyncRate] <= 0 || v[mSyncsOfPlain] != 1/v[mPlainSyncRate] {
		t.Errorf("plain loop: %v", v)
	}
	after, err := proc.Written(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if after < before {
		t.Errorf("%d bytes written, %d before", after, before)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
