package member

import (
	"errors"
	"fmt"

	"zkd/conf"
)

// Request is what a program that administers the members asks of a server, as
// JSON over the second peer port. One without a change asks for the list. A
// change may be asked for again: what is so already stays so.
type Request struct {
	Add     []string `json:"add,omitempty"`     // server lines; of a member, its new one
	Remove  []int64  `json:"remove,omitempty"`  // server ids
	Promote []int64  `json:"promote,omitempty"` // ids of observers that are to vote
	// Propose has the change begun, unless one is under way. Without it the
	// server tells only what has become of it.
	Propose bool `json:"propose,omitempty"`
}

// Answer is what a server says to a Request.
type Answer struct {
	// Leads tells whether it leads: only then the rest counts, but for Servers,
	// which may be out of date.
	Leads   bool     `json:"leads"`
	Servers []string `json:"servers"` // the lines agreed on
	Version int64    `json:"version"` // of them
	// Refused says why the change is not possible.
	Refused string `json:"refused,omitempty"`
	// Done tells whether the list is as asked for, Pending whether it is about
	// to become so, Busy whether another change is under way.
	Done    bool `json:"done"`
	Pending bool `json:"pending,omitempty"`
	Busy    bool `json:"busy,omitempty"`
	// States are those of raft's members.
	States []State `json:"states"`
}

// State is what a leader knows of one of raft's members.
type State struct {
	ID      int64  `json:"id"`
	Voter   bool   `json:"voter"`
	Contact bool   `json:"contact"` // is in contact
	Lag     uint64 `json:"lag"`     // entries behind the leader
}

// inStep is how many entries behind the leader a server may be: what it says
// of itself is half a tick old.
const inStep = 1000

// Changes tells whether the request is for a change.
func (r *Request) Changes() bool { return len(r.Add)+len(r.Remove)+len(r.Promote) > 0 }

// Apply returns the list that the request makes of one. least is how few
// voters there may be.
func (r *Request) Apply(l List, least int) (List, error) {
	if n := len(r.Add) + len(r.Promote) + len(r.Remove); n > mostServers {
		return nil, fmt.Errorf("%d servers at once; %d are possible", n, mostServers)
	}
	for _, line := range r.Add {
		s, err := parseLine(line)
		if err != nil {
			return nil, err
		}
		if wildcard(s) {
			return nil, fmt.Errorf("server.%d=%s: a wildcard is no address at which others reach a server; write its name or address", s.ID, s)
		}
		l = l.With(s)
	}
	for _, id := range r.Promote {
		s := l.Find(id)
		if s == nil {
			return nil, fmt.Errorf("server %d is no member", id)
		}
		voter := *s
		voter.Observer = false
		l = l.With(voter)
	}
	for _, id := range r.Remove {
		l = l.Without(id)
	}
	return l, l.Check(least)
}

// Check tells whether a list can be that of an ensemble.
func (l List) Check(least int) error {
	switch n := l.Voters(); {
	case n == 0:
		return errors.New("no voter would be left")
	case n < least:
		return errors.New("a single voter would be left; standaloneEnabled=false on all servers allows that")
	case l.clash():
		return errors.New("two servers would have the same address")
	case l.tooLong():
		return fmt.Errorf("the list would have more than %d bytes", longest)
	}
	return nil
}

// Waiting tells what is still missing until the servers that the request is
// about are what it makes of them, "" for nothing.
func (r *Request) Waiting(a *Answer) string {
	list := List{}
	for _, line := range a.Servers {
		if s, err := parseLine(line); err == nil {
			list = append(list, s)
		}
	}
	for _, id := range r.about() {
		state := a.state(id)
		switch s := list.Find(id); {
		case s == nil && state == nil:
		case s == nil:
			return fmt.Sprintf("server %d has not left yet", id)
		case state == nil:
			return fmt.Sprintf("server %d is not there yet", id)
		case !state.Contact:
			return fmt.Sprintf("server %d is not in contact with the leader", id)
		case state.Voter == s.Observer:
			return fmt.Sprintf("server %d is %s yet", id, map[bool]string{true: "a voter", false: "not a voter"}[state.Voter])
		case state.Lag > inStep:
			return fmt.Sprintf("server %d is %d entries behind", id, state.Lag)
		}
	}
	return ""
}

// about lists the servers that the request is about.
func (r *Request) about() (ids []int64) {
	for _, line := range r.Add {
		if s, err := parseLine(line); err == nil {
			ids = append(ids, s.ID)
		}
	}
	return append(append(ids, r.Promote...), r.Remove...)
}

func (a *Answer) state(id int64) *State {
	for i := range a.States {
		if a.States[i].ID == id {
			return &a.States[i]
		}
	}
	return nil
}

// Lines are the server lines of a list, one each.
func (l List) Lines() []string {
	lines := make([]string, len(l))
	for i, s := range l {
		lines[i] = Line(s)
	}
	return lines
}

// Line is the line of a server in a dynamic file.
func Line(s conf.Server) string { return fmt.Sprintf("server.%d=%s", s.ID, s) }
