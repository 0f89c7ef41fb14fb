package conf

import (
	"fmt"
	"net/netip"
	"strings"
)

// Wildcard tells whether the host is one of no machine, which in a server's own
// line means that it listens on every address.
func (a PeerAddr) Wildcard() bool {
	ip, err := netip.ParseAddr(a.Host)
	return a.Host == "" || err == nil && ip.Unmap().IsUnspecified()
}

// loopback tells whether the host is this machine to whoever dials it.
func (a PeerAddr) loopback() bool {
	ip, err := netip.ParseAddr(a.Host)
	name := strings.ToLower(a.Host)
	return err == nil && ip.Unmap().IsLoopback() || name == "localhost" || strings.HasPrefix(name, "localhost.")
}

// Places returns the addresses of the line that lead others to the server.
func (s *Server) Places() (addrs []PeerAddr) {
	for _, a := range s.Addrs {
		if !a.Wildcard() {
			addrs = append(addrs, a)
		}
	}
	return addrs
}

// checkOwnLine judges lines whose host means something else to each server. Of
// a server's own line ZooKeeper takes only where to listen; the others dial what
// their own files say. Here one list is agreed on for all.
func (l *loader) checkOwnLine() {
	if !l.cfg.EnsembleMode() || l.cfg.Self() == nil {
		return
	}
	var self *setting
	elsewhere := false
	for _, s := range l.family("server.*") {
		server, err := ParseServer(s.name, s.text)
		switch {
		case err != nil:
		case server.ID == l.cfg.ServerID:
			self = s
		case len(server.Places()) == 0:
			l.reject(s, "%s=%s gives no address at which this server, which is %d, can reach server %d: a wildcard means something in a server's own "+
				"line alone; write the name or the address of its machine", showName(s.name), s.shown(), l.cfg.ServerID, server.ID)
		default:
			elsewhere = elsewhere || !server.Addrs[0].loopback()
		}
	}
	if self != nil {
		l.setOwnLine(self, elsewhere)
	}
}

// setOwnLine decides what this server's own line means; elsewhere is whether
// another server is on another machine.
func (l *loader) setOwnLine(s *setting, elsewhere bool) {
	self := l.cfg.Self()
	places, written := self.Places(), fmt.Sprintf("%s=%s", showName(s.name), s.shown())
	const from = "this server listens on every address, and the other servers' files say where it is"
	switch {
	case len(places) == len(self.Addrs) && !(elsewhere && self.Addrs[0].loopback()):
		return
	case len(places) == len(self.Addrs):
		l.warn(s.at, "%s: the others are on other machines and cannot reach a loopback address: %s", written, from)
		l.cfg.Unplaced = s.at.String()
	case len(places) > 0:
		l.note(s.at, "%s: this server listens on every address", written)
	case len(l.cfg.Servers) == 1:
		host := "host.example.org"
		a := self.Addrs[0]
		l.reject(s, "%s says where to listen and not where this server is, and no other server is listed whose file could: write its name or address, "+
			"as in server.%d=%s:%d:%d; quorumListenOnAllIPs=true has it listen on every address", written, self.ID, host, a.QuorumPort, a.ElectionPort)
		return
	default:
		l.note(s.at, "%s: %s", written, from)
		l.cfg.Unplaced = s.at.String()
	}
	l.cfg.QuorumListenOnAll = true
}
