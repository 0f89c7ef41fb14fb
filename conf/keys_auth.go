package conf

import (
	"fmt"
	"slices"
	"strings"
)

// authKeys: authentication, super users, audit.
var authKeys = slices.Concat(
	[]Key{
		{
			Name: "authProvider.*", Type: Type{"a built-in provider class", checkProvider}, Stance: HonouredChanged,
			Reason: "the built-in classes only: a provider that is missing would weaken security",
			Doc:    "class of an authentication provider",
		},
		{
			Name: "DigestAuthenticationProvider.enabled", Type: boolean, Default: "true", Stance: Honoured,
			Doc:  "the digest scheme",
			bind: func(c *Config, v value) { c.DigestAuthEnabled = v.yes },
		},
		{
			Name: "DigestAuthenticationProvider.superDigest", Type: nonEmpty, Stance: Honoured, secret: true,
			Doc:  "user:base64(sha1(user:password)) of the super user",
			bind: func(c *Config, v value) { c.SuperDigest = NewSecret(v.text) },
		},
		{
			Name: "DigestAuthenticationProvider.digestAlg", Type: Type{"a hash: " + strings.Join(digestAlgs, ", "), checkDigestAlg},
			Default: "SHA1", Stance: Honoured,
			Doc:  "hash of digest ids",
			bind: func(c *Config, v value) { c.DigestAlg = canonicalAlg(v.text) },
		},
		{
			Name: "IPAuthenticationProvider.usexforwardedfor", Type: boolean, Default: "false", Stance: Honoured,
			Doc:  "admin HTTP takes the client address from X-Forwarded-For",
			bind: func(c *Config, v value) { c.UseXForwardedFor = v.yes },
		},
		{
			Name: "X509AuthenticationProvider.superUser", Type: nonEmpty, Stance: Honoured,
			Doc:  "certificate subject of the super user",
			bind: func(c *Config, v value) { c.X509SuperUser = v.text },
		},
		{
			Name: "superUser", Type: nonEmpty, Stance: Honoured, Doc: "id treated as super",
			bind: addSuperUser,
		},
		{
			Name: "superUser.*", Type: nonEmpty, Stance: Honoured, Doc: "id treated as super",
			bind: addSuperUser,
		},
		{
			Name: "letAnySaslUserDoX", Type: nonEmpty, Stance: Honoured, Doc: "id that every SASL user matches",
			bind: func(c *Config, v value) { c.SASL.LetAnyUserDo = v.text },
		},
		{
			Name: "SASLAuthenticationProvider.superPassword", Type: nonEmpty, Stance: Honoured, secret: true,
			Doc:  "DIGEST-MD5 password of the super user",
			bind: func(c *Config, v value) { c.SASL.SuperPassword = NewSecret(v.text) },
		},
		{
			Name: "allowSaslFailedClients", Type: boolean, Default: "false", Stance: Honoured,
			Doc:  "keep connections whose SASL exchange failed",
			bind: func(c *Config, v value) { c.SASL.AllowFailedClients = v.yes },
		},
		{
			Name: "sessionRequireClientSASLAuth", Type: boolean, Default: "false", Stance: Honoured,
			Doc:  "refuse sessions without SASL",
			bind: func(c *Config, v value) { c.SASL.RequireClientAuth = v.yes },
		},
		{
			Name: "enforce.auth.enabled", Type: boolean, Default: "false", Stance: Honoured,
			Doc: "refuse sessions without one of enforce.auth.schemes",
		},
		{
			Name: "enforce.auth.schemes", Type: list, Stance: Honoured,
			Doc: "schemes of which a session must have one",
		},
		{
			Name: "ensembleAuthName", Type: anyText, Stance: Honoured,
			Doc:  "names that the scheme ensemble accepts",
			bind: func(c *Config, v value) { c.EnsembleAuthName = v.text },
		},
		{
			Name: "sasl.serverconfig", Type: nonEmpty, Default: "Server", Stance: HonouredChanged,
			Reason: "read by zkd's own JAAS reader",
			Doc:    "section of the JAAS file",
			bind:   func(c *Config, v value) { c.SASL.Section = v.text },
		},
		{
			Name: "java.security.auth.login.config", Prop: "java.security.auth.login.config", Type: nonEmpty, Stance: Honoured,
			Doc:  "JAAS file",
			bind: func(c *Config, v value) { c.SASL.LoginConfig = v.text },
		},
		{
			Name: "security.auth_to_local", Type: nonEmpty, Default: "DEFAULT", Stance: Honoured,
			Doc:  "rules from Kerberos principals to names",
			bind: func(c *Config, v value) { c.SASL.AuthToLocal = v.text },
		},
		{
			Name: "kerberos.removeHostFromPrincipal", Type: boolean, Default: "false", Stance: Honoured,
			Doc:  "drop the host of a principal",
			bind: func(c *Config, v value) { c.SASL.RemoveHost = v.yes },
		},
		{
			Name: "kerberos.removeRealmFromPrincipal", Type: boolean, Default: "false", Stance: Honoured,
			Doc:  "drop the realm of a principal",
			bind: func(c *Config, v value) { c.SASL.RemoveRealm = v.yes },
		},
		{
			Name: "kerberos.canonicalizeHostNames", Type: boolean, Default: "false", Stance: Honoured,
			Doc:  "replace host names by canonical ones",
			bind: func(c *Config, v value) { c.SASL.CanonicalizeHosts = v.yes },
		},
		{
			Name: "requireKerberosConfig", Type: boolean, Default: "false", Stance: Honoured,
			Doc:  "fail without a Kerberos configuration",
			bind: func(c *Config, v value) { c.SASL.RequireKerberosFile = v.yes },
		},
		quorumSASL("quorum.auth.enableSasl"),
		quorumSASL("quorum.auth.serverRequireSasl"),
		quorumSASL("quorum.auth.learnerRequireSasl"),
		{
			Name: "audit.enable", Type: boolean, Default: "false", Stance: Honoured,
			Doc:  "write audit lines",
			bind: func(c *Config, v value) { c.AuditEnabled = v.yes },
		},
	},
	ignore("zkd needs no kinit",
		Key{Name: "kinit", Type: anyText, Doc: "program that renews tickets"},
		Key{Name: "kerberos.minReLoginTimeMs", Type: anyInt, Doc: "time between logins"},
	),
	ignore(quorumProof,
		Key{Name: "quorum.auth.learner.saslLoginContext", Prop: own, Type: anyText, Default: "QuorumLearner", Doc: "JAAS section"},
		Key{Name: "quorum.auth.server.saslLoginContext", Prop: own, Type: anyText, Default: "QuorumServer", Doc: "JAAS section"},
		Key{Name: "quorum.auth.kerberos.servicePrincipal", Prop: own, Type: anyText, Default: "zkquorum/localhost", Doc: "principal"},
	),
	ignore("zkd has one audit logger",
		Key{Name: "audit.impl.class", Type: anyText, Doc: "class of the audit logger"},
	),
)

