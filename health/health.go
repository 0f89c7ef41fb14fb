// Package health says how an ensemble is: it asks the servers themselves (Ask) and puts together what they answer
// (Survey.Judge). It is no part of a server and needs none of its files.
package health

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"zkd/conf"
	"zkd/consensus"
)

// Ensemble is how an ensemble is. Its servers are those that it has agreed on,
// those of the zoo.cfg, and the members of raft; all is well when these are the
// same and every one is in step.
type Ensemble struct {
	Verdict     string   `json:"verdict"` // healthy, degraded or no leader
	Leader      int64    `json:"leader"`  // meaningless without one
	Voters      int      `json:"voters"`  // that the ensemble has agreed on; without a list, those of zoo.cfg
	VotersUp    int      `json:"voters_up"`
	Observers   int      `json:"observers"`
	ObserversUp int      `json:"observers_up"` // in step, as VotersUp; without a leader, those that answer
	Servers     []Server `json:"servers"`
	// Waiting are servers of the zoo.cfg that run and wait to be taken in: the
	// ensemble has not agreed on them.
	Waiting []int64 `json:"waiting,omitempty"`

	// Config is that zoo.cfg, ByFile whether zkd.membership=file is in it.
	Config string `json:"config,omitempty"`
	ByFile bool   `json:"by_file,omitempty"`
}

// Server is one server.
type Server struct {
	ID      int64             `json:"id"`
	Address string            `json:"address"` // "" for a member that is in no list
	Role    string            `json:"role"`    // of one that does not answer, what it is to be
	State   string            `json:"state"`   // up, or what is wrong
	Lag     uint64            `json:"lag_entries"`
	Status  *consensus.Status `json:"status"` // null if it does not answer

	listed   bool // by the ensemble, or by zoo.cfg while that knows of no list
	observer bool // says the list
}

// Verdicts.
const (
	Healthy  = "healthy"
	Degraded = "degraded"
	NoLeader = "no leader"
)

// up is the state of a server that is in step.
const up = "up"

// inStep is how many entries behind the leader a server may be. The two are not
// asked at the same instant, and a busy ensemble has a few entries a millisecond.
const inStep = 1000

// Serving tells whether there is a leader with a majority.
func (h *Ensemble) Serving() bool { return h.Verdict != NoLeader }

// Healthy tells whether every listed server is a member in step.
func (h *Ensemble) Healthy() bool { return h.Verdict == Healthy }

// Judge puts the answers together.
func (s *Survey) Judge() *Ensemble {
	h, leader := &Ensemble{}, s.leader()
	list := s.Agreed
	if list == nil {
		list = s.File
	}
	for _, l := range list {
		h.Servers = append(h.Servers, judgeListed(l, s.Answers[l.ID], leader))
	}
	for _, l := range s.File {
		if !h.has(l.ID) {
			h.Servers = append(h.Servers, judgeUnagreed(l, s.Answers[l.ID], leader))
		}
	}
	if leader != nil {
		h.Leader = int64(leader.ServerID)
		h.addUnlisted(leader)
	}
	slices.SortFunc(h.Servers, func(a, b Server) int { return cmp.Compare(a.ID, b.ID) })
	h.count(leader != nil)
	h.noteWaiting(s)
	switch {
	case leader == nil || !hasMajority(leader):
		h.Verdict = NoLeader
	case slices.ContainsFunc(h.Servers, func(s Server) bool { return s.State != up }):
		h.Verdict = Degraded
	default:
		h.Verdict = Healthy
	}
	return h
}

func (h *Ensemble) has(id int64) bool {
	return slices.ContainsFunc(h.Servers, func(s Server) bool { return s.ID == id })
}

// leader returns what the leader says, nil if there is none. One that was
// replaced and does not know it yet has a smaller term. Of two clusters the one
// counts that more servers belong to; who waits to be taken in belongs to none.
func (s *Survey) leader() (leader *consensus.Status) {
	size := map[string]int{}
	most := 0
	for _, a := range s.Answers {
		if a.Err == nil && a.Status.Cluster != "" {
			size[a.Status.Cluster]++
			most = max(most, size[a.Status.Cluster])
		}
	}
	for _, a := range s.Answers {
		leads := a.Status.Role == "leader" || a.Status.Role == "standalone"
		if a.Err == nil && leads && size[a.Status.Cluster] == most && (leader == nil || a.Status.Term > leader.Term) {
			leader = &a.Status
		}
	}
	return leader
}

