package main

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"zkd/conf"
	"zkd/consensus"
)

// health is how an ensemble is, put together from what its servers say.
type health struct {
	Verdict     string         `json:"verdict"` // healthy, degraded or no leader
	Leader      int64          `json:"leader"`  // meaningless without one
	Voters      int            `json:"voters"`
	VotersUp    int            `json:"voters_up"` // by the leader's word; without one, those that answer
	Observers   int            `json:"observers"`
	ObserversUp int            `json:"observers_up"`
	Servers     []serverHealth `json:"servers"`
}

// serverHealth is one server.
type serverHealth struct {
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
func (h *health) Serving() bool { return h.Verdict != noLeader }

// judge puts the answers together.
func judge(servers []conf.Server, answers map[int64]answer) *health {
	h := &health{}
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
	case h.VotersUp == h.Voters && h.ObserversUp == h.Observers && !slices.ContainsFunc(h.Servers, func(s serverHealth) bool { return s.ails(leader) }):
		h.Verdict = healthy
	default:
		h.Verdict = degraded
	}
	return h
}

// ails tells whether something is wrong with a member. Servers that zoo.cfg
// lists and the ensemble does not are none, nor is a list that is out of date.
func (s *serverHealth) ails(leader *consensus.Status) bool {
	if s.State == up || s.State == unlisted {
		return false
	}
	return slices.ContainsFunc(leader.Members, func(m consensus.MemberStatus) bool { return int64(m.ServerID) == s.ID })
}

// findLeader returns what the leader says, nil if there is none. One that was
// replaced and does not know it yet has a smaller term.
func findLeader(answers map[int64]answer) (leader *consensus.Status) {
	for _, a := range answers {
		leads := a.status.Role == "leader" || a.status.Role == "standalone"
		if a.err == nil && leads && (leader == nil || a.status.Term > leader.Term) {
			leader = &a.status
		}
	}
	return leader
}

func judgeServer(s conf.Server, a answer, leader *consensus.Status) serverHealth {
	h := serverHealth{ID: s.ID, Address: peerAddress(s), Role: "voter", State: up, observer: s.Observer}
	if s.Observer {
		h.Role = "observer"
	}
	if a.err != nil {
		h.State = "down: " + reason(a.err)
		return h
	}
	st := a.status
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
func (h *health) addUnlisted(leader *consensus.Status) {
	if leader == nil {
		return
	}
	for _, m := range leader.Members {
		id := int64(m.ServerID)
		if slices.ContainsFunc(h.Servers, func(s serverHealth) bool { return s.ID == id }) {
			continue
		}
		s := serverHealth{ID: id, Role: "voter", State: unlisted + "; the leader does not hear of it"}
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
	slices.SortStableFunc(h.Servers, func(a, b serverHealth) int { return cmp.Compare(a.ID, b.ID) })
}

// count counts voters and observers, by the leader's word if there is one.
func (h *health) count(leader *consensus.Status) {
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

// forever is longer ago than any contact: there was none.
const forever = 24 * time.Hour

// String is the table for a person.
func (h *health) String() string {
	var b strings.Builder
	table := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "SERVER\tADDRESS\tROLE\tTERM\tZXID\tLAG\tCONTACT\tSTATE")
	for _, s := range h.Servers {
		term, zxid, lag, contact, address := "-", "-", "-", "-", s.Address
		if st := s.Status; st != nil {
			zxid = fmt.Sprintf("%#x", uint64(st.Zxid))
			if st.RaftID != "" {
				term = strconv.FormatUint(st.Term, 10)
				if st.Contact < forever {
					contact = st.Contact.Round(time.Millisecond).String()
				}
			}
		}
		if s.Status != nil && s.State != "knows no leader" || s.Lag > 0 {
			lag = strconv.FormatUint(s.Lag, 10)
		}
		if address == "" {
			address = "-"
		}
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.ID, address, s.Role, term, zxid, lag, contact, s.State)
	}
	_ = table.Flush() // a Builder does not fail
	return b.String() + h.line() + "\n"
}

// line is the verdict in one line.
func (h *health) line() string {
	if !h.Serving() {
		return fmt.Sprintf("%s: %d of %d voters answer", h.Verdict, h.VotersUp, h.Voters)
	}
	line := fmt.Sprintf("%s: %d of %d voters", h.Verdict, h.VotersUp, h.Voters)
	if h.Observers > 0 {
		line += fmt.Sprintf(", %d of %d observers", h.ObserversUp, h.Observers)
	}
	return line
}
