package consensus

import (
	"bytes"
	"testing"
)

func TestPack(t *testing.T) {
	small := []byte("a batch")
	large := bytes.Repeat([]byte{7}, groupTarget)
	half := bytes.Repeat([]byte{8}, groupTarget/2)
	for name, c := range map[string]struct {
		batches [][]byte
		entries []int // batches in each
	}{
		"none":                      {},
		"one":                       {[][]byte{small}, []int{1}},
		"several":                   {[][]byte{small, half, small}, []int{3}},
		"more than one entry takes": {[][]byte{half, half, small}, []int{1, 2}},
		"a large one between":       {[][]byte{small, large, small, small}, []int{1, 1, 2}},
	} {
		entries := pack(c.batches)
		if len(entries) != len(c.entries) {
			t.Errorf("%s: %d entries, want %d", name, len(entries), len(c.entries))
			continue
		}
		for i, n := range c.entries {
			want := c.batches[:n]
			c.batches = c.batches[n:]
			if n == 1 {
				if &entries[i][0] != &want[0][0] {
					t.Errorf("%s: entry %d is a copy of its only batch", name, i)
				}
				continue
			}
			if len(entries[i]) != cap(entries[i]) || len(entries[i]) > groupTarget || entries[i][0] != groupFormat {
				t.Errorf("%s: entry %d has %d bytes of %d and format %d", name, i, len(entries[i]), cap(entries[i]), entries[i][0])
			}
			rest := entries[i][groupHeader:]
			for k, w := range want {
				var b []byte
				var err error
				if b, rest, err = cutBatch(rest); err != nil || !bytes.Equal(b, w) {
					t.Fatalf("%s: batch %d of entry %d: %v", name, k, i, err)
				}
			}
			if len(rest) > 0 {
				t.Errorf("%s: %d bytes are left of entry %d", name, len(rest), i)
			}
		}
	}
	for _, bad := range [][]byte{{0}, {0, 0, 0, 1}, {255, 255, 255, 255, 1}} {
		if _, _, err := cutBatch(bad); err == nil {
			t.Errorf("%v is taken for a batch", bad)
		}
	}
}
