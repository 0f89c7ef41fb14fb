package consensus

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
)

// raftLogger passes the raft library's messages on to slog.
type raftLogger struct {
	hclog.Logger // answers what raft never asks
	log          *slog.Logger
	recent       *recent
}

func newRaftLogger(log *slog.Logger) hclog.Logger {
	return &raftLogger{hclog.NewNullLogger(), log.With("part", "raft"), &recent{at: map[string]time.Time{}}}
}

func (l *raftLogger) Trace(msg string, args ...any) { l.Log(hclog.Trace, msg, args...) }
func (l *raftLogger) Debug(msg string, args ...any) { l.Log(hclog.Debug, msg, args...) }
func (l *raftLogger) Info(msg string, args ...any)  { l.Log(hclog.Info, msg, args...) }
func (l *raftLogger) Warn(msg string, args ...any)  { l.Log(hclog.Warn, msg, args...) }
func (l *raftLogger) Error(msg string, args ...any) { l.Log(hclog.Error, msg, args...) }

// everyday are warnings of what happens whenever a server starts, catches up
// or is told of a commit before it has the entry.
var everyday = map[string]bool{
	"failed to get previous log":                             true,
	"previous log term mis-match":                            true,
	"appendEntries rejected, sending older logs":             true,
	"heartbeat timeout reached, starting election":           true,
	"rejecting vote request since our last index is greater": true,
}

// repeat is the least time between two errors of a kind. Raft reports each
// attempt to reach a peer that is down.
const repeat = 10 * time.Second

// maxRecent bounds the kinds: some name an entry, or a server that is gone.
const maxRecent = 256

// recent is when errors were logged last, by what raft was doing and with whom.
type recent struct {
	mu sync.Mutex
	at map[string]time.Time
}

// due tells whether an error may be logged.
func (r *recent) due(msg string, args []any) bool {
	key := msg
	if len(args) > 1 {
		key += fmt.Sprint(args[1]) // the peer comes first
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.at[key]) < repeat {
		return false
	}
	if len(r.at) >= maxRecent {
		clear(r.at)
	}
	r.at[key] = time.Now()
	return true
}

// Log implements hclog.Logger. What raft calls information is about every
// snapshot and vote, which an operator does not ask for: it is debug here.
func (l *raftLogger) Log(level hclog.Level, msg string, args ...any) {
	to := slog.LevelDebug
	switch level {
	case hclog.Warn:
		to = slog.LevelWarn
		if everyday[msg] {
			to = slog.LevelDebug
		}
	case hclog.Error:
		to = slog.LevelError
		if strings.HasPrefix(msg, "failed to ") && !l.recent.due(msg, args) {
			to = slog.LevelDebug
		}
	}
	l.log.Log(context.Background(), to, msg, args...)
}

func (l *raftLogger) Named(string) hclog.Logger      { return l }
func (l *raftLogger) ResetNamed(string) hclog.Logger { return l }
func (l *raftLogger) With(args ...any) hclog.Logger {
	return &raftLogger{l.Logger, l.log.With(args...), l.recent}
}
