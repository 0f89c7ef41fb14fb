package consensus

import (
	"log/slog"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// absences are the peers that raft fails to reach, as its messages tell. One
// that starts or restarts is away for a moment and nobody needs to know; one
// that stays away is said once in a while, with the reason.
type absences struct {
	log *slog.Logger

	mu sync.Mutex
	of map[raft.ServerID]*absence
}

type absence struct {
	since, last time.Time // of the first and the newest attempt that failed
	said        time.Time
	reason      any
}

const (
	// tolerated is how long a peer may be away without a word.
	tolerated = 3 * time.Second
	// sayEvery is the least time between two remarks on one peer.
	sayEvery = 10 * time.Second
	// reachedSince is how long no attempt has failed with a peer that must have
	// been reached in between: raft does not say so in every case.
	reachedSince = 15 * time.Second
	// maxAbsent bounds the peers that are kept in mind.
	maxAbsent = 256
)

// attemptFailed are raft's messages about one attempt that failed, attemptDone those
// about one that did not, or that a peer is of no interest any more.
var (
	attemptFailed = map[string]bool{
		"failed to contact":                       true,
		"failed to heartbeat to":                  true,
		"failed to appendEntries to":              true,
		"failed to pipeline appendEntries":        true,
		"failed to start pipeline replication to": true,
		"failed to send snapshot to":              true,
		"failed to make requestVote RPC":          true,
	}
	attemptDone = map[string]bool{
		"pipelining replication":             true,
		"vote granted":                       true,
		"removed peer, stopping replication": true,
	}
)

// note takes in a message, and tells whether it is about a peer that was not
// reached.
func (a *absences) note(msg string, args []any) bool {
	if !attemptFailed[msg] && !attemptDone[msg] {
		return false
	}
	peer, err := peerAndError(args)
	a.mu.Lock()
	defer a.mu.Unlock()
	if attemptDone[msg] {
		if was := a.of[peer]; was != nil && !was.said.IsZero() {
			a.log.Info("a server is there again", "member", peer)
		}
		delete(a.of, peer)
		return false
	}
	a.failed(peer, err, time.Now())
	return true
}

func (a *absences) failed(peer raft.ServerID, reason any, now time.Time) {
	if a.of == nil || len(a.of) >= maxAbsent {
		a.of = map[raft.ServerID]*absence{}
	}
	away := a.of[peer]
	if away == nil || now.Sub(away.last) > reachedSince {
		away = &absence{since: now}
		a.of[peer] = away
	}
	away.last = now
	if reason != nil {
		away.reason = reason
	}
	if now.Sub(away.since) >= tolerated && now.Sub(away.said) >= sayEvery {
		away.said = now
		a.log.Warn("a server cannot be reached", "member", peer, "for", now.Sub(away.since).Round(time.Second), "err", away.reason)
	}
}

// peerAndError are the peer and the error in the arguments of a message.
func peerAndError(args []any) (peer raft.ServerID, err any) {
	for i := 0; i+1 < len(args); i += 2 {
		switch v := args[i+1].(type) {
		case raft.Server:
			peer = v.ID
		case raft.ServerID:
			peer = v
		case raft.ServerAddress:
			peer = raft.ServerID(v) // the same here
		case error:
			err = v
		}
	}
	return peer, err
}
