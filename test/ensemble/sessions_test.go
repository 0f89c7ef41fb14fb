package ensemble

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"zkd/test/wire"
)

// What is written through one server is read through another after a sync, whoever leads.
func TestSyncIsLinearizable(t *testing.T) {
	OnlyZkd(t) // the sync of a ZooKeeper that leads does not wait for its own commits
	e := Start(t, Options{Observers: 1})
	setup := Open(t, 20*time.Second, e.Servers...)
	setup.Create("/sync", nil)
	setup.Close()
	var sessions []*Session
	for _, s := range e.Servers {
		sessions = append(sessions, Open(t, 20*time.Second, s))
	}
	n := 0
	for round := range 100 {
		for i, a := range sessions {
			b := sessions[(i+1+round)%len(sessions)]
			n++
			want := fmt.Sprint(n)
			a.Set("/sync", []byte(want))
			b.Sync()
			if got, _ := b.Get("/sync"); string(got) != want {
				t.Fatalf("written through %v: %s; read through %v after a sync: %s", a.Home(), want, b.Home(), got)
			}
		}
	}
}

// A session goes from server to server and keeps its ephemerals; what it watches is watched on.
func TestSessionMoves(t *testing.T) {
	e := Start(t, Options{Observers: 1})
	other := Open(t, 20*time.Second, e.Servers[0])
	other.Create("/watched", nil)
	c := Open(t, 20*time.Second, e.Servers[0])
	c.CreateEphemeral("/mine", nil)
	id := c.ID()
	for i, s := range append(e.Servers[1:], e.Servers...) {
		c.Move(s)
		seen := c.Zxid()
		if i%2 == 0 { // what happens between two connections is told when the watch is set again
			other.Set("/watched", nil)
		}
		// As a client library does on every connection.
		if r := c.Must(wire.OpSetWatches, wire.SetWatches{Relative: seen, Data: []string{"/watched"}, Exist: []string{}, Child: []string{}}); r.Err != 0 {
			t.Fatal(r.Err)
		}
		if i%2 == 1 {
			other.Set("/watched", nil)
		}
		c.Sync()
		events := c.Events()
		if len(events) != 1 || events[0].Path != "/watched" || events[0].Type != 3 {
			t.Errorf("at %v: events %v", s, events)
		}
		if stat := c.Exists("/mine"); stat == nil || stat.EphemeralOwner != id || c.ID() != id {
			t.Errorf("at %v: session %#x, was %#x; its ephemeral: %+v", s, c.ID(), id, stat)
		}
	}
	c.Close()
	other.Sync()
	if other.Exists("/mine") != nil {
		t.Error("the ephemeral has outlived its session")
	}
}

// Requests that arrive over the connection that a session has left are not obeyed.
func TestSessionMoved(t *testing.T) {
	e := Start(t, Options{})
	c := Open(t, 20*time.Second, e.Servers[0])
	c.Create("/n", nil)
	old := c.conn
	c.conn = nil // and stays open
	defer old.Close()
	c.Move(e.Servers[1])
	c.Set("/n", []byte("new"))
	if err := old.Send(1000, wire.OpSetData, wire.SetData{Path: "/n", Data: []byte("old"), Version: -1}); err == nil {
		if _, r, err := old.Next(5 * time.Second); err == nil && (r == nil || r.Err == 0) {
			t.Errorf("a write over the old connection: %+v", r)
		}
	}
	c.Sync()
	if data, _ := c.Get("/n"); string(data) != "new" {
		t.Errorf("the old connection has written %q", data)
	}
}

// A session whose client has gone ends, with its ephemerals, on every server at once; not before its time, though the
// leader dies meanwhile, and within twice its time afterwards.
func TestExpiryAcrossLeaders(t *testing.T) {
	e := Start(t, Options{})
	const timeout = 4 * time.Second
	watcher := Open(t, 20*time.Second, e.Servers...)
	gone := Open(t, timeout, e.Servers...)
	gone.CreateEphemeral("/gone", nil)
	gone.Sync()
	last := time.Now()
	gone.Abandon()
	dead := e.AwaitLeader()
	dead.Kill()
	e.AwaitLeader()
	led := time.Now()
	Await(t, "the ephemeral goes", func() bool { watcher.Sync(); return watcher.Exists("/gone") == nil })
	t.Logf("it went %v after the last sign of life, %v after the new leader; the timeout is %v", time.Since(last), time.Since(led), timeout)
	if early := time.Since(last); early < timeout {
		t.Errorf("it went after %v, with a timeout of %v", early, timeout)
	}
	again := newSession(t, timeout, e.Except(dead)...)
	again.id, again.password = gone.id, gone.password
	if _, err := again.Call(wire.OpExists, wire.PathWatch{Path: "/"}); !errors.Is(err, ErrExpired) {
		t.Errorf("the session after its end: %v", err)
	}
}

