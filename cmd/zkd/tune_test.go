package main

import "testing"

func TestGCPercent(t *testing.T) {
	for _, c := range []struct {
		live uint64
		want int
	}{
		{0, 1600},           // an empty server collects once in 64 MiB
		{64 << 20, 100},     // Go's own default
		{640 << 20, 10},     //
		{100 << 30, 5},      // 0 would make it collect all the time
		{^uint64(0) / 2, 5}, //
	} {
		if got := gcPercent(c.live); got != c.want {
			t.Errorf("%d bytes in use: %d %%, want %d %%", c.live, got, c.want)
		}
	}
}
