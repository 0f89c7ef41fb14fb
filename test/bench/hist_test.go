package main

import (
	"math"
	"testing"
)

func TestHistogram(t *testing.T) {
	var h hist
	if h.quantile(0.5) != 0 {
		t.Error("an empty histogram has a median")
	}
	for i := 1; i <= 100_000; i++ {
		h.record(int64(i) * 1000)
	}
	for _, q := range []float64{0.001, 0.5, 0.99, 0.999, 1} {
		got, want := float64(h.quantile(q)), q*1e8
		if math.Abs(got-want) > want/64+1000 {
			t.Errorf("quantile %v is %v, want %v within 1/64", q, got, want)
		}
	}
	var sum hist
	sum.add(&h)
	sum.add(&h)
	if sum.count != 2*h.count || sum.quantile(0.5) != h.quantile(0.5) || sum.max != h.max {
		t.Error("the sum of a histogram with itself has another median or maximum")
	}
}

func TestHistogramBuckets(t *testing.T) {
	last := -1
	for _, v := range []int64{-5, 0, 1, 127, 128, 129, 130, 255, 256, 1 << 20, 1<<20 + 1<<15, math.MaxInt64} {
		i := bucketOf(v)
		if i < last || i >= histBuckets {
			t.Fatalf("value %d is in bucket %d, the smaller one before in %d of %d", v, i, last, histBuckets)
		}
		last = i
		if m := bucketMiddle(i); v > 0 && math.Abs(float64(m-v)) > float64(v)/64 {
			t.Errorf("value %d is reported as %d", v, m)
		}
	}
}
