package server

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"zkd/conf"
	"zkd/proto/jute"
	"zkd/test/quick"
	"zkd/test/wire"
)

// history is what several clients did to two znodes: /n, which they set, and
// /dir, in which they create.
type history struct {
	mu      sync.Mutex
	sets    map[int64]int32 // by zxid, the version made
	creates []int64         // zxids
	reads   []sight
}

// sight is a reply: what was seen, and up to which transaction it says it shows.
type sight struct {
	zxid    int64
	version int32 // of /n, or -1
	cver    int32 // of /dir, or -1
}

func (h *history) add(r *wire.Reply, op wire.Op) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch op {
	case wire.OpSetData:
		h.sets[r.Zxid] = r.Stat.Version
	case wire.OpCreate:
		h.creates = append(h.creates, r.Zxid)
	case wire.OpGetData, wire.OpExists:
		h.reads = append(h.reads, sight{r.Zxid, r.Stat.Version, -1})
	case wire.OpGetChildren2:
		h.reads = append(h.reads, sight{r.Zxid, -1, r.Stat.Cversion})
	}
}

// check compares every read with the writes up to the zxid in its reply.
func (h *history) check(t *testing.T) {
	t.Helper()
	at := make([]int64, 0, len(h.sets))
	for z := range h.sets {
		at = append(at, z)
	}
	slices.Sort(at)
	slices.Sort(h.creates)
	for _, r := range h.reads {
		n, found := slices.BinarySearch(at, r.zxid)
		if found {
			n++
		}
		made, found := slices.BinarySearch(h.creates, r.zxid)
		if found {
			made++
		}
		version := int32(0)
		if n > 0 {
			version = h.sets[at[n-1]]
		}
		if r.version >= 0 && r.version != version {
			t.Fatalf("a reply up to %#x shows version %d, was %d then", r.zxid, r.version, version)
		}
		if r.cver >= 0 && r.cver != int32(made) {
			t.Fatalf("a reply up to %#x shows %d creates, there were %d then", r.zxid, r.cver, made)
		}
	}
}

// witness checks the replies and events of one client as they come in.
type witness struct {
	h        *history
	zxid     int64
	version  int32 // of /n, as last shown
	watching bool
	watched  int32 // version shown when the watch was set
}

func (w *witness) event(e *wire.Event) error {
	if !w.watching {
		return fmt.Errorf("event %+v without a watch", *e)
	}
	w.watching = false
	return nil
}

func (w *witness) reply(r *wire.Reply, op wire.Op, watch bool) error {
	if r.Err != 0 {
		return fmt.Errorf("%v", r.Err)
	}
	if shows := r.Stat != nil; shows != (op == wire.OpSetData || op == wire.OpGetData || op == wire.OpExists || op == wire.OpGetChildren2) {
		return fmt.Errorf("the reply %+v stands where that to op %d should", *r, op)
	}
	if r.Zxid < w.zxid {
		return fmt.Errorf("zxid %#x after %#x", r.Zxid, w.zxid)
	}
	w.zxid = r.Zxid
	w.h.add(r, op)
	switch op {
	case wire.OpSetData, wire.OpGetData, wire.OpExists:
	default:
		return nil
	}
	v := r.Stat.Version
	switch {
	case v < w.version, op == wire.OpSetData && v == w.version:
		return fmt.Errorf("version %d after %d", v, w.version)
	case w.watching && v != w.watched:
		return fmt.Errorf("version %d after %d without an event", v, w.watched)
	case watch && !w.watching:
		w.watching, w.watched = true, v
	}
	w.version = v
	return nil
}

type mix struct {
	clients, rounds, length, writes int // writes: percent
	size                            int // of the data
}