// hasMajority tells whether a leader is in contact with most of raft's voters.
func hasMajority(leader *consensus.Status) bool {
	voters, there := 0, 0
	for _, m := range leader.Members {
		if !m.Voter {
			continue
		}
		if voters++; m.Known {
			there++
		}
	}
	return 2*there > voters || voters == 0 // it is alone
}

// judgeListed judges a server of the list that counts.
func judgeListed(l conf.Server, a Answer, leader *consensus.Status) Server {
	s := Server{ID: l.ID, Address: peerAddress(l), Role: "voter", State: up, listed: true, observer: l.Observer}
	if l.Observer {
		s.Role = "observer"
	}
	if a.Err != nil {
		s.State = "down: " + reason(a.Err)
		return s
	}
	st := a.Status
	s.Role, s.Status = st.Role, &st
	if leader == nil {
		s.State = "knows no leader"
		return s
	}
	s.Lag = lag(leader, st.Applied)
	if st.ServerID != leader.ServerID {
		s.State = judgeMember(memberOf(leader, st.RaftID), &s, leader)
	}
	return s
}

// judgeMember returns the state of one that answers and does not lead. member is
// what the leader has of it, nil for nothing.
func judgeMember(member *consensus.MemberStatus, s *Server, leader *consensus.Status) string {
	switch st := s.Status; {
	case leader.Cluster != "" && st.Cluster != "" && leader.Cluster != st.Cluster:
		return otherCluster + st.Cluster[:min(8, len(st.Cluster))]
	case member == nil:
		return waits
	case st.LeaderID != leader.RaftID:
		return "does not follow the leader"
	case st.DigestIndex == leader.DigestIndex && st.Digest != leader.Digest:
		return "differs from the leader"
	case !s.observer && !member.Voter:
		return "catches up before it votes"
	case !member.Known:
		return "the leader does not hear from it"
	case s.observer && member.Voter:
		return "votes still, is to be an observer"
	case s.Lag > inStep:
		return "catches up"
	}
	return up
}

// otherCluster is the state of a server whose data is another cluster's: nothing
// but an operator can settle which of them counts.
const otherCluster = "of another cluster: set its data aside, or the others' (Two clusters under one list, docs/operations.md): "

// judgeUnagreed judges a server that zoo.cfg lists and the ensemble does not.
func judgeUnagreed(l conf.Server, a Answer, leader *consensus.Status) Server {
	s := judgeListed(l, a, leader)
	s.listed = false
	switch {
	case a.Err != nil:
		s.State = "no member, and " + s.State
	case leader != nil && memberOf(leader, a.Status.RaftID) != nil:
		s.State = unlisted
	}
	return s
}

// unlisted is the state of a member that the ensemble has not agreed on: one
// that comes, or one that goes.
const unlisted = "a member that the list does not have"

// addUnlisted adds those voters of raft that are in no list. Others without a
// vote copy the state for a while after a reconfig that was given up; nothing
// depends on them.
func (h *Ensemble) addUnlisted(leader *consensus.Status) {
	for _, m := range leader.Members {
		if !m.Voter || h.has(int64(m.ServerID)) {
			continue
		}
		s := Server{ID: int64(m.ServerID), Role: "voter", State: unlisted}
		if m.Known {
			s.Lag = lag(leader, m.Applied)
		} else {
			s.State += "; the leader does not hear from it"
		}
		h.Servers = append(h.Servers, s)
	}
}

// lag is how many entries one is behind the leader.
func lag(leader *consensus.Status, applied uint64) uint64 {
	if leader.Applied > applied {
		return leader.Applied - applied
	}
	return 0
}

// memberOf returns what the leader knows of a member, nil if it is none.
func memberOf(leader *consensus.Status, raftID string) *consensus.MemberStatus {
	for i, m := range leader.Members {
		if m.RaftID == raftID {
			return &leader.Members[i]
		}
	}
	return nil
}

// count counts the voters and observers of the list.
func (h *Ensemble) count(led bool) {
	for _, s := range h.Servers {
		if !s.listed {
			continue
		}
		all, there := &h.Voters, &h.VotersUp
		if s.observer {
			all, there = &h.Observers, &h.ObserversUp
		}
		if *all++; s.State == up || !led && s.Status != nil {
			*there++
		}
	}
}

// peerAddress shows where a server's peers reach it.
func peerAddress(s conf.Server) string {
	var all []string
	for _, a := range s.Addrs {
		all = append(all, fmt.Sprintf("%s:%d", a.Quorum(), a.ElectionPort))
	}
	return strings.Join(all, "|")
}
