package soak

import (
	"testing"
	"time"
)

func TestMeter(t *testing.T) {
	var m meter
	for i := range 1000 {
		m.note(500*time.Millisecond, time.Duration(i+1)*time.Millisecond)
	}
	m.note(3200*time.Millisecond, 7*time.Microsecond)
	seconds, all := m.until(5 * time.Second)
	if len(seconds) != 5 || seconds[0].Count != 1000 || seconds[1].Count != 0 || seconds[3] != (Second{1, 7000, 7000, 7000}) || all.count != 1001 {
		t.Fatalf("%+v, %d in all", seconds, all.count)
	}
	for _, row := range []struct{ got, want time.Duration }{
		{seconds[0].P50, 500 * time.Millisecond}, {seconds[0].P99, 990 * time.Millisecond}, {seconds[0].Max, time.Second},
	} {
		if off := (row.got - row.want).Abs(); off > row.want/32 {
			t.Errorf("%v, want %v", row.got, row.want)
		}
	}
}

func TestBucketsAreClose(t *testing.T) {
	last := -1
	for us := int64(0); us < 200_000_000; us += 1 + us/50 {
		d := time.Duration(us) * time.Microsecond
		b := bucketOf(d)
		if v := valueOf(b); b < last || v > d || d-v > d/32 {
			t.Fatalf("%v is in bucket %d of %v", d, b, v)
		}
		last = b
	}
}
