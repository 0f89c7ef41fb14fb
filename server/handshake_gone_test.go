package server

import (
	"encoding/binary"
	"runtime"
	"testing"

	"zkd/test/wire"
)

// A connection that is dropped while its attach is in the log, with requests
// behind the ConnectRequest.
func TestDroppedWhileAttaching(t *testing.T) {
	s := startServer(t, nil)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for range 50 {
		h := hold(t, s)
		nc := dial(t, s)
		// raw ConnectRequest with a ping behind
		b := make([]byte, 0, 64)
		body := binary.BigEndian.AppendUint32(nil, 0)
		body = binary.BigEndian.AppendUint64(body, 0)
		body = binary.BigEndian.AppendUint32(body, 30000)
		body = binary.BigEndian.AppendUint64(body, 0)
		body = binary.BigEndian.AppendUint32(body, 16)
		body = append(body, make([]byte, 16)...)
		b = append(b, wire.Frame(body)...)
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
