package conf

import (
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
)

// tlsKeys: ssl.* for clients, ssl.quorum.* for peers and the admin server's
// HTTPS, and what belongs to both.
func tlsKeys() []Key {
	client := tlsFamily("ssl.", "false", func(c *Config) *TLS { return &c.SecureClient })
	quorum := tlsFamily("ssl.quorum.", "true", func(c *Config) *TLS { return &c.Quorum })
	return slices.Concat(client, quorum, []Key{
		{
			Name: "ssl.authProvider", Type: oneOf("x509"), Default: "x509", Stance: HonouredChanged,
			Reason: "x509 only", Doc: "scheme of certificate identities",
			bind: func(c *Config, v value) { c.SecureClient.AuthProvider = v.text },
		},
		{
			Name: "ssl.sslProvider", Type: anyText, Default: "JDK", Stance: Ignored,
			Reason: javaPart, Doc: "Java's TLS library",
		},
		{
			Name: "sslQuorum", Prop: own, Type: boolean, Default: "false", Stance: Honoured,
			Doc:  "TLS between servers",
			bind: func(c *Config, v value) { c.SSLQuorum = v.yes },
		},
		{
			Name: "portUnification", Prop: own, Type: boolean, Default: "false", Stance: Honoured,
			Doc:  "servers accept plain and TLS, for a rolling change",
			bind: func(c *Config, v value) { c.PortUnification = v.yes },
		},
		{
			Name: "client.portUnification", Type: boolean, Default: "false", Stance: Honoured,
			Doc:  "plain clients may use the TLS port",
			bind: func(c *Config, v value) { c.ClientPortUnified = v.yes },
		},
		{
			Name: "sslQuorumReloadCertFiles", Prop: own, Type: boolean, Default: "false", Stance: HonouredChanged,
			Reason: "zkd always reloads changed certificates", Doc: "reload certificates of servers",
		},
		{
			Name: "client.certReload", Type: boolean, Default: "false", Stance: HonouredChanged,
			Reason: "zkd always reloads changed certificates", Doc: "reload certificates for clients",
		},
		{
			Name: "fips-mode", Type: boolean, Stance: Ignored,
			Reason: "zkd accepts TLS 1.2 and newer and Go's own host name check; Go's FIPS module is chosen when zkd is built",
			Doc:    "restrict Java's TLS",
		},
	})
}

// tlsFamily makes the rows of one prefix; clientHosts is the default of
// clientHostnameVerification, the only one that differs.
func tlsFamily(prefix, clientHosts string, of func(*Config) *TLS) []Key {
	keys := slices.Concat(
		storeKeys(prefix+"keyStore.", func(c *Config) *Store { return &of(c).KeyStore }),
		storeKeys(prefix+"trustStore.", func(c *Config) *Store { return &of(c).TrustStore }),
		[]Key{
			{
				Name: prefix + "protocol", Type: tlsProtocol, Default: "TLSv1.2", Stance: HonouredChanged,
				Reason: "taken as the oldest version allowed", Doc: "TLS version",
				bind: func(c *Config, v value) { of(c).Protocol = v.text },
			},
			{
				Name: prefix + "enabledProtocols", Type: Type{"a list of TLSv1.2, TLSv1.3", checkProtocols}, Stance: Honoured,
				Doc:  "TLS versions",
				bind: func(c *Config, v value) { of(c).EnabledProtocols = v.list },
			},
			{
				Name: prefix + "ciphersuites", Type: Type{"a list of cipher suites", checkSuites}, Stance: HonouredChanged,
				Reason: "suites of TLS 1.3 cannot be chosen", Doc: "cipher suites by their Java names",
				bind: func(c *Config, v value) { of(c).CipherSuites = v.list },
			},
			{
				Name: prefix + "clientAuth", Type: Type{"none, want or need", checkClientAuth}, Default: "need", Stance: Honoured,
				Doc:  "whether clients show a certificate",
				bind: func(c *Config, v value) { of(c).ClientAuth = strings.ToLower(v.text) },
			},
			{
				Name: prefix + "hostnameVerification", Type: boolean, Default: "true", Stance: Honoured,
				Doc:  "check the host name in a server's certificate",
				bind: func(c *Config, v value) { of(c).HostnameVerification = v.yes },
			},
			{
				Name: prefix + "clientHostnameVerification", Type: boolean, Default: clientHosts, Stance: Honoured,
				Doc:  "check the host name in a client's certificate, if hostnameVerification is on",
				bind: func(c *Config, v value) { of(c).ClientHostnameVerification = v.yes },
			},
			{
				Name: prefix + "handshakeDetectionTimeoutMillis", Type: millis(1), Default: "5000", Stance: Honoured,
				Doc:  "wait for the first byte where plain and TLS share a port",
				bind: func(c *Config, v value) { of(c).HandshakeDetectionTimeout = v.d },
			},
			{
				Name: prefix + "context.supplier.class", Type: anyText, Stance: Refused,
				Reason: "zkd cannot run a Java class", Doc: "class that makes the TLS context",
				refuse: func(*Config, string) string { return "zkd cannot run a Java class" },
			},
			revocation(prefix + "crl"),
			revocation(prefix + "ocsp"),
		},
		ignore("zkd verifies names without asking DNS",
			Key{Name: prefix + "allowReverseDnsLookup", Type: boolean, Default: "false", Doc: "reverse lookup for verification"},
		),
	)
	return keys
}

