package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"zkd/consensus"
	"zkd/proto/jute"
	"zkd/server/member"
)

// The members are changed by clients (reconfig.go), and by two others, of
// whom this file is: programs that ask at the peer port, and the zoo.cfg files
// of the servers, where zkd.membership=file lets these decide.

// opWantMembers begins a change of the members that no client has asked for.
const opWantMembers jute.Op = -104

// wantMembers proposes a list in the place of the one with that version.
func (s *Server) wantMembers(version int64, wanted member.List) {
	body := jute.AppendString(jute.AppendInt64(nil, version), wanted.String())
	s.node.Submit(nil, newTxnHead(0, 0, nil).with(opWantMembers, 0), body)
}

// wantMembers applies opWantMembers. It is void if the list has changed since,
// or is about to.
func (m *machine) wantMembers() {
	version := m.txn.body.Int64()
	wanted, err := member.Parse(strings.Clone(m.txn.body.String()))
	if m.txn.body.Err() != nil || err != nil {
		panic("server: malformed members in the log")
	}
	have := &m.state.members
	if have.servers == nil || have.wanted != nil || have.version != version || wanted.Check(1) != nil {
		return
	}
	have.want(wanted, m.state.zxid+1)
}

// leastVoters is how few voters a change may leave.
func (s *Server) leastVoters() int {
	if s.cfg.StandaloneEnabled {
		return 2
	}
	return 1
}

// administer implements consensus.Ensemble.Administer: it answers a
// member.Request by a member.Answer.
func (s *Server) administer(request []byte) ([]byte, error) {
	select {
	case <-s.opened:
	default:
		return nil, errors.New("it has not started yet")
	}
	var r member.Request
	if err := json.Unmarshal(request, &r); err != nil {
		return nil, err
	}
	st, leads := s.node.Status(), s.node.Leads() // before the list is read, which is then no older
	s.state.mu.RLock()
	have := s.state.members
	s.state.mu.RUnlock()
	a := member.Answer{Leads: leads && have.servers != nil, Servers: have.servers.Lines(), Version: have.version}
	if a.Leads {
		a.States = states(&st)
		s.answerChange(&a, &r, &have)
	}
	return json.Marshal(a)
}

// answerChange says what has become of the change that is asked for, and
// begins it.
func (s *Server) answerChange(a *member.Answer, r *member.Request, have *membership) {
	wanted, err := r.Apply(have.servers, s.leastVoters())
	switch {
	case err != nil && r.Changes():
		a.Refused = err.Error()
	case wanted.String() == have.servers.String():
		a.Done = true
	case have.wanted != nil:
		a.Pending = have.wanted.String() == wanted.String()
		a.Busy = !a.Pending
	case r.Propose:
		s.log.Info("a program asks for other members", "add", r.Add, "remove", r.Remove, "promote", r.Promote)
		s.wantMembers(have.version, wanted)
	}
}

// states are those of raft's members as a leader sees them.
func states(st *consensus.Status) (list []member.State) {
	for _, m := range st.Members {
		state := member.State{ID: int64(m.ServerID), Voter: m.Voter, Contact: m.Known}
		if m.Known && st.Applied > m.Applied {
			state.Lag = st.Applied - m.Applied
		}
		list = append(list, state)
	}
	return list
}

// followEvery is how often a leader compares the files with the list.
const followEvery = time.Second

// followFiles makes the list of members what the files of most voters say, one
// step at a time, while this server leads.
func (s *Server) followFiles(ctx context.Context) {
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	told := ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		s.state.mu.RLock()
		have := s.state.members
		s.state.mu.RUnlock()
		if have.servers == nil || have.wanted != nil {
			continue
		}
		files := s.files(ctx)
		if ctx.Err() != nil {
			continue
		}
		target := have.servers.Agreed(files)
		if target == nil || target.String() == have.servers.String() {
			others := fmt.Sprint(have.servers.Others(files))
			if others != told && others != "[]" {
				s.log.Info("some zoo.cfg files have other members; the files of most voters would have to", "servers", others)
			}
			told = others
			continue
		}
		next, why := have.servers.Step(target, s.seen(), s.cfg.ServerID, s.leastVoters())
		if next.String() != have.servers.String() {
			s.log.Info("most zoo.cfg files have other members, changing them by a step", "from", oneLine(have.servers), "to", oneLine(next))
			s.wantMembers(have.version, next)
			continue
		}
		if why != "" && why != told {
			s.log.Warn("most zoo.cfg files have other members, which cannot be made so yet", "why", why, "files", oneLine(target))
		}
		told = why
	}
}

// files are the lists of all servers that let them count.
func (s *Server) files(ctx context.Context) map[int64]member.List {
	files := map[int64]member.List{}
	for id, text := range s.node.Files(ctx) {
		if l, err := member.Parse(text); err == nil {
			files[int64(id)] = l
		}
	}
	return files
}

// seen is what this leader sees of others and itself.
func (s *Server) seen() map[int64]member.Seen {
	seen := map[int64]member.Seen{}
	for _, id := range s.node.Asking() {
		seen[int64(id)] = member.Seen{Asks: true}
	}
	st := s.node.Status()
	for _, m := range st.Members {
		is := seen[int64(m.ServerID)]
		is.Votes, is.Contact, is.CaughtUp = m.Voter, m.Known, m.CaughtUp
		seen[int64(m.ServerID)] = is
	}
	return seen
}

func oneLine(l member.List) string { return strings.ReplaceAll(l.String(), "\n", " ") }
