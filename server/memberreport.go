package server

import (
	"fmt"
	"strings"

	"zkd/conf"
)

// membersChanged is told by the apply goroutine of every list that becomes the
// current one, also while the log is replayed.
func (s *Server) membersChanged(servers memberList, version int64) {
	s.dynamic.note(servers, version)
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
	for _, d := range differences(s.cfg.Servers, servers) {
		s.log.Warn("zoo.cfg is not what the ensemble has agreed on; the ensemble's word counts",
			"version", hexZxid(version), "difference", d)
	}
}

// reportSelf says what a new list changes for this server that it cannot do
// while it runs.
func (s *Server) reportSelf(servers memberList) {
	self := servers.find(s.cfg.ServerID)
	if self == nil || !self.Client.IsSet() {
		return
	}
	if want := self.Client.Listen(); want != s.cfg.ClientAddr {
		s.log.Warn("this server's client address has changed; put it into zoo.cfg and restart the server",
			"listens", s.cfg.ClientAddr, "agreed", want)
	}
}

// differences lists what differs between zoo.cfg and the agreed list, by
// server and field.
func differences(file, agreed []conf.Server) (list []string) {
	for _, a := range agreed {
		f := memberList(file).find(a.ID)
		if f == nil {
			list = append(list, fmt.Sprintf("server.%d=%s is not in zoo.cfg", a.ID, a))
			continue
		}
		for _, field := range []struct{ name, file, agreed string }{
			{"address", addresses(f), addresses(&a)},
			{"role", f.Role(), a.Role()},
			{"client address", shownAddr(f.Client), shownAddr(a.Client)},
			{"secure client address", shownAddr(f.Secure), shownAddr(a.Secure)},
		} {
			if field.file != field.agreed {
				list = append(list, fmt.Sprintf("server.%d: %s is %s in zoo.cfg, agreed is %s", a.ID, field.name, field.file, field.agreed))
			}
		}
	}
	for _, f := range file {
		if memberList(agreed).find(f.ID) == nil {
			list = append(list, fmt.Sprintf("server.%d=%s is no member", f.ID, f))
		}
	}
	return list
}

func addresses(s *conf.Server) string {
	bare := *s
	bare.Client, bare.Secure = conf.HostPort{}, conf.HostPort{}
	return strings.TrimSuffix(bare.String(), ":"+bare.Role())
}

func shownAddr(a conf.HostPort) string {
	if !a.IsSet() {
		return "not given"
	}
	return a.String()
}
