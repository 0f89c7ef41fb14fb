package consensus

import (
	"context"
	"log/slog"

	"github.com/hashicorp/go-hclog"
)

// raftLogger passes the raft library's messages on to slog, at the level that
// they have for an operator: ERROR means that somebody must act, WARN that
// somebody should know. Most of what raft calls an error is one attempt to reach
// a peer, which starts, restarts or has been removed; see absences.
type raftLogger struct {
	hclog.Logger // answers what raft never asks
	log          *slog.Logger
	absences     *absences
}

func newRaftLogger(log *slog.Logger) hclog.Logger {
	log = log.With("part", "raft")
	return &raftLogger{hclog.NewNullLogger(), log, &absences{log: log}}
}

func (l *raftLogger) Trace(msg string, args ...any) { l.Log(hclog.Trace, msg, args...) }
func (l *raftLogger) Debug(msg string, args ...any) { l.Log(hclog.Debug, msg, args...) }
func (l *raftLogger) Info(msg string, args ...any)  { l.Log(hclog.Info, msg, args...) }
func (l *raftLogger) Warn(msg string, args ...any)  { l.Log(hclog.Warn, msg, args...) }
func (l *raftLogger) Error(msg string, args ...any) { l.Log(hclog.Error, msg, args...) }

// everyday are warnings and errors about what happens whenever a server starts,
// catches up, is removed, or is told of a commit before it has the entry, and
// whenever there is a new leader.
var everyday = map[string]bool{
	"failed to get previous log":                   true,
	"previous log term mis-match":                  true,
	"appendEntries rejected, sending older logs":   true,
	"clearing log suffix":                          true,
	"no known peers, aborting election":            true,
	"heartbeat timeout reached, starting election": true,
	"heartbeat timeout reached, not part of a stable configuration or a non-voter, not triggering a leader election": true,
	"not part of stable configuration, aborting election":                                                            true,
	"Election timeout reached, restarting election":                                                                  true,
	"new leader elected, stepping down":                                                                              true,
	"peer has newer term, stopping replication":                                                                      true,
	"rejecting vote request since node is not in configuration":                                                      true,
	"rejecting vote request since node is not a voter":                                                               true,
	"rejecting vote request since we have a leader":                                                                  true,
	"rejecting vote request since our last term is greater":                                                          true,
	"rejecting vote request since our last index is greater":                                                         true,
	"duplicate requestVote from":                                                                                     true,
	"failed to decode incoming command":                                                                              true, // the connection broke
	"failed to flush response":                                                                                       true, // as well
}

// interrupted are errors of a snapshot that is being received when its sender
// goes away: it comes again.
var interrupted = map[string]bool{
	"failed to install snapshot":       true,
	"failed to copy snapshot":          true,
	"failed to receive whole snapshot": true,
}

// Log implements hclog.Logger. What raft calls information is about every
// snapshot and vote, which an operator does not ask for: it is debug here.
func (l *raftLogger) Log(level hclog.Level, msg string, args ...any) {
	to := slog.LevelDebug
	switch {
	case l.absences.note(msg, args), everyday[msg]:
	case level == hclog.Error && !interrupted[msg]:
		to = slog.LevelError
	case level >= hclog.Warn:
		to = slog.LevelWarn
	}
	l.log.Log(context.Background(), to, msg, args...)
}

func (l *raftLogger) Named(string) hclog.Logger      { return l }
func (l *raftLogger) ResetNamed(string) hclog.Logger { return l }
func (l *raftLogger) With(args ...any) hclog.Logger {
	return &raftLogger{l.Logger, l.log.With(args...), l.absences}
}
