package slow

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"zkd/test/ensemble"
	"zkd/test/wire"
	"zkd/test/zkdserver"
)

var long = flag.Bool("long", false, "sizes and timeouts of real clients")

func TestMain(m *testing.M) {
	flag.Parse()
	flag.Set("test.parallel", "100") // they wait, mostly
	code := m.Run()
	zkdserver.CleanUp()
	os.Exit(code)
}

func shortOrLong[T any](short, longer T) T {
	if *long {
		return longer
	}
	return short
}

const kB, MB = 1_000, 1_000_000

// scale is what the cases are measured by: a session's timeout, how long a client is slow, and the rate of most links.
// All that is asked for takes longer.
type scale struct {
	timeout, slow time.Duration
	rate          int
}

func theScale() scale {
	return shortOrLong(scale{2 * time.Second, 6 * time.Second, 600 * kB}, scale{4 * time.Second, 20 * time.Second, 2 * MB})
}

// request is one of those that a client sends without waiting.
type request struct {
	op   wire.Op
	body wire.Body
}

func times(n int, all ...request) (list []request) {
	for range n {
		list = append(list, all...)
	}
	return list
}

func get(path string) request { return request{wire.OpGetData, wire.PathWatch{Path: path}} }

// slowCase is what a slow client asks for.
type slowCase struct {
	name     string
	rate     int
	silent   bool // it sends no pings, as a client that reads one long reply at a time
	leader   bool // what differs from another case is the same on all servers: ask one
	requests []request
}

func slowCases(s scale) []slowCase {
	var all wire.Multi
	for range 14 {
		all.Ops = append(all.Ops, wire.SubOp{Op: wire.OpGetData, Body: wire.PathWatch{Path: "/900k"}})
	}
	set := request{wire.OpSetData, wire.SetData{Path: "/own", Data: make([]byte, 10), Version: -1}}
	many := shortOrLong(10, 60) // times 900 kB
	return []slowCase{
		{"900 kB", s.rate, false, false, times(many, get("/900k"))},
		{"900 kB, no pings", s.rate, true, true, times(many, get("/900k"))},
		{"900 kB at 20 kB a second", 20 * kB, false, false, times(many, get("/900k"))},
		{"10 kB", s.rate, false, true, times(90*many, get("/10k"))},
		{"30 kB", s.rate, false, true, times(30*many, get("/30k"))},
		{"one reply of 12.6 MB", 600 * kB, true, false, []request{{wire.OpMultiRead, all}}},
		{"one reply of 900 kB at 20 kB a second", 20 * kB, true, false, []request{get("/900k")}},
		{"reads behind writes", s.rate, false, true, times(45*many, set, get("/10k"), get("/10k"))},
		{"lists", s.rate, false, true, times(3*many, request{wire.OpGetChildren2, wire.PathWatch{Path: "/list"}})},
	}
}

// prepare makes what the cases read.
func prepare(t *testing.T, addr string) {
	c := connect(t, addr, 30*time.Second)
	c.create("/900k", 900*kB, 0)
	c.create("/30k", 30*kB, 0)
	c.create("/10k", 10*kB, 0)
	c.create("/own", 0, 0)
	c.create("/list", 0, 0)
	name := strings.Repeat("n", 1000)
	for i := range 300 {
		c.create(fmt.Sprint("/list/", name, i), 0, 0)
	}
	c.ok(wire.OpClose, nil)
}

// start is three voters and an observer, and where clients connect by role.
func start(t *testing.T, lines ...string) (roles map[ensemble.Role]string) {
	t.Helper()
	s := theScale()
	e := ensemble.Start(t, ensemble.Options{Observers: 1, Tick: s.timeout / 4, Config: lines, Props: map[string]string{"zookeeper.extendedTypesEnabled": "true"}})
	leader := e.AwaitLeader()
	prepare(t, leader.Addr())
	return map[ensemble.Role]string{
		ensemble.Leader: leader.Addr(), ensemble.Follower: e.AwaitRole(ensemble.Follower).Addr(), ensemble.Observer: e.AwaitRole(ensemble.Observer).Addr(),
	}
}

// A client whose link is slower than its timeout keeps its session as long as it gets on; one that does not get on loses
// it as before.
func TestSlowClients(t *testing.T) {
	roles, s := start(t), theScale()
	t.Run("all", func(t *testing.T) {
		for role, addr := range roles {
			run := func(name string, do func(t *testing.T)) {
				t.Run(fmt.Sprintf("%s, %s", role, name), func(t *testing.T) {
					t.Parallel()
					do(t)
				})
			}
			for _, c := range slowCases(s) {
				if c.leader && role != ensemble.Leader && !*long {
					continue
				}
				run(c.name, func(t *testing.T) { c.run(t, addr, s, true) })
			}
			run("events", func(t *testing.T) { eventsBetweenReplies(t, addr, s) })
			run("request of 900 kB", func(t *testing.T) { arrivesSlowly(t, addr, s, 900*kB/int(s.slow/time.Second)) })
			run("request at 5 bytes a second", func(t *testing.T) { arrivesSlowly(t, addr, s, 5) })
			run("takes no replies", func(t *testing.T) { takesNothing(t, addr, s) })
			run("hangs and watches", func(t *testing.T) { hangsAndWatches(t, addr, s) })
			run("hangs in a request", func(t *testing.T) { hangsInARequest(t, addr, s) })
		}
	})
}

