package ensemble

import (
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// alarm is a line of a log that calls somebody.
var alarm = regexp.MustCompile(`(?m)^time=\S+ level=(WARN|ERROR) .*$`)

// wantQuiet fails the test if servers have called for somebody since from, which it brings up to date. Lines with one of
// the words have a cause.
func wantQuiet(t *testing.T, what string, e *Ensemble, from map[*Server]int, causes ...string) {
	t.Helper()
	for _, s := range e.Servers {
		log := s.Log()
	lines:
		for _, m := range alarm.FindAllStringSubmatch(log[from[s]:], -1) {
			for _, cause := range causes {
				if m[1] == "WARN" && strings.Contains(m[0], cause) {
					continue lines
				}
			}
			t.Errorf("%s: %v says\n%s", what, s, m[0])
		}
		from[s] = len(log)
	}
}

// awaitHealthy waits until zkd status is content.
func (e *Ensemble) awaitHealthy(s *Server) {
	e.t.Helper()
	e.Await("all are well", func() bool { _, err := s.status(); return err == nil })
}

// What an operator does on a good day is no error: a first start, restarts one after the other, the stop of a leader, a
// member less. Nor does it warn, except of a server that is away and of one that is put aside.
func TestGoodDaysAreQuiet(t *testing.T) {
	OnlyZkd(t)
	const away, aside = `msg="a server cannot be reached"`, `msg="the state of this server was set aside`
	e := Start(t, Reconfigurable(Options{}))
	e.awaitHealthy(e.Servers[0])
	for _, s := range e.Servers {
		if s.LogSays("comes back") {
			t.Errorf("%v takes a new server for one that has lost its data", s)
		}
	}
	seen := map[*Server]int{}
	wantQuiet(t, "first start", e, seen)

	leader := e.AwaitLeader()
	for _, s := range append(e.Except(leader), leader) {
		if err := s.Terminate(); err != nil {
			t.Error(err)
		}
		e.Restart(s)
		e.awaitHealthy(s)
	}
	wantQuiet(t, "rolling restart", e, seen, away)

	leader = e.AwaitLeader()
	leader.Kill()
	e.AwaitServing(e.AwaitLeader(e.Except(leader)...))
	e.Restart(leader)
	e.awaitHealthy(leader)
	wantQuiet(t, "a leader is killed", e, seen, away)

	leaving := e.AwaitLeader()
	OpenAdmin(t, e.Servers...).Reconfig(nil, []int{leaving.ID})
	e.Await("it has put its state aside", func() bool { return leaving.LogSays("set aside") })
	e.must(leaving.end(syscall.SIGTERM, Patience))
	e.AwaitServing(e.Except(leaving)...)
	wantQuiet(t, "a member less", e, seen, away, aside, `msg="starting the server again"`, `msg="stopping, to start anew"`)
}
