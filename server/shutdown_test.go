package server

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"reflect"
	"sync"
	"testing"
	"time"

	"zkd/conf"
	"zkd/proto/jute"
	"zkd/test/quick"
	"zkd/test/wire"
)

// Whatever was acknowledged when a server is shut down under load is there
// after the next start: writes, sessions, ephemerals.
func TestShutdownUnderLoad(t *testing.T) {
	for _, engine := range []string{"wal", "bolt"} {
		t.Run(engine, func(t *testing.T) {
			dir := t.TempDir()
			set := func(c *conf.Config) { c.LogStore, c.SnapCount = engine, 500 }
			s := startIn(t, dir, set)
			const clients = 6
			var all sync.WaitGroup
			var list []*client
			acked := make([]int32, clients)
			busy := make(chan struct{}, clients)
			for i := range clients {
				c := connect(t, s)
				c.create(fmt.Sprintf("/c%d", i), nil, 0)
				c.create(fmt.Sprintf("/e%d", i), nil, 1)
				list = append(list, c)
				all.Go(func() { acked[i] = writeUntilClosed(t, c, fmt.Sprintf("/c%d", i), busy) })
			}
			for range clients {
				<-busy
			}
			// The clients never stop asking. That must not be what ends the wait.
			ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
			defer cancel()
			began := time.Now()
			if err := s.Shutdown(ctx); err != nil {
				t.Error(err)
			}
			if took := time.Since(began); took > patience {
				t.Errorf("shutdown took %v", took)
			}
			stopServer(t, s)
			all.Wait()
			s = startIn(t, dir, set)
			for i, c := range list {
				c = attach(t, s, c)
				r := c.ok(wire.OpGetData, wire.PathWatch{Path: fmt.Sprintf("/c%d", i)})
				if r.Stat.Version < acked[i] || acked[i] == 0 {
					t.Errorf("client %d: version %d, %d acknowledged", i, r.Stat.Version, acked[i])
				}
				if n := int32(binary.BigEndian.Uint32(r.Data)); n != r.Stat.Version {
					t.Errorf("client %d: value %d in version %d", i, n, r.Stat.Version)
				}
				if r := c.ok(wire.OpExists, wire.PathWatch{Path: fmt.Sprintf("/e%d", i)}); r.Stat.EphemeralOwner != c.session {
					t.Errorf("client %d: ephemeral of %#x", i, r.Stat.EphemeralOwner)
				}
			}
		})
	}
}

// writeUntilClosed counts a znode up in a deep pipeline and returns the last
// version that was acknowledged.
func writeUntilClosed(t *testing.T, c *client, path string, busy chan<- struct{}) (acked int32) {
	const window = 200
	next := int32(0)
	for {
		for next < acked+window {
			next++
			body := wire.SetData{Path: path, Data: binary.BigEndian.AppendUint32(nil, uint32(next)), Version: next - 1}
			if c.Send(next, wire.OpSetData, body) != nil {
				return drainReplies(c, acked)
			}
		}
		_, r, err := c.Next(patience)
		if err != nil {
			return acked
		}
		if acked++; r.Err != 0 || r.Xid != acked {
			t.Errorf("reply %d: %+v", acked, r)
		}
		if acked == window {
			busy <- struct{}{}
		}
	}
}

// drainReplies counts what was acknowledged before the end.
func drainReplies(c *client, acked int32) int32 {
	for {
		_, r, err := c.Next(patience)
		if err != nil {
			return acked
		}
		if r != nil && r.Err == 0 {
			acked++
		}
	}
}

// A server that could not start leaves nothing behind: neither a goroutine nor
// the port.
func TestFailedStartLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	s := startIn(t, dir, nil)
	if other, err := Start(t.Context(), testConfig(t, dir, nil), slog.New(slog.DiscardHandler)); err == nil {
		_ = other.Shutdown(t.Context())
		t.Fatal("two servers in one directory")
	}
	if _, err := Start(t.Context(), testConfig(t, t.TempDir(), func(c *conf.Config) { c.ClientAddr = s.Addr().String() }),
		slog.New(slog.DiscardHandler)); err == nil {
		t.Fatal("two servers on one port")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if other, err := Start(ctx, testConfig(t, t.TempDir(), nil), slog.New(slog.DiscardHandler)); err == nil {
		_ = other.Shutdown(t.Context()) // started before it looked
	}
	connect(t, s).create("/a", nil, 0) // the first is not disturbed
}