// The same of a session that only its server knows.
func TestSlowClientsOfLocalSessions(t *testing.T) {
	roles, s := start(t, "localSessionsEnabled=true"), theScale()
	t.Run("all", func(t *testing.T) {
		for role, addr := range roles {
			c := slowCases(s)[0]
			t.Run(fmt.Sprintf("%s, %s", role, c.name), func(t *testing.T) {
				t.Parallel()
				c.run(t, addr, s, false)
			})
		}
	})
}

// run is a client that takes what it has asked for slower than its timeout: it keeps its connection, its session and its
// ephemerals, and gets every reply in its order.
func (sc *slowCase) run(t *testing.T, addr string, s scale, ephemeral bool) {
	link := NewLink(t, addr, 0)
	c := connect(t, link.Addr(), s.timeout)
	if ephemeral {
		c.create(c.own(), 0, 1)
	}
	link.SetRate(sc.rate)
	if !sc.silent {
		defer c.pings(s.timeout)()
	}
	first := c.xid + 1
	sent := make(chan error, 1)
	go func() {
		for _, r := range sc.requests {
			if _, err := c.send(r.op, r.body); err != nil {
				sent <- err
				return
			}
		}
		sent <- nil
	}()
	began, taken := time.Now(), c.taken
	hurry := time.AfterFunc(s.slow, func() { link.SetRate(0) })
	defer hurry.Stop()
	for i := range sc.requests {
		if err := c.expect(first + int32(i)); err != nil {
			t.Fatalf("reply %d of %d, after %.1f s and %d kB: %v", i+1, len(sc.requests), time.Since(began).Seconds(), (c.taken-taken)/kB, err)
		}
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < s.slow {
		t.Errorf("all was taken after %v: the client was not slow", took)
	}
	if ephemeral && !c.exists(c.own()) {
		t.Error("the session's ephemeral is gone")
	}
	c.ok(wire.OpGetData, wire.PathWatch{Path: "/own"})
}

// A request may take longer to arrive than its session's timeout, though nothing else can come meanwhile.
func arrivesSlowly(t *testing.T, addr string, s scale, rate int) {
	c := connect(t, addr, s.timeout)
	c.create(c.own(), 0, 1)
	set := wire.SetData{Path: c.own(), Data: make([]byte, rate*int(s.slow/time.Second)), Version: -1}
	err := c.sendSlowly(rate, wire.OpSetData, set)
	if err == nil {
		err = c.expect(c.xid)
	}
	if err != nil {
		t.Fatal(err)
	}
	if !c.exists(c.own()) {
		t.Error("the session's ephemeral is gone")
	}
}

// Events that come between a slow client's replies change nothing, and are all told.
func eventsBetweenReplies(t *testing.T, addr string, s scale) {
	link := NewLink(t, addr, 0)
	c := connect(t, link.Addr(), s.timeout)
	defer c.pings(s.timeout)()
	path := c.own()
	writer := connect(t, addr, 30*time.Second)
	writer.create(path, 0, 0)
	c.ok(wire.OpAddWatch, wire.PathType{Path: path})
	link.SetRate(s.rate)
	first := c.xid + 1
	reads := shortOrLong(10, 60)
	for range reads {
		if _, err := c.send(wire.OpGetData, wire.PathWatch{Path: "/900k"}); err != nil {
			t.Fatal(err)
		}
	}
	written := make(chan int, 1)
	go func() {
		written <- writer.keepsWriting(path, s.slow)
		link.SetRate(0)
	}()
	for i := range reads {
		if err := c.expect(first + int32(i)); err != nil {
			t.Fatalf("reply %d: %v", i+1, err)
		}
	}
	n := <-written
	c.ok(wire.OpSync, wire.Path(path))
	c.ok(wire.OpGetData, wire.PathWatch{Path: path})
	if n == 0 || c.events != n {
		t.Errorf("%d events of %d changes", c.events, n)
	}
}

// Its kernel keeps the connection of a client that takes nothing alive, and says that its window is shut.
func takesNothing(t *testing.T, addr string, s scale) {
	link := NewLink(t, addr, 0)
	c := connect(t, link.Addr(), s.timeout)
	ends(t, c, addr, s, func() {
		link.SetRate(-1)
		for range 60 {
			if _, err := c.send(wire.OpGetData, wire.PathWatch{Path: "/900k"}); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// The kernel of a client that hangs takes its events as long as there is room.
func hangsAndWatches(t *testing.T, addr string, s scale) {
	c := connect(t, addr, s.timeout)
	path := c.own() + "-noise"
	writer := connect(t, addr, 30*time.Second)
	writer.create(path, 0, 0)
	c.ok(wire.OpAddWatch, wire.PathType{Path: path})
	ended := make(chan struct{})
	ends(t, c, addr, s, func() {
		go func() {
			defer close(ended)
			writer.keepsWriting(path, 4*s.timeout)
		}()
	})
	<-ended
}

func hangsInARequest(t *testing.T, addr string, s scale) {
	c := connect(t, addr, s.timeout)
	ends(t, c, addr, s, func() {
		b := wire.Frame(wire.Payload(c.xid, wire.OpSetData, wire.SetData{Path: "/own", Data: make([]byte, 900*kB), Version: -1}))
		if _, err := c.nc.Write(b[:len(b)-1]); err != nil {
			t.Fatal(err)
		}
	})
}

// ends waits for the end of a session that gets on no more after what it does.
func ends(t *testing.T, c *client, addr string, s scale, does func()) {
	c.create(c.own(), 0, 1)
	other := connect(t, addr, 30*time.Second)
	does()
	began := time.Now()
	ensemble.Await(t, "the session ends", func() bool {
		time.Sleep(beat)
		return !other.exists(c.own())
	})
	t.Logf("ended after %.1f s, with a timeout of %v", time.Since(began).Seconds(), s.timeout)
}
