package main

import (
	"testing"
	"time"
)

func TestSnapshotWatch(t *testing.T) {
	at := time.Unix(0, 0)
	w := snapshotWatch{sizes: map[string]int64{"snapshot.0": 10}}
	for i, c := range []struct {
		sizes   map[string]int64
		after   time.Duration
		running bool
	}{
		{map[string]int64{"snapshot.0": 10}, 0, false},
		{map[string]int64{"snapshot.0": 10, "snapshot.5": 0}, time.Millisecond, true},
		{map[string]int64{"snapshot.0": 10, "snapshot.5": 90}, time.Millisecond, true},
		{map[string]int64{"snapshot.0": 10, "snapshot.5": 90}, snapshotQuiet / 2, true},
		{map[string]int64{"snapshot.5": 90}, snapshotQuiet, false},
	} {
		at = at.Add(c.after)
		if w.look(c.sizes, at); w.running != c.running {
			t.Errorf("step %d: running %v", i, w.running)
		}
	}
}
