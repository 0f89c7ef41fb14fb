package consensus

import (
	"context"
	"log/slog"

	"github.com/hashicorp/go-hclog"
)

// raftLogger passes the raft library's messages on to slog.
type raftLogger struct {
	hclog.Logger // answers what raft never asks
	log          *slog.Logger
}

func newRaftLogger(log *slog.Logger) hclog.Logger {
	return &raftLogger{hclog.NewNullLogger(), log.With("part", "raft")}
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
	}
	l.log.Log(context.Background(), to, msg, args...)
}

func (l *raftLogger) Named(string) hclog.Logger      { return l }
func (l *raftLogger) ResetNamed(string) hclog.Logger { return l }
func (l *raftLogger) With(args ...any) hclog.Logger {
	return &raftLogger{l.Logger, l.log.With(args...)}
}
