// Package digest has the hash by which servers compare what they replicate.
//
// The digest of a set – the znodes of a tree, the sessions of a table – is the
// sum, modulo 2^64, of a hash of each member. A change subtracts what its
// member added before and adds what it adds now: that costs the same however
// large the set is, and the sum knows nothing of order and history. What is hashed
// of a member includes what names it, so that no two members are the same.
//
// The hash is fast rather than secret: 16 bytes a multiplication, the same on
// every machine and in every process. It finds what has gone wrong by
// accident. A client could make two contents with one hash, which would win it
// nothing.
//
// These values are in snapshots, and all servers of an ensemble must agree on
// them: changing them is changing a format.
package digest

import (
	"encoding/binary"
	"math/bits"
)

// The fraction of pi: numbers that nobody chose.
const (
	pi0 = 0x243f6a8885a308d3
	pi1 = 0x13198a2e03707344
	pi2 = 0xa4093822299f31d0
	pi3 = 0x082efa98ec4e6c89
	pi4 = 0x452821e638d01377
	pi5 = 0xbe5466cf34e90c6c
)

// mix folds the product of both. Every bit of either moves about half of the
// result's.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// Bytes returns the hash of b under a seed: what b belongs to.
func Bytes(seed uint64, b []byte) uint64 {
	n := uint64(len(b))
	h := seed ^ pi0
	if len(b) > 32 {
		// Two chains, for the processor works on both at a time.
		g := h ^ pi1
		for len(b) > 32 {
			h = mix(word(b)^pi2, word(b[8:])^h)
			g = mix(word(b[16:])^pi3, word(b[24:])^g)
			b = b[32:]
		}
		h ^= bits.RotateLeft64(g, 32)
	}
	if len(b) > 16 {
		h = mix(word(b)^pi2, word(b[8:])^h)
		b = b[16:]
	}
	// At most 16 bytes are left. The words that cover them may overlap; the
	// length tells how.
	var x, y uint64
	switch k := len(b); {
	case k >= 8:
		x, y = word(b), word(b[k-8:])
	case k >= 4:
		x, y = half(b), half(b[k-4:])
	case k > 0:
		x = uint64(b[0]) | uint64(b[k/2])<<8 | uint64(b[k-1])<<16
	}
	return mix(mix(x^pi4, y^h)^n, pi5^h)
}

func word(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }

func half(b []byte) uint64 { return uint64(binary.LittleEndian.Uint32(b)) }

// Words returns the hash of six numbers under a seed. Who has fewer gives
// zeros, always in the same places.
func Words(seed uint64, w [6]uint64) uint64 {
	h := mix(w[0]^pi1, w[1]^seed^pi0)
	g := mix(w[2]^pi2, w[3]^seed^pi3)
	f := mix(w[4]^pi4, w[5]^seed^pi5)
	return mix(h^bits.RotateLeft64(g, 32), f^seed^pi2)
}
