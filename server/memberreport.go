package server

import (
	"strings"

	"zkd/server/member"
)

// membersChanged is told by the apply goroutine of every list that becomes the
// current one, also while the log is replayed.
func (s *Server) membersChanged(servers member.List, version int64) {
	s.dynamic.Note(member.AsFiled(s.cfg, servers), version)
	if !s.serving.Load() {
		return // see reportMembers
	}
	s.log.Info("the members of the ensemble have changed", "version", hexZxid(version),
		"members", strings.ReplaceAll(servers.String(), "\n", " "))
	s.reportSelf(servers)
}

// reportMembers says where zoo.cfg differs from the members that the ensemble
// has agreed on. Those count.
func (s *Server) reportMembers() {
	s.state.mu.RLock()
	servers, version := s.state.members.servers, s.state.members.version
	s.state.mu.RUnlock()
	if servers == nil {
		return
	}
	if s.cfg.MembershipByFile {
		for _, d := range member.Differences(s.cfg.Servers, member.AsFiled(s.cfg, servers)) {
			s.log.Info("zoo.cfg has other members than the ensemble; they become those of most zoo.cfg files", "difference", d)
		}
		return
	}
	for _, d := range member.Differences(s.cfg.Servers, member.AsFiled(s.cfg, servers)) {
		s.log.Warn("zoo.cfg is not what the ensemble has agreed on; the ensemble's word counts",
			"version", hexZxid(version), "difference", d)
	}
}

// reportSelf says what a new list changes for this server that it cannot do
// while it runs.
func (s *Server) reportSelf(servers member.List) {
	self := servers.Find(s.cfg.ServerID)
	if self == nil || !self.Client.IsSet() {
		return
	}
	if want := self.Client.Listen(); want != s.cfg.ClientAddr {
		s.log.Warn("this server's client address has changed; put it into zoo.cfg and restart the server",
			"listens", s.cfg.ClientAddr, "agreed", want)
	}
}
