package znode

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestSlotClassesFit(t *testing.T) {
	for n := range slabBytes + 2 {
		class := slotClass(n)
		if class < 0 {
			if n <= largestFit {
				t.Fatalf("%d bytes have no class", n)
			}
			continue
		}
		if size := slotSizes[class]; size < n || n > largestFit || class > 0 && slotSizes[class-1] >= n {
			t.Fatalf("%d bytes go to slots of %d", n, size)
		}
	}
	if !slices.IsSorted(slotSizes) || slabBytes/slotSizes[0] > 1<<slotBits {
		t.Errorf("sizes %v", slotSizes)
	}
}

// Slots at random: none is handed out twice, none changes while it is in use,
// and when all are given back nothing is left.
func TestSlotsAtRandom(t *testing.T) {
	for seed := range uint64(4) {
		r := rand.New(rand.NewPCG(seed, 4))
		b := newBlobs()
		live := map[blobRef][]byte{}
		check := func() {
			t.Helper()
			if err := verifyBlobs(&b, slices.Collect(maps.Keys(live))); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			for ref, want := range live {
				if !bytes.HasPrefix(b.get(ref), want) {
					t.Fatalf("seed %d: slot %#x changed", seed, ref)
				}
			}
		}
		for i := range 20_000 {
			n := []int{1, 16, 17, 100, 100, 1000, 1025, 5000, 30000, 32768, 32769, 100000}[r.IntN(12)]
			if len(live) > 0 && (r.IntN(2) == 0 || len(live) > 300) {
				refs := slices.Sorted(maps.Keys(live))
				ref := refs[r.IntN(len(refs))]
				delete(live, ref)
				b.release(ref)
			} else {
				ref := b.alloc(n)
				if _, taken := live[ref]; taken || ref == 0 || len(b.get(ref)) < n {
					t.Fatalf("seed %d: slot %#x for %d bytes", seed, ref, n)
				}
				text := bytes.Repeat([]byte{byte(i)}, min(n, 50))
				copy(b.get(ref), text)
				live[ref] = text
			}
			switch r.IntN(40) {
			case 0:
				b.pin()
			case 1:
				b.pins = max(0, b.pins-1)
			case 2:
				b.drain(r.IntN(50))
			}
			if i%500 == 0 {
				check()
			}
		}
		check()
		b.pins = 0
		for ref := range live {
			b.release(ref)
		}
		clear(live)
		b.drain(1 << 30)
		check()
		if b.bytes != 0 || len(b.limbo) != 0 || len(b.vacant) != len(b.slabs)-1 || slices.Max(b.partial) != 0 {
			t.Errorf("seed %d: %d bytes, %d in limbo, %d of %d slabs vacant", seed, b.bytes, len(b.limbo), len(b.vacant), len(b.slabs))
		}
	}
}

func TestWhatASnapshotReadsIsNotUsedAgain(t *testing.T) {
	b := newBlobs()
	old := b.alloc(100)
	copy(b.get(old), "old")
	b.pin()
	b.release(old)
	b.drain(10)
	for range 2000 {
		if ref := b.alloc(100); ref == old {
			t.Fatal("handed out while it was pinned")
		}
	}
	if string(b.get(old)[:3]) != "old" || len(b.limbo) != 1 {
		t.Error("the slot is gone")
	}
	b.pins--
	b.drain(10)
	if len(b.limbo) != 0 || b.alloc(100) != old {
		t.Error("the slot never came back")
	}
}