// node is everything a client can see of a znode.
type node struct {
	Data     []byte
	Stat     wire.Stat
	ACL      []wire.ACL
	Children int
}

// dump reads the whole tree.
func dump(c *client) map[string]node {
	all := map[string]node{}
	var walk func(path string)
	walk = func(path string) {
		r := c.ok(wire.OpGetData, wire.PathWatch{Path: path})
		kids := c.ok(wire.OpGetChildren2, wire.PathWatch{Path: path})
		all[path] = node{r.Data, *r.Stat, c.ok(wire.OpGetACL, wire.Path(path)).ACL, len(kids.Names)}
		for _, name := range kids.Names {
			below := path + "/" + name
			if path == "/" {
				below = "/" + name
			}
			walk(below)
		}
	}
	walk("/")
	return all
}

// A server that starts from a snapshot, from a log or from both shows the tree
// it had, to the last field, with its sessions and their ephemerals.
func TestRestartShowsTheSame(t *testing.T) {
	quick.Skip(t)
	for _, row := range []struct {
		name string
		snap []bool // after each third of the writes
	}{{"log", []bool{false, false, false}}, {"snapshot", []bool{false, false, true}}, {"both", []bool{true, true, false}}} {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			set := func(c *conf.Config) { c.ExtendedTypesEnabled = true }
			s := startIn(t, dir, set)
			c, other := connect(t, s), connect(t, s)
			for third, snap := range row.snap {
				variety(c, fmt.Sprintf("/v%d", third))
				if snap {
					if err := s.node.Snapshot(); err != nil {
						t.Fatal(err)
					}
				}
			}
			other.create("/other", nil, 1)
			before, zxid := dump(c), s.state.zxid
			stopServer(t, s)

			s = startIn(t, dir, set)
			c, other = attach(t, s, c), attach(t, s, other)
			after := dump(c)
			for path, n := range before {
				if !reflect.DeepEqual(after[path], n) {
					t.Errorf("a restart has changed %s from %+v to %+v", path, n, after[path])
				}
			}
			if len(after) != len(before) || len(before) < 50 {
				t.Errorf("%d znodes became %d", len(before), len(after))
			}
			if r := c.ok(wire.OpSetData, wire.SetData{Path: "/v0", Version: -1}); r.Zxid <= zxid {
				t.Errorf("zxid %#x after %#x", r.Zxid, zxid)
			}
			// The next sequential name goes on, and the session still owns.
			if path := c.create("/v0/seq/s", nil, 2); path != "/v0/seq/s0000000010" {
				t.Errorf("next sequential znode is %s", path)
			}
			other.ok(wire.OpClose, nil)
			if c.exists("/other") {
				t.Error("an ephemeral outlived its session")
			}
		})
	}
}

// variety makes a subtree with something of everything.
func variety(c *client, root string) {
	c.create(root, []byte("root"), 0)
	c.create(root+"/seq", nil, 0)
	for i := range 10 {
		c.create(root+"/seq/s", []byte{byte(i)}, 2)
	}
	for i := range 4 {
		c.ok(wire.OpDelete, wire.PathVersion{Path: fmt.Sprintf("%s/seq/s%010d", root, 2*i), Version: -1})
	}
	c.create(root+"/eph", nil, 1)
	c.create(root+"/ephseq", nil, 3)
	c.ok(wire.OpCreateContainer, wire.Create{Path: root + "/container", ACL: wire.OpenACL, Flags: 4})
	c.create(root+"/container/child", nil, 0)
	c.ok(wire.OpCreateTTL, wire.CreateTTL{Create: wire.Create{Path: root + "/ttl", ACL: wire.OpenACL, Flags: 5}, TTL: 3_600_000})
	c.ok(wire.OpCreate, wire.Create{Path: root + "/null", ACL: []wire.ACL{{Perms: 31, Scheme: "ip", ID: "127.0.0.1"}}})
	c.create(root+"/empty", []byte{}, 0)
	c.create(root+"/ünïcödé", make([]byte, 100<<10), 0)
	for i := range 5 {
		c.ok(wire.OpSetData, wire.SetData{Path: root + "/empty", Data: []byte{byte(i)}, Version: int32(i)})
	}
	c.ok(wire.OpSetACL, wire.SetACL{Path: root + "/empty", ACL: []wire.ACL{{Perms: 31, Scheme: "world", ID: "anyone"}, {Perms: 1, Scheme: "ip", ID: "10.0.0.0/8"}}, Version: 0})
	c.ok(wire.OpMulti, wire.Multi{Ops: []wire.SubOp{
		{Op: wire.OpCreate, Body: wire.Create{Path: root + "/m", ACL: wire.OpenACL}},
		{Op: wire.OpSetData, Body: wire.SetData{Path: root + "/m", Data: []byte("m"), Version: 0}},
		{Op: wire.OpDelete, Body: wire.PathVersion{Path: root + "/seq/s0000000001", Version: -1}},
	}})
	// And one that fails, which must leave nothing.
	c.ok(wire.OpMulti, wire.Multi{Ops: []wire.SubOp{
		{Op: wire.OpCreate, Body: wire.Create{Path: root + "/gone", ACL: wire.OpenACL}},
		{Op: wire.OpDelete, Body: wire.PathVersion{Path: root + "/nowhere", Version: -1}},
	}})
}

