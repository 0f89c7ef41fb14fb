package main

import (
	"math/bits"
	"time"
)

// hist counts durations in fixed buckets, 64 for each power of two of nanoseconds, so a reported
// value is within 1/64 of the true one. Recording is an index and an increment; it never allocates.
type hist struct {
	count   uint64
	max     int64
	buckets [histBuckets]uint64
}

const (
	histSubBits = 6 // 64 buckets a power of two
	histLinear  = 1 << (histSubBits + 1)
	histBuckets = (64-histSubBits)<<histSubBits + histLinear
)

// bucketOf: values below 128 ns have a bucket each; above, the leading 7 bits select it.
func bucketOf(v int64) int {
	if v < histLinear {
		return int(max(v, 0))
	}
	shift := bits.Len64(uint64(v)) - (histSubBits + 1)
	return shift<<histSubBits + int(v>>shift)
}

// bucketMiddle is the inverse of bucketOf: the middle of bucket i.
func bucketMiddle(i int) int64 {
	if i < histLinear {
		return int64(i)
	}
	shift := i>>histSubBits - 1
	low := int64(i-shift<<histSubBits) << shift
	return low + int64(1)<<shift/2
}

func (h *hist) record(ns int64) {
	h.count++
	h.buckets[bucketOf(ns)]++
	if ns > h.max {
		h.max = ns
	}
}

func (h *hist) add(o *hist) {
	h.count += o.count
	h.max = max(h.max, o.max)
	for i, n := range o.buckets {
		h.buckets[i] += n
	}
}

// quantile returns the value below or at which the share q of all recorded values lies; 0 when empty.
func (h *hist) quantile(q float64) time.Duration {
	if h.count == 0 {
		return 0
	}
	rank := uint64(q*float64(h.count) + 0.5)
	rank = min(max(rank, 1), h.count)
	var seen uint64
	for i, n := range h.buckets {
		seen += n
		if seen >= rank {
			return time.Duration(min(bucketMiddle(i), h.max))
		}
	}
	return time.Duration(h.max)
}
