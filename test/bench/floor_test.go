package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"testing"
)

// TestMain: this binary, too, is the floor when it is started as floorKind starts it.
func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == floorName {
		fmt.Fprintln(os.Stderr, serveFloor(os.Args[2], os.Args[3]))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// A run of the throughput part on the floor, every workload included: it needs no other server.
func TestThroughputOnTheFloor(t *testing.T) {
	o, err := parseOptions([]string{"-servers", "floor", "-parts", "throughput", "-rounds", "2", "-time", "5ms", "-keys", "20"})
	if err != nil {
		t.Fatal(err)
	}
	k, err := floorKind(o.Size)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{o: o, kinds: []*kind{k}, work: t.TempDir(), log: io.Discard, report: &report{Servers: o.Servers}}
	if err := b.run(context.Background()); err != nil {
		t.Fatal(err)
	}
	scenarios, err := o.scenarios(o.Workloads)
	if err != nil {
		t.Fatal(err)
	}
	for _, sc := range scenarios {
		rates := b.report.values(sc.name(), floorName, mThroughput)
		if len(rates) != 2 || rates[0] <= 0 {
			t.Errorf("%s: %v operations/s in two rounds", sc.name(), rates)
		}
	}
	if left, err := os.ReadDir(b.work); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
