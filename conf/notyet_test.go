package conf

import (
	"strings"
	"testing"
)

// TestNotYet has a row for what each line of the gate is about. A feature that
// arrives turns its rows here red, together with its line there.
func TestNotYet(t *testing.T) {
	const refused = "is not supported by this release"
	const noted = "has no effect yet"
	const store = "ssl.keyStore.location=/k.pem\n"
	tests := []struct{ text, want string }{
		{store + "server.1=a:1:2;3;4\n", "zoo.cfg:3: ssl.keyStore.location (line 3), server.1 (line 4): TLS for clients " + refused},
		{store + "secureClientPort=2281", "zoo.cfg:3: ssl.keyStore.location (line 3), secureClientPort (line 4): TLS for clients " + refused},
		{store, "zoo.cfg:3: ssl.keyStore.location=/k.pem: TLS for clients " + refused},
		{"ssl.keyStore.password=x", "zoo.cfg:3: ssl.keyStore.password=<redacted>: TLS for clients " + refused},
		{"ssl.quorum.keyStore.location=/k.pem\nsslQuorum=true", "zoo.cfg:3: ssl.quorum.keyStore.location (line 3), sslQuorum (line 4): TLS between servers " + refused},
		{"ssl.quorum.clientAuth=need", "zoo.cfg:3: ssl.quorum.clientAuth=need: TLS between servers " + refused},
		{"portUnification=true", "zoo.cfg:3: portUnification=true: TLS between servers " + refused},
		{"sessionRequireClientSASLAuth=true", "zoo.cfg:3: sessionRequireClientSASLAuth=true: SASL " + refused},
		{"authProvider.1=org.apache.zookeeper.server.auth.SASLAuthenticationProvider", "SASL " + refused},
		{"authProvider.x=org.apache.zookeeper.server.auth.X509AuthenticationProvider", "x509 authentication " + refused},
		{"authProvider.1=org.apache.zookeeper.server.auth.SASLAuthenticationProvider\nenforce.auth.enabled=true\nenforce.auth.schemes=ip,sasl",
			"zoo.cfg:3: authProvider.1 (line 3), enforce.auth.schemes (line 5): SASL " + refused},
		{"authProvider.x=org.apache.zookeeper.server.auth.X509AuthenticationProvider\nenforce.auth.enabled=true\nenforce.auth.schemes=x509",
			"zoo.cfg:3: authProvider.x (line 3), enforce.auth.schemes (line 5): x509 authentication " + refused},
		{"X509AuthenticationProvider.superUser=CN=a", "zoo.cfg:3: X509AuthenticationProvider.superUser " + noted},
		{"client.portUnification=true", "zoo.cfg:3: client.portUnification " + noted},
		{"sslQuorumReloadCertFiles=true", "zoo.cfg:3: sslQuorumReloadCertFiles " + noted},
		{"admin.enableServer=true", "zoo.cfg:3: admin.enableServer " + noted},
		{"admin.serverPort=8081", "zoo.cfg:3: admin.serverPort " + noted},
		{"metricsProvider.httpPort=7000", "zoo.cfg:3: metricsProvider.httpPort " + noted},
		{"audit.enable=true", "zoo.cfg:3: audit.enable " + noted},
		{"sasl.serverconfig=Server", "zoo.cfg:3: sasl.serverconfig " + noted},
		{"localSessionsEnabled=true\nlocalSessionsUpgradingEnabled=true", ""},
		{"sslQuorum=false\nportUnification=false\nadmin.enableServer=false\naudit.enable=false\nsessionRequireClientSASLAuth=false", ""},
		{"enforce.auth.enabled=true\nenforce.auth.schemes=digest,ip\nserver.1=a:1:2", "only one server specified"},
	}
	for _, tt := range tests {
		l := testLoader(notYet, map[string]string{"zoo.cfg": base + tt.text, "/d/myid": "1"})
		l.addFile("zoo.cfg")
		_, report, err := l.finish()
		if wantErr := strings.Contains(tt.want, refused); (err != nil) != wantErr {
			t.Errorf("%q: error %v, want one: %v", tt.text, err, wantErr)
		}
		if !strings.Contains(report.String(), tt.want) {
			t.Errorf("%q: report lacks %q:\n%s", tt.text, tt.want, report)
		}
		if tt.want == "" && len(report.Findings) > 0 {
			t.Errorf("%q: unexpected findings:\n%s", tt.text, report)
		}
	}
}
