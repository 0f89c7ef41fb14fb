package znode

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"zkd/proto/jute"
)

// However much is overwritten while a snapshot is open, it costs no more than
// what the snapshot has, and the snapshot stays as it was.
func TestOverwritesWhileASnapshotIsOpen(t *testing.T) {
	x := newTester(t)
	const znodes = 20
	for _, size := range []int{100, 5_000, 100_000} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			dir := fmt.Sprintf("/%d", size)
			x.make(dir)
			path := func(i int) string { return fmt.Sprintf("%s/%d", dir, i%znodes) }
			for i := range znodes {
				x.make(path(i))
				x.set(path(i), strings.Repeat("old", size/3), -1)
			}
			before := x.blobs.bytes
			s := x.Snapshot()
			for i := range 50 * znodes {
				if _, code := x.set(path(i), strings.Repeat("new", size/3), -1); code != jute.OK {
					t.Fatal(code)
				}
			}
			if grown, most := x.blobs.bytes-before, before+znodes*int64(size)/4+2*slabBytes; grown > most {
				t.Errorf("%d bytes grew by %d", before, grown)
			}
			var image bytes.Buffer
			if _, err := s.WriteTo(&image); err != nil {
				t.Fatal(err)
			}
			if n := bytes.Count(image.Bytes(), []byte(strings.Repeat("old", size/3))); n != znodes {
				t.Errorf("%d old znodes in the snapshot, want %d", n, znodes)
			}
			s.Release()
			x.set(path(0), "", -1)
			if len(x.blobs.limbo) == 0 && x.blobs.bytes > before+znodes*int64(size)/2+2*slabBytes {
				t.Errorf("%d bytes before, %d when the snapshot is closed", before, x.blobs.bytes)
			}
		})
	}
}
