package conf

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// setServers parses the server lines and judges the list as a whole. When a
// line is broken the list is not judged: what is missing from it may be there.
func (l *loader) setServers() {
	broken := false
	lines := make(map[int64]*setting)
	for _, s := range l.family("server.*") {
		server, err := ParseServer(s.name, s.text)
		if err != nil {
			l.reject(s, "%s=%s %s", showName(s.name), s.shown(), s.explain(err))
			broken = true
			continue
		}
		if first := lines[server.ID]; first != nil { // server.1 and server.01
			if sameServer(first, s) {
				l.warn(s.at, "server.%d is also set at %s, to the same value", server.ID, first.at)
				s.stance, s.reason = Overridden, "by "+first.at.String()
				continue
			}
			l.reject(s, "server.%d is set twice, here and at %s", server.ID, first.at)
			continue
		}
		lines[server.ID] = s
		l.cfg.Servers = append(l.cfg.Servers, server)
		l.checkServerID(s.at, "server."+strconv.FormatInt(server.ID, 10), server.ID)
		if len(server.Addrs) > 1 && !l.value("multiAddress.enabled").yes {
			l.warn(s.at, "%s has several addresses; ZooKeeper would refuse that without multiAddress.enabled=true", s.name)
		}
	}
	l.checkClashes(lines)
	slices.SortFunc(l.cfg.Servers, func(a, b Server) int { return cmp.Compare(a.ID, b.ID) })
	if !broken {
		l.checkEnsemble()
		l.checkHierarchy()
	}
}

// checkServerID speaks about ids at the edge of what others accept.
func (l *loader) checkServerID(at origin, what string, id int64) {
	switch {
	case id == 0:
		l.warn(at, "%s: ZooKeeper's manual allows 1 to 255, so other tools may refuse 0", what)
	case id == maxServerID+1 && l.cfg.ExtendedTypesEnabled:
		l.fail(at, "%s: 255 is not possible with TTL nodes and containers; use 1 to %d, or extendedTypesEnabled=false", what, maxServerID)
	case id == maxServerID+1:
		l.warn(at, "%s: other tools may refuse 255", what)
	}
}

// checkClashes finds two servers on one address. The wildcard of a client port
// is each server's own.
func (l *loader) checkClashes(lines map[int64]*setting) {
	users := make(map[string]int64)
	for _, s := range l.cfg.Servers {
		for _, addr := range s.addresses() {
			name := strings.ToLower(addr.String())
			other, taken := users[name]
			if taken && other != s.ID {
				l.fail(lines[s.ID].at, "server.%d and server.%d (%s) both use %s", s.ID, other, lines[other].at, addr)
			}
			users[name] = s.ID
		}
	}
}

// addresses lists what a server binds, apart from wildcards.
func (s *Server) addresses() []HostPort {
	var all []HostPort
	for _, a := range s.Places() {
		all = append(all, a.Quorum(), a.Election())
	}
	for _, a := range []HostPort{s.Client, s.Secure} {
		if a.IsSet() && !isWildcard(a.Host) {
			all = append(all, a)
		}
	}
	return all
}

// server returns a line of the list, nil when there is none.
func (c *Config) server(id int64) *Server {
	for i := range c.Servers {
		if c.Servers[i].ID == id {
			return &c.Servers[i]
		}
	}
	return nil
}

func (c *Config) voters() (n int) {
	for _, s := range c.Servers {
		if !s.Observer {
			n++
		}
	}
	return n
}

// EnsembleMode tells whether this server is one of an ensemble, which may be of
// one: it then listens on its peer ports and needs the keys of an ensemble.
func (c *Config) EnsembleMode() bool { return !c.StandaloneEnabled || len(c.Servers) > 1 }

// listAt is where remarks about the whole list belong: its last line.
func (l *loader) listAt() origin {
	at := origin{file: l.cfg.File}
	for _, s := range l.order {
		if s.key != nil && s.key.Name == "server.*" {
			at = s.at
		}
	}
	return at
}

// checkEnsemble has ZooKeeper's sentences about the list of servers.
func (l *loader) checkEnsemble() {
	voters := l.cfg.voters()
	observers := len(l.cfg.Servers) - voters
	switch {
	case voters == 0 && observers > 0:
		l.fail(l.listAt(), "Observers w/o participants is an invalid configuration")
	case voters == 0 && !l.cfg.StandaloneEnabled:
		l.fail(l.listAt(), "standaloneEnabled = false then number of participants should be >0")
	case voters == 1 && observers > 0 && l.cfg.StandaloneEnabled:
		l.warn(l.listAt(), "Observers w/o quorum is an invalid configuration for ZooKeeper; zkd runs one voter with observers")
	case voters == 1 && observers == 0 && l.cfg.StandaloneEnabled:
		l.note(l.listAt(), "only one server specified: this is a cluster of one")
	case voters == 2:
		l.warn(l.listAt(), "No server failure will be tolerated. You need at least 3 servers.")
	case voters > 0 && voters%2 == 0:
		l.warn(l.listAt(), "Non-optimal configuration, consider an odd number of servers.")
	}
	if !l.cfg.EnsembleMode() || voters == 0 {
		return
	}
	for _, name := range []string{"initLimit", "syncLimit"} {
		if s := l.settings[name]; s == nil || !s.bad && s.v.n == 0 {
			at := origin{file: l.cfg.File}
			if s != nil {
				at = s.at
			}
			l.fail(at, "%s is not set", name)
		}
	}
}