// Sessions whose clients live do not end when leaders change one after the other, each before a timeout is over.
func TestSessionsOutliveLeaders(t *testing.T) {
	e := Start(t, Options{})
	var all []*Session
	for range 10 {
		c := Open(t, 4*time.Second, e.Servers...)
		c.CreateEphemeral(fmt.Sprintf("/live%d", len(all)), nil)
		all = append(all, c)
	}
	for range shortOrLong(3, 10) {
		dead := e.AwaitLeader()
		dead.Kill()
		e.AwaitLeader()
		e.Restart(dead)
	}
	for i, c := range all {
		if stat := c.Exists(fmt.Sprintf("/live%d", i)); stat == nil || stat.EphemeralOwner != c.ID() || c.Over() {
			t.Errorf("session %#x: ephemeral %+v", c.ID(), stat)
		}
		for _, err := range c.Errs() {
			t.Error(err)
		}
	}
}

// handshake offers a session that has seen a zxid to one server, once.
func handshake(s *Server, req wire.ConnectRequest) (*wire.Conn, *wire.ConnectResponse, error) {
	nc, err := s.Dial(2 * time.Second)
	if err != nil {
		return nil, nil, err
	}
	conn := wire.NewConn(nc)
	r, err := conn.Connect(req, 3*time.Second)
	return conn, r, err
}

// A server that lags behind what a client has seen elsewhere refuses it.
func TestLaggingServerRefuses(t *testing.T) {
	network := NewNetwork(t)
	// Long enough that the server still serves while it is tested.
	e := Start(t, Options{Network: network, Config: []string{"syncLimit=60"}})
	leader := e.AwaitLeader()
	rest := e.Except(leader)
	late, other := rest[0], rest[1]
	c := Open(t, 20*time.Second, other)
	c.Create("/n", nil)
	local := Open(t, 20*time.Second, late)
	local.Sync()
	network.Cut([]*Server{late}, []*Server{leader, other})
	c.Set("/n", []byte("seen"))
	conn, r, err := handshake(late, wire.ConnectRequest{LastZxid: c.Zxid(), TimeoutMs: 20000, Session: c.ID(), Password: c.password})
	if !errors.Is(err, wire.ErrClosed) {
		t.Errorf("a server that lags answers %+v, %v", r, err)
	}
	if conn != nil {
		conn.Close()
	}
	if data, _ := local.Get("/n"); len(data) > 0 {
		t.Errorf("it does not lag: %q", data)
	}
	network.Heal()
	c.Move(late)
	if data, _ := c.Get("/n"); string(data) != "seen" {
		t.Errorf("it reads %q when it has caught up", data)
	}
}

// Without a majority a server stops serving: it closes its connections and takes no new ones.
func TestMinorityStopsServing(t *testing.T) {
	e := Start(t, Options{})
	leader := e.AwaitLeader()
	rest := e.Except(leader)
	for _, alone := range []*Server{leader, rest[0]} {
		conn, _, err := handshake(alone, wire.ConnectRequest{TimeoutMs: 30000, Password: make([]byte, 16)})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range e.Except(alone) {
			s.Kill()
		}
		if _, err := conn.ReadAll(Patience); err != nil {
			t.Errorf("a connection to %v without a majority: %v", alone, err)
		}
		conn.Close()
		e.Await(alone.String()+" serves nobody", func() bool { return alone.Mode() == "" })
		if conn, r, err := handshake(alone, wire.ConnectRequest{TimeoutMs: 30000, Password: make([]byte, 16)}); err == nil {
			t.Errorf("%v without a majority takes a session: %+v", alone, r)
			conn.Close()
		}
		e.Restart(e.Except(alone)...)
		e.AwaitServing(alone)
	}
}

