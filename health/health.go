// Package health says how an ensemble is: it asks the servers themselves (Ask) and puts together what they answer (Judge).
// It is no part of a server and needs none of its files.
package health

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"zkd/conf"
	"zkd/consensus"
)

// Ensemble is how an ensemble is, put together from what its servers say.
type Ensemble struct {
	Verdict     string   `json:"verdict"` // healthy, degraded or no leader
	Leader      int64    `json:"leader"`  // meaningless without one
	Voters      int      `json:"voters"`
	VotersUp    int      `json:"voters_up"` // by the leader's word; without one, those that answer
	Observers   int      `json:"observers"`
	ObserversUp int      `json:"observers_up"`
	Servers     []Server `json:"servers"`
}

// Server is one server.
type Server struct {
	ID      int64             `json:"id"`
	Address string            `json:"address"` // "" for a member that zoo.cfg does not list
	Role    string            `json:"role"`    // of one that does not answer, what zoo.cfg or the leader says
	State   string            `json:"state"`   // up, or what is wrong
	Lag     uint64            `json:"lag_entries"`
	Status  *consensus.Status `json:"status"` // null if it does not answer

	observer bool // says zoo.cfg
}

const (
	healthy  = "healthy"
	degraded = "degraded"
	noLeader = "no leader"
)

// States of servers that are well.
const (
	up       = "up"
	unlisted = "a member that this zoo.cfg does not list"
)

// Serving tells whether there is a leader with a majority.
func (h *Ensemble) Serving() bool { return h.Verdict != noLeader }

// Judge puts the answers together.
func Judge(servers []conf.Server, answers map[int64]Answer) *Ensemble {
	h := &Ensemble{}
	leader := findLeader(answers)
	for _, s := range servers {
		h.Servers = append(h.Servers, judgeServer(s, answers[s.ID], leader))
	}
	if len(servers) == 0 { // a zoo.cfg without server lines
		for id, a := range answers {
			h.Servers = append(h.Servers, judgeServer(conf.Server{ID: id}, a, leader))
		}
	}
	h.addUnlisted(leader)
	h.count(leader)
	switch {
	case leader == nil || 2*h.VotersUp <= h.Voters:
		h.Verdict = noLeader
	case h.VotersUp == h.Voters && h.ObserversUp == h.Observers && !slices.ContainsFunc(h.Servers, func(s Server) bool { return s.ails(leader) }):
		h.Verdict = healthy
	default:
		h.Verdict = degraded
	}
	return h
}

// ails tells whether something is wrong with a member. Servers that zoo.cfg
// lists and the ensemble does not are none, nor is a list that is out of date.
func (s *Server) ails(leader *consensus.Status) bool {
	if s.State == up || s.State == unlisted {
		return false
	}
	return slices.ContainsFunc(leader.Members, func(m consensus.MemberStatus) bool { return int64(m.ServerID) == s.ID })
}

// findLeader returns what the leader says, nil if there is none. One that was
// replaced and does not know it yet has a smaller term.
func findLeader(answers map[int64]Answer) (leader *consensus.Status) {
	for _, a := range answers {
		leads := a.Status.Role == "leader" || a.Status.Role == "standalone"
		if a.Err == nil && leads && (leader == nil || a.Status.Term > leader.Term) {
			leader = &a.Status
		}
	}
	return leader
}

func judgeServer(s conf.Server, a Answer, leader *consensus.Status) Server {
	h := Server{ID: s.ID, Address: peerAddress(s), Role: "voter", State: up, observer: s.Observer}
	if s.Observer {
		h.Role = "observer"
	}
	if a.Err != nil {
		h.State = "down: " + reason(a.Err)
		return h
	}
	st := a.Status
	h.Role, h.Status = st.Role, &st
	if leader == nil {
		h.State = "knows no leader"
		return h
	}
	if leader.Applied > st.Applied {
		h.Lag = leader.Applied - st.Applied
	}
	member := memberOf(leader, st.RaftID)
	switch {
	case st.ServerID == leader.ServerID:
	case member == nil:
		h.State = "no member, waits to be taken in"
	case st.LeaderID != leader.RaftID:
		h.State = "does not follow the leader"
	case st.DigestIndex == leader.DigestIndex && st.Digest != leader.Digest:
		h.State = "differs from the leader"
	case !s.Observer && !member.Voter:
		h.State = "catches up before it votes"
	case !member.Known:
		h.State = "the leader does not hear of it"
	}
	return h
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

// addUnlisted adds the members that the zoo.cfg has not heard of.
func (h *Ensemble) addUnlisted(leader *consensus.Status) {
	if leader == nil {
		return
	}
	for _, m := range leader.Members {
		id := int64(m.ServerID)
		if slices.ContainsFunc(h.Servers, func(s Server) bool { return s.ID == id }) {
			continue
		}
		s := Server{ID: id, Role: "voter", State: unlisted + "; the leader does not hear of it"}
		if !m.Voter {
			s.Role = "observer"
		}
		if m.Known {
			s.State = unlisted
			if leader.Applied > m.Applied {
				s.Lag = leader.Applied - m.Applied
			}
		}
		h.Servers = append(h.Servers, s)
	}
	slices.SortStableFunc(h.Servers, func(a, b Server) int { return cmp.Compare(a.ID, b.ID) })
}

// count counts voters and observers, by the leader's word if there is one.
func (h *Ensemble) count(leader *consensus.Status) {
	add := func(voter, up bool) {
		all, there := &h.Voters, &h.VotersUp
		if !voter {
			all, there = &h.Observers, &h.ObserversUp
		}
		if *all++; up {
			*there++
		}
	}
	if leader != nil {
		h.Leader = int64(leader.ServerID)
		for _, m := range leader.Members {
			add(m.Voter, m.Known)
		}
		if len(leader.Members) == 0 { // it is alone
			add(true, true)
		}
		return
	}
	for _, s := range h.Servers {
		add(!s.observer, s.Status != nil)
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

// reason is the end of an error's chain, which says what has happened.
func reason(err error) string {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return op.Err.Error()
	}
	return strings.ReplaceAll(err.Error(), "\n", "; ")
}