func storeKeys(prefix string, of func(*Config) *Store) []Key {
	return []Key{
		{
			Name: prefix + "location", Type: nonEmpty, Stance: Honoured, Doc: "file: .pem, .p12 or .jks",
			bind: func(c *Config, v value) { of(c).Location = v.text },
		},
		{
			Name: prefix + "type", Type: Type{"PEM, PKCS12 or JKS", checkStoreType}, Stance: HonouredChanged,
			Reason: "BCFKS does not exist in Go", Doc: "type; by the file's suffix when absent",
			bind: func(c *Config, v value) { of(c).Type = strings.ToUpper(v.text) },
		},
		{
			Name: prefix + "password", Type: anyText, Stance: Honoured, secret: true, Doc: "password of the file",
			bind: func(c *Config, v value) { of(c).Password = NewSecret(v.text) },
		},
		{
			Name: prefix + "passwordPath", Type: nonEmpty, Stance: Honoured, Doc: "file with the password; wins over password",
			bind: func(c *Config, v value) { of(c).PasswordPath = v.text },
		},
	}
}

// resolveType fills in the type from the suffix, where none was given.
func (s *Store) resolveType() (reason string) {
	if s.Type != "" {
		return ""
	}
	for suffix, typ := range map[string]string{".pem": "PEM", ".p12": "PKCS12", ".jks": "JKS"} {
		if strings.HasSuffix(strings.ToLower(s.Location), suffix) {
			s.Type = typ
			return ""
		}
	}
	if strings.HasSuffix(strings.ToLower(s.Location), ".bcfks") {
		return "BCFKS stores cannot be read; convert it to PEM or PKCS12"
	}
	return "the type of the store cannot be told from its suffix; set the key ending in .type to PEM, PKCS12 or JKS"
}

func revocation(name string) Key {
	return Key{
		Name: name, Type: boolean, Default: "false", Stance: Honoured, Doc: "revocation checks; only false",
		refuse: unlessFalse("revocation checks are not implemented, and skipping them silently would be unsafe"),
	}
}

var tlsProtocol = Type{"TLSv1.2 or TLSv1.3", func(text string, _ bool) (value, error) {
	if text != "TLSv1.2" && text != "TLSv1.3" {
		return value{}, fmt.Errorf("must be TLSv1.2 or TLSv1.3; older versions are refused")
	}
	return value{}, nil
}}

func checkProtocols(text string, strict bool) (value, error) {
	items := splitList(text)
	for _, p := range items {
		if _, err := tlsProtocol.check(p, strict); err != nil {
			return value{}, fmt.Errorf("must be a list of TLSv1.2, TLSv1.3; older versions are refused")
		}
	}
	return value{list: items}, nil
}

// checkSuites knows the suites of Go, whose names are those of Java.
func checkSuites(text string, _ bool) (value, error) {
	items := splitList(text)
	for _, name := range items {
		named := func(s *tls.CipherSuite) bool { return s.Name == name }
		switch {
		case slices.ContainsFunc(tls.CipherSuites(), named):
		case slices.ContainsFunc(tls.InsecureCipherSuites(), named):
			return value{}, fmt.Errorf("names %s, which is insecure and refused", show(name))
		default:
			return value{}, fmt.Errorf("names %s, which zkd does not have", show(name))
		}
	}
	return value{list: items}, nil
}

func checkClientAuth(text string, _ bool) (value, error) {
	return oneOf("none", "want", "need").check(strings.ToLower(text), true)
}

func checkStoreType(text string, _ bool) (value, error) {
	return oneOf("PEM", "PKCS12", "JKS").check(strings.ToUpper(text), true)
}

// checkTLS settles the types of the stores and makes sure that a listener which
// needs a certificate has one: ZooKeeper starts without and then fails every
// handshake.
func (l *loader) checkTLS() {
	l.checkStore("ssl.keyStore.location", &l.cfg.SecureClient.KeyStore)
	l.checkStore("ssl.trustStore.location", &l.cfg.SecureClient.TrustStore)
	l.checkStore("ssl.quorum.keyStore.location", &l.cfg.Quorum.KeyStore)
	l.checkStore("ssl.quorum.trustStore.location", &l.cfg.Quorum.TrustStore)
	if s := l.secureSetting(); s != nil && !l.given("ssl.keyStore.location") {
		l.fail(s.at, "%s opens a TLS port, which needs a certificate: ssl.keyStore.location is not set", s.name)
	}
	if s := l.get("sslQuorum"); s != nil && l.cfg.SSLQuorum && !l.given("ssl.quorum.keyStore.location") {
		l.fail(s.at, "sslQuorum=true needs a certificate: ssl.quorum.keyStore.location is not set")
	}
}

func (l *loader) checkStore(name string, store *Store) {
	s := l.get(name)
	if s == nil {
		return
	}
	if reason := store.resolveType(); reason != "" {
		l.reject(s, "%s=%s: %s", name, show(s.text), reason)
	}
}
