package peer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"zkd/internal/mutant"
)

// Reason is why a server refuses a connection.
type Reason byte

// Reasons; they are sent, so numbers stay as they are.
const (
	WrongVersion Reason = 1  // of the protocol
	WrongPort    Reason = 2  // the two ports are mixed up
	WrongSecret  Reason = 3  // or one side has none
	WrongCluster Reason = 4  // the two belong to different ones
	WrongServer  Reason = 5  // another server.N answers at that address
	WrongRaftID  Reason = 6  // another incarnation of the server
	SameServer   Reason = 7  // two servers have the same myid
	Loop         Reason = 8  // the address leads back to the dialer
	NoMember     Reason = 9  // only members have raft connections and links
	NotReady     Reason = 10 // raft takes no more connections there now
)

// passing tells whether a reason goes away by itself: it is met while servers
// start, or have lost their data.
func (r Reason) passing() bool { return r == WrongRaftID || r == NoMember || r == NotReady }

// Refusal is the error of a dialer whose connection was refused.
type Refusal struct {
	Addr   string   // that was dialed
	By     Identity // who answered
	Reason Reason
	Text   string
}

func (r *Refusal) Error() string {
	return fmt.Sprintf("peer: %s (server %s) refuses: %s", r.Addr, r.By.RaftID, r.Text)
}

// acceptor is what a hello is judged by.
type acceptor struct {
	Identity
	server  uint64
	process [8]byte
	raft    bool   // the connection came in by the first port
	running bool   // raft takes connections
	addr    string // of the listener
}

// judge returns why the connection is refused, or code 0.
func (a *acceptor) judge(h *hello, remote string) (code Reason, text string) {
	switch h.purpose {
	case forRaft, forEntries, forLink, forQuery, forAsk:
	default:
		return WrongVersion, fmt.Sprintf("it knows no connection for %s", h.purpose)
	}
	if a.raft && !h.purpose.first() {
		return WrongPort, fmt.Sprintf("%s is its first port (of server.%d=host:first:second), a %s goes to the second", a.addr, a.server, h.purpose)
	}
	if !a.raft && h.purpose.first() {
		return WrongPort, fmt.Sprintf("%s is its second port (of server.%d=host:first:second), raft goes to the first", a.addr, a.server)
	}
	if code, text := clusters(h.from.Cluster, a.Cluster); code != 0 {
		return code, text
	}
	if h.purpose == forAsk {
		return 0, ""
	}
	if h.process == a.process {
		return Loop, fmt.Sprintf("that address, meant for server %d, leads back to server %d itself", h.wantServer, a.server)
	}
	if h.server == a.server {
		return SameServer, fmt.Sprintf("two servers have the same myid %d: the one that dials from %s and the one that listens on %s", a.server, remote, a.addr)
	}
	if h.wantServer != a.server {
		return WrongServer, fmt.Sprintf("server %d was meant, but server %d listens on %s", h.wantServer, a.server, a.addr)
	}
	if h.purpose == forQuery {
		return 0, ""
	}
	if !member(h.from.RaftID) {
		return NoMember, fmt.Sprintf("server %s is no member and may only ask", h.from.RaftID)
	}
	if h.wantID != a.RaftID && !mutant.Is(mutant.Stranger) {
		return WrongRaftID, fmt.Sprintf("raft member %q was meant, but this is %q", h.wantID, a.RaftID)
	}
	if h.purpose.first() && !a.running {
		return NotReady, "raft takes no (further) connections there now"
	}
	return 0, ""
}

func clusters(theirs, ours Cluster) (Reason, string) {
	if theirs != ours && theirs != (Cluster{}) && ours != (Cluster{}) {
		return WrongCluster, fmt.Sprintf("the dialer belongs to cluster %s, this server to %s", theirs, ours)
	}
	return 0, ""
}

// sparse tells what to log when the same goes wrong again and again: each key
// once a period. It forgets keys rather than grow.
type sparse struct {
	mu   sync.Mutex
	last map[string]time.Time
}

const (
	logPeriod = time.Minute
	logKeys   = 256
)

func (s *sparse) due(key string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t, ok := s.last[key]; ok && now.Sub(t) < logPeriod {
		return false
	}
	if len(s.last) >= logKeys {
		for k, t := range s.last {
			if now.Sub(t) >= logPeriod {
				delete(s.last, k)
			}
		}
		if len(s.last) >= logKeys {
			return false
		}
	}
	if s.last == nil {
		s.last = map[string]time.Time{}
	}
	s.last[key] = now
	return true
}

// Why says in a few words why a peer was not reached.
func Why(err error) string {
	var refusal *Refusal
	var version versionError
	var name *net.DNSError
	var timeout net.Error
	switch {
	case errors.As(err, &refusal):
		switch refusal.Reason {
		case WrongCluster:
			return "belongs to another cluster, " + refusal.By.Cluster.String()
		case WrongSecret:
			return "wrong secret: " + refusal.Text
		case WrongVersion:
			return "other version: " + refusal.Text
		}
		return refusal.Text
	case errors.As(err, &version):
		return "other version: " + version.Error()
	case errors.As(err, &name):
		return fmt.Sprintf("no such name: %s: %s", name.Name, name.Err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "timed out"
	case err == nil:
		return "no answer"
	}
	return err.Error()
}

// refuser returns who refused, if that is what the error says.
func refuser(err error) Identity {
	if r := (*Refusal)(nil); errors.As(err, &r) {
		return r.By
	}
	return Identity{}
}
