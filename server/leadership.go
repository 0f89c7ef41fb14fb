package server

import (
	"fmt"
	"sync"
	"time"

	"zkd/consensus"
	"zkd/server/member"
)

// leadership is what monitors ask of a leader.
type leadership struct {
	mu                sync.Mutex
	since             time.Duration // on the server's clock
	last, least, most int           // bytes of the requests in one log entry; -1 before the first
}

// begin starts a leadership.
func (l *leadership) begin(now time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.since = now
	l.last, l.least, l.most = -1, -1, -1
}

// proposed notes an entry. The apply goroutine calls it on every server.
func (l *leadership) proposed(size int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last = size; l.least < 0 || size < l.least {
		l.least = size
	}
	l.most = max(l.most, size)
}

// sizes returns what proposed has noted since begin.
func (l *leadership) sizes() (last, least, most int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last, l.least, l.most
}

func (l *leadership) uptime(now time.Duration) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return now - l.since
}

// mode is what srvr and mntr call this server. While it serves without a leader
// it still is what it was.
func (s *Server) mode() string {
	if !s.cfg.EnsembleMode() {
		return "standalone"
	}
	if s.gate.readOnly.Load() {
		return "read-only"
	}
	role := s.node.Role()
	if role == consensus.Looking {
		role = consensus.Following
		if self := s.memberList().Find(s.cfg.ServerID); self != nil && self.Observer {
			role = consensus.Observing
		}
	}
	return role.String()
}

// memberList returns the agreed members; until there are any, those of zoo.cfg.
func (s *Server) memberList() member.List {
	list, _ := s.versionedMembers()
	return list
}

func (s *Server) versionedMembers() (member.List, int64) {
	s.state.mu.RLock()
	defer s.state.mu.RUnlock()
	if m := &s.state.members; m.servers != nil {
		return m.servers, m.version
	}
	return s.cfg.Servers, s.cfg.DynamicVersion
}

// syncedLag is how many entries a member may be behind and still count as
// synced: what it says of itself is half a tick old.
const syncedLag = 10_000

// following is what a leader knows of the others.
type following struct {
	learners, voters, observers int // in contact; in contact and synced
	lagging                     int // in contact, not synced
}

func countFollowing(st *consensus.Status) (f following) {
	for _, m := range st.Members {
		switch {
		case m.RaftID == st.RaftID || !m.Known:
			continue
		case m.Applied+syncedLag < st.Applied:
			f.lagging++
		case m.Voter:
			f.voters++
		default:
			f.observers++
		}
		f.learners++
	}
	return f
}

// describe implements consensus.Ensemble.Describe.
func (s *Server) describe(st *consensus.Status) {
	s.state.mu.RLock()
	defer s.state.mu.RUnlock()
	st.Zxid = s.state.zxid
	for _, m := range s.state.members.servers {
		st.Servers = append(st.Servers, fmt.Sprintf("server.%d=%s", m.ID, m))
	}
}
