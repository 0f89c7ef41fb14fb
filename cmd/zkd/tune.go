package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// headroom is how much garbage may gather before it is collected. The tree
// holds no pointers, so a collection costs the same however large it is, and
// Go's default of letting the heap double would only double the memory.
const headroom = 64 << 20

// tune keeps the garbage collector's target at a fixed distance above what is
// in use, unless the operator has set GOGC.
func tune() {
	if os.Getenv("GOGC") != "" {
		return
	}
	retune(&struct{ _ [16]byte }{})
}

// gcPercent returns how far a heap with that much in use may grow, in percent
// of it: by headroom, but never by so little that collections follow one
// another.
func gcPercent(live uint64) int {
	return int(max(headroom*100/max(live, 4<<20), 5))
}

// retune sets the target for the next collection and comes back after it, as
// the finalizer of an object that nobody refers to.
func retune(sentinel *struct{ _ [16]byte }) {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	debug.SetGCPercent(gcPercent(live[0].Value.Uint64()))
	runtime.SetFinalizer(sentinel, retune)
}