func addSuperUser(c *Config, v value) { c.SuperUsers = append(c.SuperUsers, v.text) }

// quorumProof is what zkd has in the place of SASL between servers.
const quorumProof = "servers prove to one another that they have the same secret: zkd.quorum.secretFile"

// quorumSASL is a key that may only be false.
func quorumSASL(name string) Key {
	const reason = "zkd has no SASL between servers; they prove a shared secret instead: " +
		"zkd.quorum.secretFile=FILE, with the same 16 bytes or more in it on all of them"
	return Key{
		Name: name, Prop: own, Type: boolean, Default: "false", Stance: Honoured,
		Doc:    "SASL between servers; only false",
		refuse: unlessFalse(reason),
	}
}

// unlessFalse refuses true.
func unlessFalse(reason string) func(*Config, string) string {
	return func(_ *Config, text string) string {
		if strings.EqualFold(text, "true") {
			return reason
		}
		return ""
	}
}

// providers maps the classes that ship with ZooKeeper to their schemes.
var providers = map[string]string{
	"org.apache.zookeeper.server.auth.DigestAuthenticationProvider":   "digest",
	"org.apache.zookeeper.server.auth.IPAuthenticationProvider":       "ip",
	"org.apache.zookeeper.server.auth.SASLAuthenticationProvider":     "sasl",
	"org.apache.zookeeper.server.auth.X509AuthenticationProvider":     "x509",
	"org.apache.zookeeper.server.auth.EnsembleAuthenticationProvider": "ensemble",
}

func checkProvider(text string, _ bool) (value, error) {
	if providers[text] == "" {
		return value{}, fmt.Errorf("is refused: only ZooKeeper's own digest, ip, sasl, x509 and ensemble providers exist here, " +
			"and running without the named one would weaken security")
	}
	return value{}, nil
}

// digestAlgs are Java's names of the hashes that Go has too.
var digestAlgs = []string{
	"SHA1", "SHA-224", "SHA-256", "SHA-384", "SHA-512", "SHA-512/224", "SHA-512/256",
	"SHA3-224", "SHA3-256", "SHA3-384", "SHA3-512", "MD5",
}

// canonicalAlg returns Java's usual spelling, "" for an unknown hash.
func canonicalAlg(text string) string {
	upper := strings.ToUpper(text)
	if upper == "SHA" || upper == "SHA-1" {
		return "SHA1"
	}
	if slices.Contains(digestAlgs, upper) {
		return upper
	}
	return ""
}

func checkDigestAlg(text string, _ bool) (value, error) {
	if canonicalAlg(text) == "" {
		return value{}, errForm
	}
	return value{}, nil
}

// setAuth collects the enabled schemes and checks what is enforced.
func (l *loader) setAuth() {
	schemes := map[string]bool{"ip": true, "digest": l.cfg.DigestAuthEnabled}
	if l.cfg.SecureClientAddr != "" {
		schemes["x509"] = true // ZooKeeper registers it with the port
	}
	for _, s := range l.family("authProvider.*") {
		if scheme := providers[s.text]; scheme != "" && (scheme != "digest" || l.cfg.DigestAuthEnabled) {
			schemes[scheme] = true
		}
	}
	for scheme, on := range schemes {
		if on {
			l.cfg.AuthProviders = append(l.cfg.AuthProviders, scheme)
		}
	}
	slices.Sort(l.cfg.AuthProviders)
	slices.Sort(l.cfg.SuperUsers)
	l.setEnforcedSchemes()
}

func (l *loader) setEnforcedSchemes() {
	enabled, named := l.get("enforce.auth.enabled"), l.get("enforce.auth.schemes")
	if enabled == nil || !strings.EqualFold(enabled.text, "true") {
		if named != nil {
			l.note(named.at, "enforce.auth.schemes has no effect without enforce.auth.enabled=true")
		}
		return
	}
	if named == nil || len(splitList(named.text)) == 0 {
		l.fail(enabled.at, "enforce.auth.enabled=true needs enforce.auth.schemes")
		return
	}
	for _, scheme := range splitList(named.text) {
		scheme = strings.ToLower(scheme)
		if !l.cfg.HasAuthProvider(scheme) {
			l.fail(named.at, "enforce.auth.schemes names %s, for which no authentication provider is enabled", named.part(scheme))
		}
		l.cfg.EnforceAuthSchemes = append(l.cfg.EnforceAuthSchemes, scheme)
	}
}
