package ensemble

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"zkd/test/wire"
)

// The leader stops for longer than sessions last, and goes on: it has heard of nobody meanwhile and still believes that it
// leads. No session whose client lives ends; one whose client has gone does, once.
func TestExpiryAtAPausedLeader(t *testing.T) {
	t.Parallel()
	e := Start(t, Options{})
	const timeout = 4 * time.Second
	leader := e.AwaitLeader()
	rest := e.Except(leader)
	live := liveSessions(t, timeout, rest)
	gone := Open(t, timeout, rest...)
	gone.CreateEphemeral("/gone", nil)
	watcher := Open(t, 20*time.Second, rest...)
	watcher.Sync()
	if watcher.Must(wire.OpExists, wire.PathWatch{Path: "/gone", Watch: true}).Stat == nil {
		t.Fatal("the ephemeral is not there")
	}
	gone.Abandon()
	leader.Pause()
	over := time.After(timeout + 2*time.Second)
	e.AwaitLeader(rest...)
	<-over
	leader.Resume()
	e.AwaitServing(leader)
	Await(t, "the ephemeral goes", func() bool { watcher.Sync(); return watcher.Exists("/gone") == nil })
	if events := watcher.Events(); len(events) != 1 || events[0].Type != 2 {
		t.Errorf("events of its end: %v", events)
	}
	live.check(t)
	e.CompareReplicas()
}

// A server is cut from the leader and not from its clients. Those that live take their sessions elsewhere; the session
// of one that has gone ends as it would have, and its ephemeral goes everywhere.
func TestExpiryBehindACut(t *testing.T) {
	t.Parallel()
	network := NewNetwork(t)
	// A server gives its clients up well before a session ends for which it can no longer speak.
	e := Start(t, Options{Network: network, Config: []string{"syncLimit=8"}})
	const timeout = 8 * time.Second
	far := network.Space(t, 100)
	behind := e.AwaitRole(Follower)
	rest := e.Except(behind)
	live := &sessions{}
	for i := range 10 {
		c := newSession(t, timeout, behind, rest[0], rest[1])
		c.from = far
		live.add(c, i)
	}
	gone := newSession(t, timeout, behind)
	gone.from = far
	gone.CreateEphemeral("/gone", nil)
	watcher := Open(t, 20*time.Second, rest...)
	network.Add(Between(IDs(behind), IDs(rest...), Rule{Ports: PeerPorts, Loss: 1}))
	gone.Must(wire.OpPing, nil) // a sign of life that does not get through
	last := time.Now()
	gone.Abandon()
	Await(t, "the ephemeral goes", func() bool { watcher.Sync(); return watcher.Exists("/gone") == nil })
	t.Logf("gone %v after a last sign of life that only the server behind the cut has seen; the timeout is %v", time.Since(last), timeout)
	live.check(t)
	network.Heal()
	e.AwaitServing(behind)
	again := newSession(t, timeout, behind)
	again.id, again.password = gone.id, gone.password
	if _, err := again.Call(wire.OpExists, wire.PathWatch{Path: "/"}); !errors.Is(err, ErrExpired) {
		t.Errorf("the session after its end: %v", err)
	}
	e.CompareReplicas()
}

// sessions are of clients that live, each with an ephemeral.
type sessions struct{ all []*Session }

func liveSessions(t *testing.T, timeout time.Duration, servers []*Server) *sessions {
	l := &sessions{}
	for i := range 10 {
		l.add(newSession(t, timeout, servers[i%len(servers)], servers[(i+1)%len(servers)]), i)
	}
	return l
}

func (l *sessions) add(c *Session, i int) {
	c.CreateEphemeral(fmt.Sprintf("/live%d", i), nil)
	l.all = append(l.all, c)
}

// check finds sessions that have ended, or lost what is theirs.
func (l *sessions) check(t *testing.T) {
	t.Helper()
	for i, c := range l.all {
		if stat := c.Exists(fmt.Sprintf("/live%d", i)); stat == nil || stat.EphemeralOwner != c.ID() || c.Over() {
			t.Errorf("session %#x: ephemeral %+v", c.ID(), stat)
		}
		for _, err := range c.Errs() {
			t.Error(err)
		}
	}
}
