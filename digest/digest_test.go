package digest

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"testing"
)

// The values are in snapshots and between servers: they stay as they are.
func TestValuesStay(t *testing.T) {
	var b [100]byte
	for i := range b {
		b[i] = byte(i * 7)
	}
	for n, want := range map[int]uint64{
		0:   0x2d1b401ea1f9d6d3,
		1:   0xc78e4c46f037d19d,
		5:   0xf812a291d314ffa9,
		11:  0x6d3966a962407a8b,
		16:  0x554e90b85b117650,
		20:  0x2cc4745c7909397e,
		40:  0xc95faac06b4d253,
		100: 0xdd1a9837888ad1e4,
	} {
		if got := Bytes(1, b[:n]); got != want {
			t.Errorf("%d bytes: %#x, want %#x", n, got, want)
		}
	}
	if got, want := Words(1, [6]uint64{1, 2, 3, 4, 5, 6}), uint64(0x7d58d969a42d0bc1); got != want {
		t.Errorf("words: %#x, want %#x", got, want)
	}
}

// flips counts how many bits of a hash change with one of the input, and
// fails where one hardly ever does or always does.
type flips struct {
	t    *testing.T
	what string
	n    int
	bits [64]int
}

func (f *flips) add(a, b uint64) {
	f.n++
	if a == b {
		f.t.Errorf("%s: one bit made no difference", f.what)
	}
	for d := a ^ b; d != 0; d &= d - 1 {
		f.bits[bits.TrailingZeros64(d)]++
	}
}

func (f *flips) check() {
	for i, n := range f.bits {
		if share := float64(n) / float64(f.n); share < 0.45 || share > 0.55 {
			f.t.Errorf("%s: bit %d changes in %.3f of all cases", f.what, i, share)
		}
	}
}

func TestEachBitOfBytesMovesHalfOfTheHash(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 48, 64, 65, 100, 300} {
		f := &flips{t: t, what: fmt.Sprint(n, " bytes")}
		for f.n < 20_000 {
			b, seed := make([]byte, n), r.Uint64()
			if f.n%2 == 0 { // half of them sparse, as much that is stored is
				for i := range b {
					b[i] = byte(r.Uint32())
				}
			}
			was := Bytes(seed, b)
			for i := range b {
				bit := byte(1) << r.IntN(8)
				b[i] ^= bit
				f.add(was, Bytes(seed, b))
				b[i] ^= bit
			}
			f.add(was, Bytes(seed^1<<r.IntN(64), b))
		}
		f.check()
	}
}

func TestEachBitOfWordsMovesHalfOfTheHash(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for i := range 7 {
		f := &flips{t: t, what: fmt.Sprint("word ", i)}
		for f.n < 20_000 {
			var w [6]uint64
			for j := range w {
				w[j] = r.Uint64() >> r.IntN(64) // small ones and large ones
			}
			seed := r.Uint64()
			was := Words(seed, w)
			bit := uint64(1) << r.IntN(64)
			if i < 6 {
				w[i] ^= bit
			} else {
				seed ^= bit
			}
			f.add(was, Words(seed, w))
		}
		f.check()
	}
}

// Like members must not add up to the same, in whichever way they are alike.
func TestNoTwoOfManyAlike(t *testing.T) {
	seen := map[uint64]struct{}{}
	add := func(h uint64) {
		if _, twice := seen[h]; twice {
			t.Fatalf("%#x comes twice, after %d others", h, len(seen))
		}
		seen[h] = struct{}{}
	}
	var zeros [400]byte
	for n := range zeros {
		add(Bytes(0, zeros[:n]))
		b := zeros
		for i := range n {
			b[i]++
			add(Bytes(0, b[:n]))
			b[i]--
		}
	}
	for i := range uint64(1 << 17) {
		add(Words(0, [6]uint64{i, i, 0, 0, 1, 1}))
		add(Words(0, [6]uint64{0, 0, i + 1, i + 1, 1, 1}))
		add(Words(i, [6]uint64{1, 2, 3, 4, 5, 6}))
	}
}

func BenchmarkBytes100(b *testing.B) {
	data := make([]byte, 100)
	h := uint64(0)
	for range b.N {
		h = Bytes(h, data)
	}
}

func BenchmarkBytes100000(b *testing.B) {
	data := make([]byte, 100_000)
	b.SetBytes(int64(len(data)))
	h := uint64(0)
	for range b.N {
		h = Bytes(h, data)
	}
}

func BenchmarkWords(b *testing.B) {
	h := uint64(0)
	for i := range b.N {
		h = Words(h, [6]uint64{uint64(i), 2, 3, 4, 5, 6})
	}
}
