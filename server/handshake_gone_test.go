package server

import (
	"runtime"
	"testing"

	"zkd/test/wire"
)

// A connection that is dropped while its attach is in the log, with a ping behind
// the ConnectRequest, ends and leaves nothing unanswered.
func TestDroppedWhileAttaching(t *testing.T) {
	s := startServer(t, nil)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for range 50 {
		h := hold(t, s)
		nc := dial(t, s)
		b := wire.Frame(wire.ConnectRequest{TimeoutMs: 30_000, Password: make([]byte, 16)}.Payload())
		b = append(b, wire.Frame(wire.Payload(-2, wire.OpPing, nil))...)
		if err := nc.Write(b); err != nil {
			t.Fatal(err)
		}
		must(t, func() bool { return s.outstanding.Load() == 1 }, "attach in the log")
		for _, x := range s.conns.list() {
			x.abandon()
		}
		h.goOn()
		must(t, func() bool { return s.conns.len() == 0 }, "gone")
		must(t, func() bool { return s.outstanding.Load() == 0 }, "answered")
	}
}