// A server without a majority answers clients that only want to read, if it is told to.
func TestReadOnly(t *testing.T) {
	options := Options{Props: map[string]string{"readonlymode.enabled": "true"}}
	if Against() != zkd { // ZooKeeper 3.8 takes nobody else then
		options.Config = []string{"localSessionsEnabled=true"}
	}
	e := Start(t, options)
	c := Open(t, 20*time.Second, e.Servers...)
	c.Create("/n", []byte("x"))
	c.Sync()
	seen := c.Zxid()
	c.Close()
	alone := e.Servers[0]
	reader := newSession(t, 20*time.Second, alone)
	reader.readOnly = true
	if answer, err := alone.Words("isro"); err != nil || answer != "rw" {
		t.Errorf("isro with a majority: %q, %v", answer, err)
	}
	e.Await("the server has it", func() bool { z, err := alone.Zxid(); return err == nil && z >= seen })
	for _, s := range e.Except(alone) {
		s.Kill()
	}
	e.Await("the server only reads", func() bool { answer, err := alone.Words("isro"); return err == nil && answer == "ro" })
	if data, _ := reader.Get("/n"); string(data) != "x" {
		t.Errorf("it reads %q", data)
	}
	if r, err := reader.Call(wire.OpSetData, wire.SetData{Path: "/n", Version: -1}); err != nil || r.Err != wire.CodeNotReadOnly {
		t.Errorf("a write: %+v, %v", r, err)
	}
	if _, r, err := handshake(alone, wire.ConnectRequest{TimeoutMs: 20000, Password: make([]byte, 16)}); err == nil {
		t.Errorf("a client that wants to write gets %+v", r)
	}
	if mode := alone.Mode(); mode != "read-only" {
		t.Errorf("its mode is %q", mode)
	}
	e.Restart(e.Except(alone)...)
	e.AwaitServing(alone)
	e.Await("the reader may write", func() bool {
		r, err := reader.Call(wire.OpSetData, wire.SetData{Path: "/n", Data: []byte("y"), Version: -1})
		return err == nil && r.Err == 0
	})
}

// A local session costs the ensemble nothing until it wants an ephemeral; then it is a session of all servers.
func TestLocalSessions(t *testing.T) {
	e := Start(t, Options{Config: []string{"localSessionsEnabled=true", "localSessionsUpgradingEnabled=true"}})
	first, second := e.Servers[0], e.Servers[1]
	before := maxZxid(t, e)
	var all []*Session
	for range 10 {
		c := Open(t, 20*time.Second, first)
		c.Exists("/")
		all = append(all, c)
	}
	if after := maxZxid(t, e); after != before {
		t.Errorf("ten local sessions took the zxid from %#x to %#x", before, after)
	}
	// A local session is nothing on another server.
	all[0].Move(second)
	if _, err := all[0].Call(wire.OpExists, wire.PathWatch{Path: "/"}); !errors.Is(err, ErrExpired) {
		t.Errorf("a local session on another server: %v", err)
	}
	c := all[1]
	c.CreateEphemeral("/mine", nil)
	id := c.ID()
	c.Move(second)
	c.Sync()
	if stat := c.Exists("/mine"); stat == nil || stat.EphemeralOwner != id {
		t.Errorf("the ephemeral of session %#x on another server: %+v", id, stat)
	}
	c.Close()
	all[2].Sync()
	if all[2].Exists("/mine") != nil {
		t.Error("the ephemeral has outlived its session")
	}
}

func maxZxid(t *testing.T, e *Ensemble) (highest int64) {
	t.Helper()
	for _, s := range e.Servers {
		z, err := s.Zxid()
		if err != nil {
			t.Fatal(err)
		}
		highest = max(highest, z)
	}
	return highest
}

// Clients of an observer write and read as others do, and keep their connections when the leader dies.
func TestObservers(t *testing.T) {
	e := Start(t, Options{Observers: 2})
	for _, s := range e.Servers[3:] {
		if mode := s.Mode(); mode != "observer" {
			t.Errorf("%v says %q", s, mode)
		}
	}
	l := e.StartLoad(LoadOptions{Clients: 20, Homes: e.Servers[3:]})
	l.AwaitAll(nil)
	leader := e.AwaitLeader()
	lost := connections(l, e.Servers[3:])
	leader.Kill()
	l.AwaitAll(nil)
	if n := connections(l, e.Servers[3:]) - lost; n > 0 && Against() == zkd {
		t.Errorf("%d connections to observers were lost", n)
	}
	// Observers do not vote: with the majority gone nobody serves, however many they are.
	second := e.AwaitLeader()
	second.Kill()
	for _, s := range e.Servers[3:] {
		e.Await(s.String()+" stops serving", func() bool { return s.Mode() == "" })
	}
	e.Restart(leader, second)
	e.AwaitServing(e.Servers...)
	l.Settle()
	l.Stop()
}

// zkd status says who is what.
func TestStatus(t *testing.T) {
	OnlyZkd(t)
	e := Start(t, Options{Observers: 1})
	leader := e.AwaitLeader()
	e.awaitHealthy(leader)
	for _, s := range e.Servers {
		text, err := s.status()
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if !strings.Contains(text, s.Mode()) {
			t.Errorf("the status of %v, which is %s (%v leads):\n%s", s, s.Mode(), leader, text)
		}
	}
	text, err := leader.status("--json")
	if err != nil || !strings.HasPrefix(strings.TrimSpace(text), "{") {
		t.Errorf("%v\n%s", err, text)
	}
}
