package conf

import "strings"

// gap is a feature that zkd will have and this release does not. Its keys are
// parsed, checked and exposed as if it were there; find says which settings ask
// for it.
type gap struct {
	feature string
	refuse  bool // ignoring the setting would weaken security or change results
	find    func(*loader) []*setting
}

// notYet is the one place that knows what this release lacks. A feature that
// arrives removes its line here; nothing else in the package changes.
var notYet = []gap{
	{"TLS for clients", true, secureLines},
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

// applyGaps reports every setting that asks for a missing feature.
func (l *loader) applyGaps() {
	for _, g := range l.gaps {
		for _, s := range g.find(l) {
			switch {
			case g.refuse:
				l.reject(s, "%s=%s: %s is not supported by this release", showName(s.name), s.shown(), g.feature)
			case s.stance != Ignored: // it has its notice already
				s.stance, s.reason = Ignored, g.feature+" is not in this release"
				l.note(s.at, "%s has no effect yet: %s is not in this release", showName(s.name), g.feature)
			}
		}
	}
}

// keysNamed finds settings by name; "x.*" is a family, "!x.*" leaves one out.
func keysNamed(patterns ...string) func(*loader) []*setting {
	return func(l *loader) (found []*setting) {
		for _, s := range l.all() {
			in := false
			for _, p := range patterns {
				if name, not := strings.CutPrefix(p, "!"); matches(name, s.name) {
					in = !not
				}
			}
			if in {
				found = append(found, s)
			}
		}
		return found
	}
}

func matches(pattern, name string) bool {
	if prefix, family := strings.CutSuffix(pattern, "*"); family {
		return strings.HasPrefix(name, prefix)
	}
	return pattern == name
}

// keysTrue finds those of the named boolean keys that are true.
func keysTrue(names ...string) func(*loader) []*setting {
	return func(l *loader) (found []*setting) {
		for _, name := range names {
			if s := l.get(name); s != nil && s.v.yes {
				found = append(found, s)
			}
		}
		return found
	}
}

// enforced finds the demand that sessions authenticate by scheme.
func enforced(scheme string) func(*loader) []*setting {
	return func(l *loader) []*setting {
		for _, on := range l.cfg.EnforceAuthSchemes {
			if s := l.get("enforce.auth.schemes"); on == scheme && s != nil {
				return []*setting{s}
			}
		}
		return nil
	}
}

// provider finds the lines that enable scheme.
func provider(scheme string) func(*loader) []*setting {
	return func(l *loader) (found []*setting) {
		for _, s := range l.family("authProvider.*") {
			if providers[s.text] == scheme {
				found = append(found, s)
			}
		}
		return found
	}
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
