package server

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"zkd/test/wire"
)

// However often clients come that have seen more than there is, the log tells of it now and then.
func TestClientsCannotFloodTheLog(t *testing.T) {
	said := make(chan string, 100)
	s, err := Start(t.Context(), testConfig(t, t.TempDir(), nil), slog.New(slog.NewTextHandler(collector{said}, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopServer(t, s) })
	for range 5 {
		if r, err := comeWith(t, s, wire.ConnectRequest{Session: 77}, 1<<40); err != nil || r.Session != 0 {
			t.Fatalf("%+v, %v", r, err)
		}
	}
	told := 0
	for len(said) > 0 {
		if strings.Contains(<-said, "begins anew") {
			told++
		}
	}
	if told != 1 {
		t.Errorf("it is told %d times", told)
	}
}

func TestNotice(t *testing.T) {
	var n notice
	for _, tt := range []struct {
		now  time.Duration
		want bool
	}{{0, true}, {time.Second, false}, {noticeEvery, false}, {noticeEvery + 1, true}, {2 * noticeEvery, false}} {
		if got := n.due(tt.now); got != tt.want {
			t.Errorf("due at %v: %v", tt.now, got)
		}
	}
}
