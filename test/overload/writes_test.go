package overload

import (
	"fmt"
	"testing"
	"time"

	"zkd/test/wire"
)

// fill creates znodes with data, in multis of a size that any server takes.
func fill(t *testing.T, addr string, n int, path func(i int) string, data []byte) {
	t.Helper()
	s, err := dialSession(addr, honestTimeout)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	per := max(1, min(2000, 500_000/(len(data)+100)))
	for i := 0; i < n; i += per {
		var m wire.Multi
		for j := i; j < min(i+per, n); j++ {
			m.Ops = append(m.Ops, wire.SubOp{Op: wire.OpCreate, Body: wire.Create{Path: path(j), Data: data, ACL: wire.OpenACL}})
		}
		if r, err := s.call(wire.OpMulti, m); err != nil || r.Err != 0 {
			t.Fatalf("filling: %+v, %v", r, err)
		}
	}
	if err := s.ok(wire.OpClose, nil); err != nil {
		t.Fatal(err)
	}
}

func set(path string, size int) wire.SetData {
	return wire.SetData{Path: path, Data: make([]byte, size), Version: -1}
}

// Small writes, each client sends as many as the server takes in.
func TestPipelinedWrites(t *testing.T) {
	const clients = 50
	path := func(i int) string { return fmt.Sprintf("/w%d", i) }
	scenario{
		name: "pipelined writes of 100 bytes, 50 clients", limit: 256 * mega, lasts: 4 * time.Second,
		prepare: func(t *testing.T, tg *target) { fill(t, tg.victim.addr, clients, path, nil) },
		attack: func(f *force) {
			f.each(clients, func(i int) {
				f.flood(pipeline(100, wire.OpSetData, func(int) wire.Body { return set(path(i), 100) }), 100)
			})
		},
		peers: true,
		least: 1000,
	}.run(t)
}

// Writes as large as are allowed. What waits for the log must not be all that clients like to send.
func TestLargeWrites(t *testing.T) {
	const size = 1000 << 10
	clients := shortOrLong(200, 1000)
	path := func(i int) string { return fmt.Sprintf("/w%d", i%10) }
	scenario{
		name: fmt.Sprintf("pipelined writes of %d KiB, %d clients", size>>10, clients), limit: 512 * mega, lasts: 5 * time.Second,
		prepare: func(t *testing.T, tg *target) { fill(t, tg.victim.addr, 10, path, nil) },
		attack: func(f *force) {
			f.each(clients, func(i int) {
				f.flood(pipeline(1, wire.OpSetData, func(int) wire.Body { return set(path(i), size) }), 1)
			})
		},
		peers: true,
		least: 20,
	}.run(t)
}

// Multis of as many operations as fit into a request.
func TestHugeMultis(t *testing.T) {
	const clients, ops = 20, 20_000
	path := func(i int) string { return fmt.Sprintf("/m%d", i) }
	scenario{
		name: "multis of 20,000 setData, 20 clients", limit: 512 * mega, lasts: 5 * time.Second,
		prepare: func(t *testing.T, tg *target) { fill(t, tg.victim.addr, clients, path, nil) },
		attack: func(f *force) {
			f.each(clients, func(i int) {
				m := wire.Multi{Ops: make([]wire.SubOp, ops)}
				for at := range m.Ops {
					m.Ops[at] = wire.SubOp{Op: wire.OpSetData, Body: set(path(i), 10)}
				}
				f.flood(pipeline(1, wire.OpMulti, func(int) wire.Body { return m }), 1)
			})
		},
		least: 5,
	}.run(t)
}
