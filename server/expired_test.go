package server

import (
	"fmt"
	"testing"
	"time"

	"zkd/conf"
	"zkd/session"
)

// Who looks for a client whose session has expired finds in the log where it
// was, for how long it was silent, and whether its connection was still there.
func TestWhatIsKnownOfASilentSession(t *testing.T) {
	s := startServer(t, func(c *conf.Config) { c.MaxSessionTimeout = time.Hour })
	c := attach(t, s, &client{timeout: 3_600_000})
	awaitLead(t, s)
	id, peer := session.ID(c.session), s.conns.list()[0].peer
	known := func() string {
		at, _ := s.sessions.tracker.Last(id)
		return fmt.Sprint(s.sessions.lastKnown(id, at+7*time.Second)...)
	}
	want := func(what string, args ...any) {
		t.Helper()
		if got, want := known(), fmt.Sprint(append([]any{"silent", 7 * time.Second}, args...)...); got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	want("it is here", "client", peer, "connection", "open")
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	must(t, func() bool { return len(s.conns.list()) == 0 }, "end of the connection")
	want("it was here", "client", peer, "connection", "ended")

	x, _ := s.state.table.Get(id)
	s.sessions.attached(x, nil, time.Hour)
	want("it is on another server, which has not reported it", "client", "not known to this leader")
	now := s.now()
	s.sessions.reported(3, appendHeard(nil, id, time.Hour, 0))
	s.sessions.reported(2, appendHeard(nil, id, time.Hour, s.now()-now+time.Minute)) // old news
	want("it is on server 3", "server", uint64(3))
}
