package conf

import (
	"cmp"
	"slices"
	"strings"
)

// gap is a feature that zkd will have and this release does not. Its keys are
// parsed, checked and exposed as if it were there; find says which settings ask
// for it.
type gap struct {
	feature string
	refuse  bool // ignoring the setting would weaken security or change results
	selector
}

// selector says which settings a gap is about.
type selector struct {
	find  func(*loader) []*setting
	names []string // see pick; nil for what is found by its value
}

// notYet is the one place that knows what this release lacks. A feature that
// arrives removes its line here; nothing else in the package changes.
var notYet = []gap{
	{"TLS for clients", true, selector{find: secureLines}},
	{"TLS for clients", true, keysNamed("secureClientPort", "secureClientPortAddress", "ssl.*", "!ssl.quorum.*")},
	{"TLS for clients", false, keysNamed("client.portUnification", "client.certReload", "netty.server.outstandingHandshake.limit")},
	{"TLS between servers", true, keysTrue("sslQuorum", "portUnification")},
	{"TLS between servers", true, keysNamed("ssl.quorum.*")},
	{"TLS between servers", false, keysNamed("sslQuorumReloadCertFiles")},

	{"SASL", true, keysTrue("sessionRequireClientSASLAuth")},
	{"SASL", true, enforced("sasl")},
	{"SASL", true, provider("sasl")},
	{"x509 authentication", true, enforced("x509")},
	{"x509 authentication", true, provider("x509")},
	{"x509 authentication", false, keysNamed("X509AuthenticationProvider.superUser")},
	{"SASL", false, keysNamed("superUser", "superUser.*", "letAnySaslUserDoX", "SASLAuthenticationProvider.superPassword",
		"allowSaslFailedClients", "sasl.serverconfig", "java.security.auth.login.config", "security.auth_to_local",
		"kerberos.*", "requireKerberosConfig")},

	{"the admin HTTP server", false, keysTrue("admin.enableServer")},
	{"the admin HTTP server", false, keysNamed("admin.*", "!admin.enableServer", "IPAuthenticationProvider.usexforwardedfor")},
	{"the Prometheus endpoint", false, keysNamed("metricsProvider.*")},
	{"the audit log", false, keysTrue("audit.enable")},
}

// applyGaps reports what asks for a missing feature, in one message a feature
// where that keeps the server from starting.
func (l *loader) applyGaps() {
	var refused groups
	for _, g := range l.gaps {
		for _, s := range g.find(l) {
			switch {
			case g.refuse:
				refused.add(g.feature, s)
			case s.stance != Ignored: // it has its notice already
				s.stance, s.reason = Ignored, g.feature+" is not in this release"
				l.note(s.at, "%s has no effect yet: %s is not in this release", showName(s.name), g.feature)
			}
		}
	}
	for _, g := range refused {
		slices.SortStableFunc(g.settings, func(a, b *setting) int { return cmp.Compare(l.position(a), l.position(b)) })
		l.rejectAll(slices.Compact(g.settings), ": "+g.about+" is not supported by this release")
	}
}

// position is the place of a setting among all.
func (l *loader) position(s *setting) int { return slices.Index(l.order, s) }

// keysNamed finds settings by name; see pick.
func keysNamed(patterns ...string) selector {
	return selector{names: patterns, find: func(l *loader) (found []*setting) {
		for _, s := range l.all() {
			if pick(patterns, s.name) {
				found = append(found, s)
			}
		}
		return found
	}}
}

// pick tells whether a name is meant: "x.*" is a family, "!x.*" leaves one out.
func pick(patterns []string, name string) (in bool) {
	for _, p := range patterns {
		if positive, not := strings.CutPrefix(p, "!"); matches(positive, name) {
			in = !not
		}
	}
	return in
}

// covers tells whether a selector may be about a key of that name.
func (s selector) covers(name string) bool { return pick(s.names, name) }

func matches(pattern, name string) bool {
	if prefix, family := strings.CutSuffix(pattern, "*"); family {
		return strings.HasPrefix(name, prefix)
	}
	return pattern == name
}

// keysTrue finds those of the named boolean keys that are true.
func keysTrue(names ...string) selector {
	return selector{names: names, find: func(l *loader) (found []*setting) {
		for _, name := range names {
			if s := l.get(name); s != nil && s.v.yes {
				found = append(found, s)
			}
		}
		return found
	}}
}

// enforced finds the demand that sessions authenticate by scheme.
func enforced(scheme string) selector {
	return selector{find: func(l *loader) []*setting {
		for _, on := range l.cfg.EnforceAuthSchemes {
			if s := l.get("enforce.auth.schemes"); on == scheme && s != nil {
				return []*setting{s}
			}
		}
		return nil
	}}
}

// provider finds the lines that enable scheme.
func provider(scheme string) selector {
	return selector{find: func(l *loader) (found []*setting) {
		for _, s := range l.family("authProvider.*") {
			if providers[s.text] == scheme {
				found = append(found, s)
			}
		}
		return found
	}}
}

// secureLines finds the server lines that open a TLS port.
func secureLines(l *loader) (found []*setting) {
	for _, s := range l.family("server.*") {
		if server, err := ParseServer(s.name, s.text); err == nil && server.Secure.IsSet() {
			found = append(found, s)
		}
	}
	return found
}