// setWatches after a restart tells what was missed and arms the rest.
func TestWatchesAfterRestart(t *testing.T) {
	dir := t.TempDir()
	s := startIn(t, dir, nil)
	watcher, writer := connect(t, s), connect(t, s)
	for _, path := range []string{"/changed", "/same", "/gone", "/parent"} {
		writer.create(path, nil, 0)
	}
	seen := watcher.ok(wire.OpGetData, wire.PathWatch{Path: "/same", Watch: true}).Zxid
	watcher.Close()
	writer.ok(wire.OpSetData, wire.SetData{Path: "/changed", Version: -1})
	writer.ok(wire.OpDelete, wire.PathVersion{Path: "/gone", Version: -1})
	stopServer(t, s)

	s = startIn(t, dir, nil)
	watcher, writer = attach(t, s, watcher), attach(t, s, writer)
	if n := s.state.watches.Total(); n != 0 {
		t.Fatalf("%d watches after the start", n)
	}
	watcher.call(wire.OpSetWatches, wire.SetWatches{
		Relative: seen, Data: []string{"/changed", "/same", "/gone"}, Exist: []string{"/new"}, Child: []string{"/parent"},
	})
	want := map[string]wire.EventType{"/changed": 3, "/gone": 2}
	take := func() {
		t.Helper()
		for _, e := range watcher.events {
			if want[e.Path] != e.Type {
				t.Errorf("event %+v", e)
			}
			delete(want, e.Path)
		}
		if len(want) > 0 {
			t.Errorf("events not seen: %v", want)
		}
		watcher.events = nil
	}
	take() // they come before the reply
	writer.ok(wire.OpSetData, wire.SetData{Path: "/same", Version: -1})
	writer.ok(wire.OpSetData, wire.SetData{Path: "/changed", Version: -1}) // its watch is used up
	writer.create("/new", nil, 0)
	writer.create("/parent/child", nil, 0)
	want = map[string]wire.EventType{"/same": 3, "/new": 1, "/parent": 4}
	watcher.ok(wire.OpSync, wire.Path("/"))
	take()
}

// What is queued for a client when the server is shut down is still sent.
func TestShutdownSendsWhatIsQueued(t *testing.T) {
	s := startServer(t, nil)
	c := connect(t, s)
	s.conns.list()[0].queueEvent(jute.AppendEvent(nil, 7, jute.EventNodeCreated, "/queued")) // and no flusher knows
	done := make(chan struct{})
	go func() { stopServer(t, s); close(done) }()
	if e, _, err := c.Next(patience); err != nil || e == nil || e.Path != "/queued" {
		t.Errorf("%+v, %v", e, err)
	}
	closed(t, c.Conn)
	<-done
}

// A busy server answers what it has taken in before it closes: a client with
// one write at a time loses none that was read.
func TestShutdownAnswersWhatItTook(t *testing.T) {
	s := startServer(t, nil)
	c := connect(t, s)
	for range 50 {
		c.send(wire.OpCreate, wire.Create{Path: "/a", ACL: wire.OpenACL})
	}
	must(t, func() bool { return s.stats.received.Load() >= 50 }, "fifty requests in")
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	done := make(chan error, 1)
	began := time.Now()
	go func() { done <- s.Shutdown(ctx) }()
	for range 50 {
		c.reply()
	}
	closed(t, c.Conn)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("shutdown took %v with nothing left to answer", took)
	}
}