// Requests of several clients in pipelines, on the same znodes: each reply shows
// exactly the state up to the transaction that it names.
func TestReadsInTheirPlace(t *testing.T) {
	quick.Skip(t)
	for _, row := range []struct {
		name string
		mix  mix
		set  func(*conf.Config)
	}{
		{"half writes", mix{6, 6, 300, 50, 10}, nil},
		{"mostly reads", mix{6, 6, 1000, 3, 10}, nil},
		{"large data", mix{3, 3, 100, 20, bulkReply}, nil},
		{"globalOutstandingLimit 5", mix{6, 3, 300, 30, 10}, func(c *conf.Config) { c.GlobalOutstandingLimit = 5 }},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := startServer(t, row.set)
			c := connect(t, s)
			c.create("/n", nil, 0)
			c.create("/dir", nil, 0)
			h := &history{sets: map[int64]int32{}}
			var all sync.WaitGroup
			for i := range row.mix.clients {
				c := connect(t, s)
				all.Go(func() {
					if err := row.mix.run(c, h, uint64(i)); err != nil {
						t.Errorf("client %d: %v", i, err)
					}
				})
			}
			all.Wait()
			h.check(t)
			if n := s.outstanding.Load(); n != 0 {
				t.Errorf("%d requests outstanding at the end", n)
			}
		})
	}
}

func (m mix) run(c *client, h *history, seed uint64) error {
	rnd := rand.New(rand.NewPCG(seed, 7))
	w := &witness{h: h}
	data := bytes.Repeat([]byte("x"), m.size)
	for range m.rounds {
		var b []byte
		ops, watches := make([]wire.Op, m.length), make([]bool, m.length)
		for i := range ops {
			c.xid++
			op, body, watch := m.draw(rnd, data)
			ops[i], watches[i] = op, watch
			b = append(b, wire.Frame(wire.Payload(c.xid, op, body))...)
			c.Expect(c.xid, op)
		}
		sent := make(chan error, 1)
		go func() { sent <- c.Write(b) }()
		for i := 0; i < len(ops); {
			e, r, err := c.Next(patience)
			switch {
			case err != nil:
			case e != nil:
				err = w.event(e)
			default:
				err = w.reply(r, ops[i], watches[i])
				i++
			}
			if err != nil {
				return fmt.Errorf("request %d: %w", i, err)
			}
		}
		if err := <-sent; err != nil {
			return err
		}
	}
	return nil
}

func (m mix) draw(rnd *rand.Rand, data []byte) (op wire.Op, body wire.Body, watch bool) {
	if rnd.IntN(100) < m.writes {
		switch rnd.IntN(5) {
		case 0:
			return wire.OpCreate, wire.Create{Path: "/dir/c", ACL: wire.OpenACL, Flags: 2}, false
		case 1:
			return wire.OpSync, wire.Path("/n"), false
		}
		return wire.OpSetData, wire.SetData{Path: "/n", Data: data, Version: -1}, false
	}
	watch = rnd.IntN(4) == 0
	switch rnd.IntN(12) {
	case 0:
		return wire.OpGetChildren2, wire.PathWatch{Path: "/dir"}, false
	case 1:
		return wire.OpAllChildrenNumber, wire.Path("/dir"), false // waits for the writes before it
	case 2, 3:
		return wire.OpExists, wire.PathWatch{Path: "/n", Watch: watch}, watch
	}
	return wire.OpGetData, wire.PathWatch{Path: "/n", Watch: watch}, watch
}

// held is a server whose apply goroutine stands still.
type held struct {
	s *Server
	t *testing.T
}

func hold(t *testing.T, s *Server) held {
	s.state.mu.RLock()
	return held{s, t}
}

func (h held) goOn() { h.s.state.mu.RUnlock() }

// waits waits until a client's connection has so many writes and parked reads.
func (h held) waits(c *client, writes, reads int) {
	h.t.Helper()
	var w, r int
	if !eventually(func() bool { w, r = h.waiting(c); return w == writes && r == reads }) {
		h.s.state.mu.RUnlock()
		h.t.Fatalf("%d writes and %d reads wait instead of %d and %d", w, r, writes, reads)
	}
}

func (h held) waiting(c *client) (writes, reads int) {
	for _, x := range h.s.conns.list() {
		x.out.mu.Lock()
		if int64(x.session.ID) == c.session {
			writes = len(x.pending) - x.answered
			if x.parked != nil {
				reads = x.parked.count
			}
		}
		x.out.mu.Unlock()
	}
	return writes, reads
}

func (c *client) sendSet(value string) {
	c.t.Helper()
	c.send(wire.OpSetData, wire.SetData{Path: "/n", Data: []byte(value), Version: -1})
}

