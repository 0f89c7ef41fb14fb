package server

import (
	"bytes"
	"net"
	"strconv"
	"testing"

	"zkd/conf"
	"zkd/proto/jute"
	"zkd/test/wire"
	"zkd/znode"
)

// These tests guard what makes the server fast, by counts that are the same on
// every machine. What a process costs is guarded from outside, in test/guard.

// raceDetector is set under the race detector, where sync.Pool forgets on purpose.
var raceDetector bool

func newLot(t *testing.T, nc net.Conn, n int, op wire.Op, body func(i int) wire.Body) *wire.Lot {
	t.Helper()
	l, err := wire.NewLot(nc, n, op, body)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func play(t *testing.T, l *wire.Lot) {
	if err := l.Play(); err != nil {
		t.Fatal(err)
	}
}

// guarded is a server with ten znodes of 100 bytes below /g and the socket of a
// client.
func guarded(t *testing.T, change func(*conf.Config)) (*Server, net.Conn) {
	t.Helper()
	s := startServer(t, change)
	nc, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	c := &client{Conn: wire.NewConn(nc), t: t}
	if _, err := c.Connect(wire.ConnectRequest{TimeoutMs: 60_000, Password: make([]byte, 16)}, patience); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/g", "/g/0", "/g/1", "/g/2", "/g/3", "/g/4", "/g/5", "/g/6", "/g/7", "/g/8", "/g/9"} {
		c.send(wire.OpCreate, wire.Create{Path: path, Data: make([]byte, 100), ACL: wire.OpenACL})
		if r := c.reply(); r.Err != 0 {
			t.Fatal(path, r.Err)
		}
	}
	return s, nc
}

func znodeOf(i int) string { return "/g/" + string(rune('0'+i%10)) }

// A read allocates nothing, from the request's bytes to the reply's.
func TestGuardReadsDoNotAllocate(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	s, nc := guarded(t, nil)
	read := func(i int) wire.Body { return wire.PathWatch{Path: znodeOf(i)} }
	lots := func() map[string]*wire.Lot {
		return map[string]*wire.Lot{
			"getData":     newLot(t, nc, 16, wire.OpGetData, read),
			"exists":      newLot(t, nc, 16, wire.OpExists, read),
			"getChildren": newLot(t, nc, 16, wire.OpGetChildren, func(int) wire.Body { return wire.PathWatch{Path: "/g"} }),
			"one getData": newLot(t, nc, 1, wire.OpGetData, read),
			"ping":        newLot(t, nc, 16, wire.OpPing, func(int) wire.Body { return nil }),
		}
	}
	check := func(size string) {
		t.Helper()
		for name, l := range lots() {
			if got := testing.AllocsPerRun(500, func() { play(t, l) }); got != 0 {
				t.Errorf("%s, %s tree: %v allocations a lot", name, size, got)
			}
		}
	}
	check("small")
	fillTree(s, 1<<16)
	check("large") // where rows are looked ahead at
}

// fillTree adds znodes behind the server's back.
func fillTree(s *Server, znodes int) {
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	tree := s.state.tree
	c := jute.CreateRequest{ACL: []jute.ACL{{Perms: jute.PermAll, ID: jute.ID{Scheme: "world", ID: "anyone"}}}}
	tx := znode.Txn{Zxid: s.state.zxid}
	for i := range znodes {
		c.Path = "/f" + strconv.Itoa(i)
		tree.Begin(&tx)
		tree.Create(jute.OpCreate, &c)
	}
}

// A write costs a fixed small number of allocations: those of its batch, and of
// raft, shared by all that are in it.
func TestGuardAllocationsOfAWrite(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	const sets, limit = 256, 1.0
	_, nc := guarded(t, nil)
	data := bytes.Repeat([]byte{'x'}, 100)
	l := newLot(t, nc, sets, wire.OpSetData, func(i int) wire.Body {
		return wire.SetData{Path: znodeOf(i), Data: data, Version: -1}
	})
	// The replies have other zxids and times than the first, but their length.
	got := testing.AllocsPerRun(50, func() { play(t, l) }) / sets
	t.Logf("%.2f allocations a setData", got)
	if got > limit {
		t.Errorf("%.2f allocations a setData, at most %v", got, limit)
	}
}

// What waits for a sync shares the next one: pipelined writes take far fewer
// than one each, and an entry of the log, with all that is in it, never more.
func TestGuardSyncsOfPipelinedWrites(t *testing.T) {
	const sets, rounds = 256, 8
	s, nc := guarded(t, func(cfg *conf.Config) { cfg.UnsafeNoSync = false })
	data := bytes.Repeat([]byte{'x'}, 100)
	l := newLot(t, nc, sets, wire.OpSetData, func(i int) wire.Body {
		return wire.SetData{Path: znodeOf(i), Data: data, Version: -1}
	})
	before := s.node.Storage()
	for range rounds {
		play(t, l)
	}
	after := s.node.Storage()
	syncs, entries := after.Syncs-before.Syncs, after.Entries-before.Entries
	bytesWritten := float64(after.BytesWritten-before.BytesWritten) / (sets * rounds)
	t.Logf("%d setData: %d syncs, %d entries, %.0f bytes each", sets*rounds, syncs, entries, bytesWritten)
	if syncs == 0 {
		t.Error("acknowledged without a sync")
	}
	if syncs > sets*rounds/8 {
		t.Errorf("%d setData took %d syncs, at most %d", sets*rounds, syncs, sets*rounds/8)
	}
	if syncs > entries {
		t.Errorf("%d syncs for %d entries of the log", syncs, entries)
	}
	// 100 of data, 8 of path, 58 of the request's head and lengths; what is
	// around the entry is shared.
	if limit := 180.0; bytesWritten > limit {
		t.Errorf("%.0f bytes of log for a setData of 100 bytes, at most %.0f", bytesWritten, limit)
	}
}
