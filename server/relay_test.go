package server

import (
	"testing"
	"time"

	"zkd/session"
)

// heardOf reads a report.
func heardOf(t testing.TB, report []byte) map[session.ID][2]time.Duration {
	t.Helper()
	all := map[session.ID][2]time.Duration{}
	for len(report) > 0 {
		id, timeout, age, rest, err := nextHeard(report)
		if err != nil {
			t.Fatal(err)
		}
		all[id], report = [2]time.Duration{timeout, age}, rest
	}
	return all
}

// A report has those that were heard of since the last but one, and those
// whom the server keeps waiting.
func TestReport(t *testing.T) {
	s := startServer(t, nil)
	a, b := attach(t, s, &client{timeout: 10_000}), attach(t, s, &client{timeout: 20_000})
	idA, idB := session.ID(a.session), session.ID(b.session)
	for round := range 2 {
		if got := heardOf(t, s.sessions.report()); len(got) != 2 || got[idA][0] != 10*time.Second || got[idB][0] != 20*time.Second {
			t.Errorf("report %d: %v", round, got)
		}
	}
	if got := heardOf(t, s.sessions.report()); len(got) != 0 {
		t.Errorf("heard of: %v", got)
	}
	b.exists("/")
	if got := heardOf(t, s.sessions.report()); len(got) != 1 || got[idB][0] == 0 {
		t.Errorf("heard of b: %v", got)
	}
	s.sessions.report()
	s.sessions.mu.Lock()
	c := s.sessions.conns[idA]
	s.sessions.mu.Unlock()
	c.out.mu.Lock()
	c.pending = append(c.pending, pendingReply{})
	c.out.mu.Unlock()
	for range 3 {
		if got := heardOf(t, s.sessions.report()); len(got) != 1 || got[idA] != [2]time.Duration{10 * time.Second, 0} {
			t.Errorf("a waits: %v", got)
		}
	}
	c.out.mu.Lock()
	c.popLocked()
	c.out.mu.Unlock()
}

// What a client said right before its connection ended is reported all the
// same: its session would end early.
func TestReportOfAConnectionThatEnded(t *testing.T) {
	s := startServer(t, nil)
	c := attach(t, s, &client{timeout: 10_000})
	awaitLead(t, s)
	s.sessions.resign()
	id := session.ID(c.session)
	s.sessions.report()
	s.sessions.report()
	c.exists("/")
	c.Close()
	if !eventually(func() bool {
		s.sessions.mu.Lock()
		defer s.sessions.mu.Unlock()
		return s.sessions.conns[id] == nil
	}) {
		t.Fatal("the connection does not end")
	}
	for round := range 2 {
		if got := heardOf(t, s.sessions.report()); len(got) != 1 || got[id][0] != 10*time.Second {
			t.Errorf("report %d: %v", round, got)
		}
	}
	if got := heardOf(t, s.sessions.report()); len(got) != 0 {
		t.Errorf("told more often than others: %v", got)
	}
}

// A leader counts from when a session was heard of, and ignores reports about
// sessions that have ended.
func TestReported(t *testing.T) {
	s := startServer(t, nil)
	c := attach(t, s, &client{timeout: 10_000})
	id := session.ID(c.session)
	awaitLead(t, s)
	before := s.sessions.tracker.Deadlines()[id]
	report := appendHeard(nil, 99, time.Second, 0)
	report = appendHeard(report, id, 30*time.Second, 0)
	s.sessions.reported(2, report)
	after := s.sessions.tracker.Deadlines()
	if len(after) != 1 || after[id] < before+15*time.Second {
		t.Errorf("deadlines %v, before %v", after, before)
	}
	s.sessions.reported(2, append(appendHeard(nil, id, 10*time.Second, time.Hour), 1, 2, 3))
	if got := s.sessions.tracker.Deadlines()[id]; got >= after[id] || got < before {
		t.Errorf("with its first timeout and old news: %v, was %v", got, before)
	}
}

// FuzzReport reads arbitrary bytes as a report: whatever can be read is a time
// that can be reckoned with.
func FuzzReport(f *testing.F) {
	f.Add([]byte{})
	f.Add(appendHeard(appendHeard(nil, 1, time.Second, 0), -1, time.Hour, time.Minute))
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		for len(b) > 0 {
			_, timeout, age, rest, err := nextHeard(b)
			if err != nil {
				return
			}
			if timeout <= 0 || age < 0 || timeout+age < timeout || len(rest) >= len(b) {
				t.Fatalf("timeout %v, age %v, %d bytes left of %d", timeout, age, len(rest), len(b))
			}
			b = rest
		}
	})
}
