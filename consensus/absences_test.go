package consensus

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"
)

// What raft says of one attempt to reach a peer is for nobody; a peer that stays away is said now and then, with the
// reason, and so is its return.
func TestAbsences(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		l := newRaftLogger(slog.New(slog.NewTextHandler(&b, nil)))
		said := func() (text string) { text = b.String(); b.Reset(); return text }
		peer := raft.Server{ID: "2.1", Address: "2.1"}
		refused := errors.New("connection refused")

		l.Warn("no known peers, aborting election")
		if s := said(); s != "" {
			t.Errorf("a server that waits to be taken in: %s", s)
		}
		l.Error("failed to appendEntries to", "peer", peer, "error", refused)
		time.Sleep(tolerated - time.Second)
		l.Error("failed to heartbeat to", "peer", peer.Address, "backoff time", time.Second, "error", refused)
		l.Info("pipelining replication", "peer", peer)
		if s := said(); s != "" {
			t.Errorf("a server that restarts: %s", s)
		}
		l.Warn("failed to contact", "server-id", peer.ID, "time", time.Second)
		for range 25 {
			time.Sleep(time.Second)
			l.Error("failed to make requestVote RPC", "target", peer, "error", refused, "term", 3)
		}
		if s := said(); strings.Count(s, "\n") != 3 || strings.Count(s, `level=WARN msg="a server cannot be reached" part=raft member=2.1 for=`) != 3 || !strings.Contains(s, `for=3s err="connection refused"`) {
			t.Errorf("a server that stays away: %s", s)
		}
		l.Debug("vote granted", "from", peer.ID, "term", 3, "tally", 2)
		if s := said(); !strings.Contains(s, `level=INFO msg="a server is there again" part=raft member=2.1`) {
			t.Errorf("a server that is back: %s", s)
		}
		l.Error("failed to heartbeat to", "peer", peer.Address, "error", refused)
		time.Sleep(2 * reachedSince)
		l.Error("failed to heartbeat to", "peer", peer.Address, "error", refused)
		if s := said(); s != "" {
			t.Errorf("a server that was away twice for a moment: %s", s)
		}
	})
}

// Levels are those for an operator.
func TestRaftLevels(t *testing.T) {
	var b bytes.Buffer
	l := newRaftLogger(slog.New(slog.NewTextHandler(&b, nil)))
	for _, tt := range []struct {
		log  func(string, ...any)
		msg  string
		want string
	}{
		{l.Error, "failed to persist vote", "ERROR"},
		{l.Error, "failed to copy snapshot", "WARN"},
		{l.Warn, "failed to contact quorum of nodes, stepping down", "WARN"},
		{l.Warn, "Election timeout reached, restarting election", ""},
		{l.Error, "peer has newer term, stopping replication", ""},
		{l.Info, "entering leader state", ""},
	} {
		b.Reset()
		if tt.log(tt.msg); tt.want == "" && b.Len() > 0 || !strings.Contains(b.String(), tt.want) {
			t.Errorf("%s: %q", tt.msg, b.String())
		}
	}
}
