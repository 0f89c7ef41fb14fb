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
	for _, a := range s.Addrs {
		all = append(all, a.Quorum(), a.Election())
	}
	for _, a := range []HostPort{s.Client, s.Secure} {
		if a.IsSet() && !isWildcard(a.Host) {
			all = append(all, a)
		}
	}
	return all
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

// checkHierarchy accepts groups and weights where they change nothing: one
// group of all servers, all of one weight. Raft counts plain majorities.
func (l *loader) checkHierarchy() {
	weights := l.checkWeights()
	groups := l.family("group*")
	member := make(map[int64]bool)
	for _, s := range groups {
		if !strings.HasPrefix(s.name, "group.") {
			l.reject(s, "%s is no key; a group is written group.G=1:2:3", showName(s.name))
			return
		}
		for text := range strings.SplitSeq(s.text, ":") {
			id, err := strconv.ParseInt(trimJava(text), 10, 64)
			if err != nil {
				l.reject(s, "%s=%s: %s is not a number", showName(s.name), s.shown(), s.part(text))
				return
			}
			if member[id] {
				l.reject(s, "%s=%s: Server %d is in multiple groups", showName(s.name), s.shown(), id)
				return
			}
			member[id] = true
		}
	}
	if len(groups) > 1 {
		l.reject(groups[1], "%s makes a second group, which is refused: raft counts plain majorities", showName(groups[1].name))
		return
	}
	for _, s := range l.cfg.Servers {
		if len(groups) == 1 && !member[s.ID] {
			l.reject(groups[0], "%s=%s: Server %d is not in a group", showName(groups[0].name), groups[0].shown(), s.ID)
			return
		}
	}
	if len(groups)+weights > 0 {
		l.note(l.listAt(), "group and weight keys are accepted because they describe a plain majority")
	}
}

// checkWeights refuses weights that differ and returns how many there are.
// Servers without a weight have 1.
func (l *loader) checkWeights() int {
	weights := l.family("weight*")
	if len(weights) == 0 {
		return 0
	}
	common := int64(-1)
	if len(weights) < len(l.cfg.Servers) {
		common = 1
	}
	for _, s := range weights {
		n, err := strconv.ParseInt(s.text, 10, 64)
		switch {
		case !strings.HasPrefix(s.name, "weight."):
			l.reject(s, "%s is no key; a weight is written weight.N=w", showName(s.name))
		case err != nil || n < 0:
			l.reject(s, "%s=%s must be a whole number, 0 or more", showName(s.name), s.shown())
		case n == 0:
			l.reject(s, "%s=0 is refused: make the server an observer instead, which has no vote either", s.name)
		case common >= 0 && n != common:
			l.reject(s, "%s=%d is refused: raft gives every server one vote, so all weights must be equal", s.name, n)
		default:
			common = n
		}
	}
	return len(weights)
}