func (c *client) sendGet() {
	c.t.Helper()
	c.send(wire.OpGetData, wire.PathWatch{Path: "/n"})
}

// A read does not keep the writes behind it from the log, and sees what it
// would have seen if it had.
func TestParkedBetweenWrites(t *testing.T) {
	s := startServer(t, nil)
	c, other := connect(t, s), connect(t, s)
	c.create("/n", []byte("0"), 0)
	h := hold(t, s)
	for i := range 3 {
		c.sendSet(fmt.Sprint("mine", i))
		h.waits(c, i+1, 2*i)
		c.sendGet()
		c.send(wire.OpPing, nil)
		h.waits(c, i+1, 2*i+2)
		other.sendSet("other") // in the log before the next of c
		h.waits(other, i+1, 0)
	}
	h.goOn()
	for i := range 3 {
		if r := c.reply(); r.Stat == nil || r.Stat.Version != int32(2*i+1) {
			t.Fatalf("set %d: %+v", i, r)
		}
		if r, want := c.reply(), fmt.Sprint("mine", i); string(r.Data) != want {
			t.Errorf("read %d shows %q instead of %q", i, r.Data, want)
		}
		if r := c.reply(); r.Xid != -2 {
			t.Errorf("xid %d instead of a ping's", r.Xid)
		}
	}
}

// The watch of a parked read fires for the connection's own next write, between
// the two replies.
func TestParkedWatch(t *testing.T) {
	s := startServer(t, nil)
	c := connect(t, s)
	c.create("/n", nil, 0)
	h := hold(t, s)
	c.sendSet("a")
	c.send(wire.OpGetData, wire.PathWatch{Path: "/n", Watch: true})
	c.sendSet("b")
	h.waits(c, 2, 1)
	h.goOn()
	c.reply()
	if r := c.reply(); string(r.Data) != "a" || len(c.events) != 0 {
		t.Fatalf("%q with events %v", r.Data, c.events)
	}
	if c.reply(); len(c.events) != 1 || c.events[0].Path != "/n" {
		t.Errorf("events %v before the reply to the second write", c.events)
	}
}

// What was parked on a connection that is gone leaves no trace.
func TestParkedOnALostConnection(t *testing.T) {
	s := startServer(t, nil)
	c, other := connect(t, s), connect(t, s)
	c.create("/n", nil, 0)
	h := hold(t, s)
	c.sendSet("a")
	c.send(wire.OpGetData, wire.PathWatch{Path: "/n", Watch: true})
	c.send(wire.OpAddWatch, wire.PathType{Path: "/n", Type: 1})
	h.waits(c, 1, 2)
	c.Close()
	ended := eventually(func() bool { return s.conns.len() == 1 })
	h.goOn()
	if !ended {
		t.Fatal("the connection is still there")
	}
	if r := other.ok(wire.OpGetData, wire.PathWatch{Path: "/n"}); string(r.Data) != "a" {
		t.Errorf("%q: the write was in the log", r.Data)
	}
	if n := s.state.watches.Total(); n != 0 {
		t.Errorf("%d watches", n)
	}
	must(t, func() bool { return s.outstanding.Load() == 0 }, "everything is answered")
}

// A session that has moved: neither the write nor the read behind it counts.
func TestParkedOnAMovedSession(t *testing.T) {
	s := startServer(t, nil)
	c := connect(t, s)
	c.create("/n", []byte("0"), 0)
	h := hold(t, s)
	moved := make(chan error, 1)
	nc := dial(t, s)
	go func() {
		_, err := nc.Connect(wire.ConnectRequest{TimeoutMs: c.timeout, Session: c.session, Password: c.password}, patience)
		moved <- err
	}()
	ok := eventually(func() bool { return s.outstanding.Load() == 1 })
	c.sendSet("a")
	c.sendGet()
	h.waits(c, 1, 1)
	h.goOn()
	if err := <-moved; err != nil || !ok {
		t.Fatal(err, ok)
	}
	if b := closed(t, c.Conn); len(b) != 0 {
		t.Errorf("%d bytes over the old connection", len(b))
	}
	if r := connect(t, s).ok(wire.OpGetData, wire.PathWatch{Path: "/n"}); string(r.Data) != "0" {
		t.Errorf("%q: the write counted", r.Data)
	}
}

// A server that has lost its leader for too long does not answer parked reads,
// though it learns what became of the write.
func TestParkedBehindTheGate(t *testing.T) {
	s := startServer(t, nil)
	c := connect(t, s)
	c.create("/n", []byte("0"), 0)
	h := hold(t, s)
	c.sendSet("a")
	c.sendGet()
	h.waits(c, 1, 1)
	s.gate.contact.Store(int64(s.now() - 2*milliseconds(c.timeout)))
	h.goOn()
	for {
		_, r, err := c.Next(patience)
		if err != nil {
			break
		}
		if r.Data != nil {
			t.Fatal("the read was answered")
		}
	}
}

// Frames that cannot be end the connection behind what came before them.
func TestParkedBeforeGarbage(t *testing.T) {
	s := startServer(t, nil)
	c := connect(t, s)
	c.create("/n", nil, 0)
	h := hold(t, s)
	c.sendSet("a")
	c.sendGet()
	if err := c.Write([]byte{0xff, 0xff, 0xff, 0xff}); err != nil {
		t.Fatal(err)
	}
	h.waits(c, 1, 1)
	h.goOn()
	c.reply()
	if r := c.reply(); string(r.Data) != "a" {
		t.Errorf("%q", r.Data)
	}
	closed(t, c.Conn)
}

// Replies to parked reads are bounded: of a connection that nothing is known of
// few are parked, and none of one that reads large znodes. Only who has read small
// ones before can ask for more than is kept.
func TestParkedReadsOfLargeZnodes(t *testing.T) {
	quick.Skip(t)
	s := startServer(t, nil)
	c := connect(t, s)
	c.create("/n", bytes.Repeat([]byte("x"), 1_000_000), 0)
	ask := func(c *client, parked int) {
		h := hold(t, s)
		c.send(wire.OpSync, wire.Path("/n"))
		for range maxParked {
			c.sendGet()
		}
		h.waits(c, 1, parked)
		h.goOn()
	}
	for _, parked := range []int{fewParked, 0} {
		ask(c, parked)
		c.reply()
		for range maxParked {
			if r := c.reply(); len(r.Data) != 1_000_000 {
				t.Fatalf("%d bytes", len(r.Data))
			}
		}
	}
	greedy := connect(t, s)
	for n := fewParked; n < maxParked; n *= 2 {
		h := hold(t, s)
		greedy.send(wire.OpSync, wire.Path("/n"))
		for range n {
			greedy.send(wire.OpPing, nil)
		}
		h.waits(greedy, 1, n)
		h.goOn()
		for range n + 1 {
			greedy.reply()
		}
	}
	ask(greedy, maxParked)
	closed(t, greedy.Conn)
}

// To park a read and to answer it allocates nothing.
func TestGuardParkedReadsDoNotAllocate(t *testing.T) {
	if raceDetector {
		t.Skip("sync.Pool forgets under the race detector")
	}
	s := startServer(t, nil)
	client := connect(t, s)
	client.create("/n", make([]byte, 100), 0)
	c := s.conns.list()[0] // its goroutine waits for the client
	frame := wire.Payload(1, wire.OpGetData, wire.PathWatch{Path: "/n"})
	c.room = maxParked - fewParked
	answered := 0
	got := testing.AllocsPerRun(500, func() {
		c.out.mu.Lock()
		c.pending = append(c.pending, pendingReply{})
		c.out.mu.Unlock()
		for c.park(jute.OpGetData, frame, 0) {
			answered++
		}
		s.state.mu.Lock()
		defer s.state.mu.Unlock()
		c.out.mu.Lock()
		defer c.out.mu.Unlock()
		p := c.popLocked()
		c.answerParkedLocked(&p, 0)
		c.unparkLocked()
		if len(c.out.buf) < int(p.reads)*100 {
			t.Fatalf("%d bytes for %d reads", len(c.out.buf), p.reads)
		}
		c.out.buf, c.out.own = c.out.buf[:0], 0
	})
	if got != 0 || answered != 501*maxParked {
		t.Errorf("%v allocations, %d reads", got, answered)
	}
}
