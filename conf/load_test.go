package conf

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"
)

// testLoader reads from files instead of the disk.
func testLoader(gaps []gap, files map[string]string) *loader {
	return newLoader(func(path string) ([]byte, error) {
		text, ok := files[path]
		if text == unreadable {
			return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrPermission}
		}
		if ok {
			return []byte(text), nil
		}
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}, gaps)
}

// unreadable is the text of a file that testLoader cannot read.
const unreadable = "unreadable"

// base is what most tests need to be valid.
const base = "dataDir=/d\nclientPort=2181\n"

const threeServers = base + "initLimit=5\nsyncLimit=2\nserver.1=a:2888:3888\nserver.2=b:2888:3888\nserver.3=c:2888:3888\n"

// wantText checks that text is found in one finding of the level.
func wantText(t *testing.T, r *Report, level Level, text string) {
	t.Helper()
	for _, f := range r.Findings {
		if f.Level == level && strings.Contains(f.String(), text) {
			return
		}
	}
	t.Errorf("no %s with %q in:\n%s", level, text, r)
}

// TestBadConfig is the table of bad configurations. Multi-server rows run
// without the gate of notYet, which has its own test.
func TestBadConfig(t *testing.T) {
	tests := []struct {
		name, text string
		files      map[string]string
		want       string // in the error; each line of it must be found
	}{
		{name: "no dataDir", text: "clientPort=2181", want: "zoo.cfg: dataDir is not set"},
		{name: "empty file", text: "", want: "dataDir is not set\nno client port is set"},
		{name: "tickTime 0", text: base + "tickTime=0", want: "zoo.cfg:3: tickTime must be at least 1, not 0"},
		{name: "tickTime negative", text: base + "tickTime=-5", want: "zoo.cfg:3: tickTime must be at least 1, not -5"},
		{name: "tickTime text", text: base + "tickTime=abc", want: "zoo.cfg:3: tickTime=abc must be a whole number from 1 to 2147483647 milliseconds"},
		{name: "clientPort empty", text: "dataDir=/d\nclientPort=", want: "zoo.cfg:2: clientPort has no value; it must be a whole number from 0 to 65535"},
		{name: "clientPort with comment", text: "dataDir=/d\nclientPort=2181 # x", want: "zoo.cfg:2: clientPort=2181 # x: zoo.cfg has no comments after a value"},
		{name: "dataDir with comment", text: "clientPort=2181\ndataDir=/d # x", want: "zoo.cfg:2: dataDir=/d # x: zoo.cfg has no comments"},
		{name: "clientPort too large", text: "dataDir=/d\nclientPort=65536", want: "zoo.cfg:2: clientPort must be at most 65535, not 65536"},
		{name: "own keys are plain decimals", text: base + "tickTime=0x10", want: "zoo.cfg:3: tickTime=0x10 must be"},
		{name: "address without port", text: "dataDir=/d\nclientPortAddress=h", want: "zoo.cfg:2: clientPortAddress is set but clientPort is not set"},
		{name: "secure address without port", text: base + "secureClientPortAddress=h", want: "zoo.cfg:3: secureClientPortAddress is set but secureClientPort is not set"},
		{name: "min over max", text: base + "minSessionTimeout=5\nmaxSessionTimeout=4", want: "zoo.cfg:3: minSessionTimeout must not be larger than maxSessionTimeout"},
		{name: "max below the default min", text: base + "tickTime=2000\nmaxSessionTimeout=3999", want: "zoo.cfg:4: minSessionTimeout must not be larger than maxSessionTimeout"},
		{name: "max 0", text: base + "maxSessionTimeout=0", want: "zoo.cfg:3: maxSessionTimeout must be at least 1"},
		{name: "standaloneEnabled yes", text: base + "standaloneEnabled=yes", want: "zoo.cfg:3: Invalid option yes for standaloneEnabled. Choose 'true' or 'false.'"},
		{name: "own key is checked", text: base + "localSessionsEnabled=1", want: "zoo.cfg:3: Invalid option 1 for localSessionsEnabled."},
		{name: "electionAlg", text: base + "electionAlg=1", want: "zoo.cfg:3: electionAlg=1 is refused: Invalid electionAlg value. Only 3 is supported."},
		{name: "peerType", text: base + "peerType=x", want: "zoo.cfg:3: peerType=x has no known role: Unrecognised peertype: x"},
		{name: "no limits", text: strings.ReplaceAll(threeServers, "Limit", "Limits"), files: map[string]string{"/d/myid": "1"},
			want: "initLimit is not set\nsyncLimit is not set"},
		{name: "limits 0", text: threeServers + "standaloneEnabled=false", files: map[string]string{"/d/myid": "4"}, want: "/d/myid: My id 4 not in the peer list"},
		{name: "no myid", text: threeServers, want: "myid file is missing: /d/myid"},
		{name: "no myid, and client ports in the lines alone", text: "dataDir=/d\ninitLimit=5\nsyncLimit=2\nserver.1=a:2888:3888;2181\nserver.2=b:2888:3888;2181\n",
			want: "myid file is missing: /d/myid"},
		{name: "myid not in the list", text: threeServers, files: map[string]string{"/d/myid": "9"}, want: "/d/myid: My id 9 not in the peer list"},
		{name: "myid text", text: base, files: map[string]string{"/d/myid": "one"}, want: "/d/myid:1: serverid one is not a number"},
		{name: "myid empty", text: base, files: map[string]string{"/d/myid": "\n1"}, want: "/d/myid:1: the file is empty"},
		{name: "myid -1", text: base, files: map[string]string{"/d/myid": "-1"}, want: "/d/myid:1: serverid -1 is not allowed"},
		{name: "myid 256", text: base, files: map[string]string{"/d/myid": "256"}, want: "/d/myid:1: serverid 256 is not allowed"},
		{name: "myid 255 with TTL nodes", text: base, files: map[string]string{"/d/myid": "255"}, want: "/d/myid:1: serverid 255: 255 is not possible"},
		{name: "server twice", text: threeServers + "server.1=z:1:2", files: map[string]string{"/d/myid": "1"},
			want: "zoo.cfg:8: server.1 is set twice, here and at zoo.cfg:5"},
		{name: "server twice with another role", text: threeServers + "server.1=a:2888:3888:observer", files: map[string]string{"/d/myid": "1"},
			want: "zoo.cfg:8: server.1 is set twice"},
		{name: "server.01", text: threeServers + "server.01=z:1:2", files: map[string]string{"/d/myid": "1"}, want: "zoo.cfg:8: server.1 is set twice, here and at zoo.cfg:5"},
		{name: "no client port", text: "dataDir=/d", want: "zoo.cfg: no client port is set: clientPort=2181 is the usual one"},
		{name: "two servers on one address", text: threeServers + "server.4=A:3888:4000", files: map[string]string{"/d/myid": "1"},
			want: "zoo.cfg:8: server.4 and server.1 (zoo.cfg:5) both use A:3888"},
		{name: "server without port", text: base + "server.1=h:2888", want: "zoo.cfg:3: server.1=h:2888 does not have the form server_config or server_config;client_config"},
		{name: "server with a bad port", text: base + "server.1=h:abc:3888", want: "zoo.cfg:3: server.1=h:abc:3888 has the bad port abc"},
		{name: "server with equal ports", text: base + "server.1=h:2888:2888", want: "zoo.cfg:3: server.1=h:2888:2888 uses port 2888 twice"},
		{name: "server.x", text: base + "server.x=h:1:2", want: "zoo.cfg:3: server.x=h:1:2 names no server: x is not a number"},
		{name: "server not in a group", text: threeServers + "group.1=1:2", files: map[string]string{"/d/myid": "1"},
			want: "zoo.cfg:8: group.1=1:2: Server 3 is not in a group"},
		{name: "server in two groups", text: threeServers + "group.1=1:2\ngroup.2=2:3", files: map[string]string{"/d/myid": "1"},
			want: "zoo.cfg:9: group.2=2:3: Server 2 is in multiple groups"},
		{name: "two groups", text: threeServers + "group.1=1:2\ngroup.2=3", files: map[string]string{"/d/myid": "1"}, want: "zoo.cfg:9: group.2 makes a second group"},
		{name: "weight 0", text: threeServers + "weight.3=0", files: map[string]string{"/d/myid": "1"}, want: "zoo.cfg:8: weight.3=0 is refused: make the server an observer"},
		{name: "unequal weights", text: threeServers + "weight.3=2", files: map[string]string{"/d/myid": "1"}, want: "zoo.cfg:8: weight.3=2 is refused where the other voters have 1"},
		{name: "the odd weight is named", text: threeServers + "weight.1=10\nweight.2=1\nweight.3=1", files: map[string]string{"/d/myid": "1"},
			want: "zoo.cfg:8: weight.1=10 is refused where the other voters have 1: raft gives every voter one vote; make the weights equal, or start with one vote each by zkd.ignoreWeights=true"},
		{name: "no weight is 1", text: threeServers + "weight.1=2\nweight.2=2", files: map[string]string{"/d/myid": "1"},
			want: "zoo.cfg:7: server.3 without a weight, which is 1 is refused where the other voters have 2"},
		{name: "two groups with a key for weights", text: threeServers + "zkd.ignoreWeights=true\ngroup.1=1:2\ngroup.2=3", files: map[string]string{"/d/myid": "1"},
			want: "zoo.cfg:10: group.2 makes a second group"},
		{name: "weight 0 with a key for weights", text: threeServers + "zkd.ignoreWeights=true\nweight.3=0", files: map[string]string{"/d/myid": "1"},
			want: "zoo.cfg:9: weight.3=0 is refused"},
		{name: "group of no numbers", text: threeServers + "group.1=1:x:3", files: map[string]string{"/d/myid": "1"}, want: "zoo.cfg:8: group.1=1:x:3: x is not a number"},
		{name: "group without dot", text: threeServers + "groups=1:2:3", files: map[string]string{"/d/myid": "1"}, want: "zoo.cfg:8: groups is no key; a group is written"},
		{name: "weight without dot", text: threeServers + "weights=1", files: map[string]string{"/d/myid": "1"}, want: "zoo.cfg:8: weights is no key; a weight is written"},
		{name: "weight of no number", text: threeServers + "weight.1=x", files: map[string]string{"/d/myid": "1"}, want: "zoo.cfg:8: weight.1=x must be a whole number"},
		{name: "hash", text: base + "DigestAuthenticationProvider.digestAlg=SHA256", want: "zoo.cfg:3: DigestAuthenticationProvider.digestAlg=SHA256 must be a hash: SHA1, "},
		{name: "compression", text: base + "snapshot.compression.method=zip", want: "zoo.cfg:3: snapshot.compression.method=zip must be gz, snappy or empty"},
		{name: "purge interval too long", text: base + "autopurge.purgeInterval=36501d", want: "zoo.cfg:3: autopurge.purgeInterval must be at most 100 years, not 36501d"},
		{name: "client part of a bare IPv6", text: base + "server.1=a:1:2;::1:5", want: "zoo.cfg:3: server.1=a:1:2;::1:5 has no valid host name"},
		{name: "dynamic file that cannot be read", text: base + "dynamicConfigFile=/c/dir", files: map[string]string{"/c/dir": unreadable},
			want: "zoo.cfg:3: dynamicConfigFile: error processing /c/dir: permission denied"},
		{name: "value that swallowed a secret", text: base + "dataLogDir=/x\\\nssl.keyStore.password=p", want: "zoo.cfg:3: the value of dataLogDir has swallowed the next line"},
		{name: "oracle", text: base + "oraclePath=/o", want: "zoo.cfg:3: oraclePath=/o is refused"},
		{name: "only observers", text: base + "server.1=a:1:2:observer", want: "zoo.cfg:3: Observers w/o participants is an invalid configuration"},
		{name: "no participants", text: base + "standaloneEnabled=false", want: "standaloneEnabled = false then number of participants should be >0"},
		{name: "secure port without key store", text: base + "secureClientPort=2281", want: "zoo.cfg:3: secureClientPort opens a TLS port, which needs a certificate"},
		{name: "sslQuorum without key store", text: base + "sslQuorum=true", want: "zoo.cfg:3: sslQuorum=true needs a certificate"},
		{name: "metrics class", text: base + "metricsProvider.className=com.x.Y", want: "zoo.cfg:3: metricsProvider.className=com.x.Y is refused: metrics provider class was not found"},
		{name: "no dynamic file", text: base + "dynamicConfigFile=/c/x.dynamic", want: "zoo.cfg:3: dynamicConfigFile: error processing /c/x.dynamic: file is missing"},
		{name: "bad version in the dynamic file", text: base + "dynamicConfigFile=/c/x", files: map[string]string{"/c/x": "server.1=a:1:2\nversion=x"},
			want: "/c/x:2: version=x is not a hexadecimal number"},
		{name: "other key in the dynamic file", text: base + "dynamicConfigFile=/c/x", files: map[string]string{"/c/x": "tickTime=1"},
			want: "/c/x:1: Unrecognised parameter: tickTime"},
		{name: "servers in both files", text: base + "server.1=a:1:2\ndynamicConfigFile=/c/x", files: map[string]string{"/c/x": "server.1=a:1:2"},
			want: "zoo.cfg:3: parameter: server.1 must be in a separate dynamic config file"},
		{name: "client ports disagree", text: base + "server.1=a:1:2;2182",
			want: "zoo.cfg:2: clientPort says that clients of this server connect to :2181, and the line of this server (zoo.cfg:3) says 0.0.0.0:2182; leave clientPort out, or make them equal"},
		{name: "client hosts disagree", text: base + "clientPortAddress=10.0.0.1\nserver.1=a:1:2;2181", want: "zoo.cfg:2: clientPort says that clients of this server connect to 10.0.0.1:2181, and the line of this server (zoo.cfg:4) says 0.0.0.0:2181"},
		{name: "unknown provider", text: base + "authProvider.1=com.x.Auth", want: "zoo.cfg:3: authProvider.1=com.x.Auth is refused"},
		{name: "enforce without schemes", text: base + "enforce.auth.enabled=true", want: "zoo.cfg:3: enforce.auth.enabled=true needs enforce.auth.schemes"},
		{name: "enforce without provider", text: base + "enforce.auth.enabled=true\nenforce.auth.schemes=digest,sasl", want: "zoo.cfg:4: enforce.auth.schemes names sasl"},
		{name: "SASL between servers", text: base + "quorum.auth.enableSasl=true", want: "zoo.cfg:3: quorum.auth.enableSasl=true is refused: zkd has no SASL between servers; they prove a shared secret instead: zkd.quorum.secretFile=FILE"},
		{name: "SASL between servers, all of it", text: base + "quorum.auth.enableSasl=true\nquorum.auth.learnerRequireSasl=true\nquorum.auth.serverRequireSasl=true",
			want: "zoo.cfg:3: quorum.auth.enableSasl (line 3), quorum.auth.learnerRequireSasl (line 4), quorum.auth.serverRequireSasl (line 5) are refused: zkd has no SASL"},
		{name: "myid of PowerShell", text: base, files: map[string]string{"/d/myid": "\xff\xfe1\x00\r\x00\n\x00"}, want: "/d/myid:1: the file is UTF-16 text, as its byte order mark says"},
		{name: "zoo.cfg of PowerShell", text: "\xff\xfed\x00", want: "zoo.cfg:1: the file is UTF-16 text, as its byte order mark says"},
		{name: "duplicate with effect", text: base + "skipACL=no\nskipACL=yes", want: "zoo.cfg:4: skipACL is set twice, here and at zoo.cfg:3"},
		{name: "revocation", text: base + "ssl.crl=true", want: "zoo.cfg:3: ssl.crl=true is refused"},
		{name: "old TLS", text: base + "ssl.enabledProtocols=TLSv1.2,TLSv1", want: "zoo.cfg:3: ssl.enabledProtocols=TLSv1.2,TLSv1 must be a list of TLSv1.2, TLSv1.3"},
		{name: "unknown suite", text: base + "ssl.ciphersuites=TLS_X", want: "zoo.cfg:3: ssl.ciphersuites=TLS_X names TLS_X, which zkd does not have"},
		{name: "insecure suite", text: base + "ssl.ciphersuites=TLS_RSA_WITH_RC4_128_SHA", want: "insecure"},
		{name: "BCFKS", text: base + "ssl.keyStore.location=/k.bcfks", want: "zoo.cfg:3: ssl.keyStore.location=/k.bcfks: BCFKS stores cannot be read"},
		{name: "store of no type", text: base + "ssl.keyStore.location=/k", want: "zoo.cfg:3: ssl.keyStore.location=/k: the type of the store"},
		{name: "log store", text: base + "zkd.logStore=rocks", want: "zoo.cfg:3: zkd.logStore=rocks must be one of wal, bolt"},
		{name: "duplicate", text: base + "tickTime=1\nzookeeper.tickTime=2", want: "zoo.cfg:4: tickTime is set twice, here and at zoo.cfg:3"},
		{name: "malformed escape", text: base + `dataLogDir=C:\users`, want: "zoo.cfg:3: malformed \\u escape"},
		{name: "purge interval", text: base + "autopurge.purgeInterval=24x", want: "zoo.cfg:3: autopurge.purgeInterval=24x must be a number of hours"},
		{name: "all errors at once", text: "tickTime=a\nclientPort=b\nsnapCount=c",
			want: "zoo.cfg:1: tickTime=a\nzoo.cfg:2: clientPort=b\nzoo.cfg:3: snapCount=c\nzoo.cfg: dataDir is not set"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			files := map[string]string{"zoo.cfg": tt.text}
			for k, v := range tt.files {
				files[k] = v
			}
			l := testLoader(nil, files)
			l.addFile("zoo.cfg")
			cfg, _, err := l.finish()
			var confErr *Error
			if !errors.As(err, &confErr) || cfg != nil {
				t.Fatalf("got %v, %v; want a *Error", cfg, err)
			}
			if confErr.ExitCode() != 2 {
				t.Errorf("exit code %d", confErr.ExitCode())
			}
			rest := err.Error()
			for want := range strings.SplitSeq(tt.want, "\n") {
				i := strings.Index(rest, want)
				if i < 0 {
					t.Fatalf("error %q lacks %q, or has it too early", err, want)
				}
				rest = rest[i:]
			}
			if n := 1 + strings.Count(tt.want, "\n"); len(confErr.Problems) != n {
				t.Errorf("%d problems, want %d: %v", len(confErr.Problems), n, err)
			}
		})
	}
}

// TestGoodConfig has what must start, with what it means and what is said.
func TestGoodConfig(t *testing.T) {
	id := func(n string) map[string]string { return map[string]string{"/d/myid": n} }
	clientAddr := func(want string) func(*Config) bool { return func(c *Config) bool { return c.ClientAddr == want } }
	tests := []struct {
		name, text string
		files      map[string]string
		props      []Property
		ok         func(*Config) bool
		notice     string // each line must be found
		warning    string
	}{
		{name: "ZooKeeper's sample", text: "tickTime=2000\ninitLimit=10\nsyncLimit=5\ndataDir=/tmp/zookeeper\nclientPort=2181\n#maxClientCnxns=60\n",
			ok: func(c *Config) bool {
				return c.TickTime == 2*time.Second && c.InitLimit == 10 && c.ClientAddr == ":2181" && c.ServerID == 1 && c.MinSessionTimeout == 4*time.Second
			}},
		{name: "CRLF and blanks", text: "tickTime=2000  \r\ndataDir=/d \t\r\nclientPort=2181 \r\n", ok: clientAddr(":2181")},
		{name: "no tickTime", text: base, ok: func(c *Config) bool { return c.TickTime == 3*time.Second && c.MaxSessionTimeout == time.Minute }},
		{name: "client port in the server line", text: "dataDir=/d\nserver.1=localhost:2888:3888;2181",
			ok: func(c *Config) bool { return c.ClientAddr == ":2181" && c.ServerID == 1 }, notice: "only one server specified"},
		{name: "client port in the server line, with myid", text: "dataDir=/d\nserver.1=localhost:2888:3888;2181", files: id("1\n"), ok: clientAddr(":2181"),
			notice: "only one server specified"},
		{name: "lone server 5", text: "dataDir=/d\nserver.5=localhost:2888:3888;127.0.0.1:2181",
			ok: func(c *Config) bool { return c.ClientAddr == "127.0.0.1:2181" && c.ServerID == 5 && c.Self().ID == 5 }, notice: "only one server specified"},
		{name: "three servers", text: threeServers, files: id("2"),
			ok: func(c *Config) bool {
				return c.ServerID == 2 && len(c.Servers) == 3 && c.Self().Addrs[0].Host == "b" && c.ClientAddr == ":2181"
			}},
		{name: "equal client ports", text: base + "server.1=a:1:2;2181", ok: clientAddr(":2181"), notice: "only one server specified"},
		{name: "narrower address in the line", text: base + "server.1=a:1:2;10.0.0.1:2181", ok: clientAddr("10.0.0.1:2181"), notice: "only one server specified"},
		{name: "dynamic file that zkd has written, with another client port",
			text:  "dataDir=/d\nclientPort=2181\ninitLimit=5\nsyncLimit=2\nstandaloneEnabled=false\ndynamicConfigFile=/c/zoo.cfg.dynamic.100000000",
			files: map[string]string{"/d/myid": "1", "/c/zoo.cfg.dynamic.100000000": "server.1=a:1:2:participant;0.0.0.0:2182\nversion=20000000a\n"},
			ok:    func(c *Config) bool { return c.ClientAddr == ":2182" && c.DynamicVersion == 0x20000000a }, warning: "which counts: 0.0.0.0:2182; remove the key"},
		{name: "dynamic file after reconfig",
			text: "dataDir=/d\ninitLimit=5\nsyncLimit=2\nreconfigEnabled=true\nstandaloneEnabled=false\ndynamicConfigFile=/c/zoo.cfg.dynamic.100000000",
			files: map[string]string{"/d/myid": "2", "/c/zoo.cfg.dynamic.100000000": "server.1=a:1:2:participant;0.0.0.0:2181\n" +
				"server.2=b:1:2:participant;0.0.0.0:2182\nserver.3=c:1:2:observer;0.0.0.0:2181", "zoo.cfg.dynamic.next": ""},
			ok: func(c *Config) bool {
				return c.ClientAddr == ":2182" && c.DynamicVersion == 0x100000000 && c.Servers[2].Observer && c.ReconfigEnabled
			}, warning: "No server failure will be tolerated. You need at least 3 servers.\nnever saw committed"},
		{name: "whitelist from the environment", text: base, props: ParseFlags("-Xmx1g -Dzookeeper.4lw.commands.whitelist=cons,* -Dcom.x=y", "SERVER_JVMFLAGS"),
			ok: func(c *Config) bool { return c.FourLetterWords.Allowed("wchp") }, notice: "SERVER_JVMFLAGS: without meaning for zkd: -Xmx1g com.x"},
		{name: "whitelist default", text: base, ok: func(c *Config) bool { return c.FourLetterWords.String() == "isro,mntr,ruok,srvr,stat" }},
		{name: "whitelist given", text: base + "4lw.commands.whitelist= ruok , ,conf,Stat", warning: "names Stat",
			ok: func(c *Config) bool {
				f := c.FourLetterWords
				return f.Allowed("srvr") && f.Allowed("conf") && f.Allowed("ruok") && !f.Allowed("mntr") && !f.Allowed("isro") && !f.Allowed("stat")
			}},
		{name: "whitelist empty", text: base + "4lw.commands.whitelist=", ok: func(c *Config) bool { return c.FourLetterWords.String() == "srvr" }},
		{name: "isro with read-only mode", text: base + "4lw.commands.whitelist=ruok\nreadonlymode.enabled=TRUE", notice: "zkd takes both",
			ok: func(c *Config) bool { return c.ReadOnlyMode && c.FourLetterWords.String() == "isro,ruok,srvr" }},
		{name: "prefix in the file", text: base + "zookeeper.snapCount=77", ok: func(c *Config) bool { return c.SnapCount == 77 },
			notice: "zoo.cfg:3: ZooKeeper ignores keys that begin with \"zookeeper.\" in zoo.cfg; write snapCount"},
		{name: "bare property in the file", text: base + "jute.maxbuffer=0x200000", ok: func(c *Config) bool { return c.JuteMaxBuffer == 2<<20 && c.JuteMaxBufferExtraSize == 2<<20 },
			notice: "zoo.cfg:3: ZooKeeper ignores jute.maxbuffer in zoo.cfg"},
		{name: "bare property as -D", text: base, props: ParseFlags("-Djute.maxbuffer=4194304 -Dreadonlymode.enabled=true -Dznode.container.checkIntervalMs=5", "JVMFLAGS"),
			ok: func(c *Config) bool {
				return c.JuteMaxBuffer == 4<<20 && c.ReadOnlyMode && c.ContainerCheckInterval == 5*time.Millisecond
			}},
		{name: "the file wins", text: base + "snapCount=7", props: ParseFlags("-Dzookeeper.snapCount=abc", "JVMFLAGS"), ok: func(c *Config) bool { return c.SnapCount == 7 }},
		{name: "the later -D wins", text: base, props: ParseFlags("-Dzookeeper.maxCnxns=1 -Dzookeeper.maxCnxns=2", "x"), ok: func(c *Config) bool { return c.MaxCnxns == 2 }},
		{name: "-D of an own key", text: base, props: ParseFlags("-Dzookeeper.tickTime=500", "x"), ok: func(c *Config) bool { return c.TickTime == 500*time.Millisecond },
			notice: "x: ZooKeeper reads tickTime only from zoo.cfg"},
		{name: "-D without prefix", text: base, props: ParseFlags("-DsnapCount=5", "x"), ok: func(c *Config) bool { return c.SnapCount == 100000 },
			warning: "x: -DsnapCount has no effect; the property is called zookeeper.snapCount"},
		{name: "direct -D without prefix", text: base, props: direct("snapCount=5"), ok: func(c *Config) bool { return c.SnapCount == 5 }},
		{name: "direct -D of what only zoo.cfg has in ZooKeeper", text: "clientPort=1\n", props: direct("dataDir=./here"),
			ok: func(c *Config) bool { return c.DataDir == "./here" }},
		{name: "direct -D that loses", text: base, props: direct("zookeeper.clientPort=5"), ok: func(c *Config) bool { return c.ClientAddr == ":2181" },
			warning: "-D: clientPort=5 has no effect: clientPort is set at zoo.cfg:2, which wins, as in ZooKeeper"},
		{name: "direct -D unknown", text: base, props: direct("snapCnt=5"), warning: "-D: unknown key snapCnt, ignored; the nearest known key is snapCount"},
		{name: "-D unknown", text: base, props: ParseFlags("-Dzookeeper.snapCnt=5", "x"), warning: "x: unknown key zookeeper.snapCnt, ignored; the nearest known key is snapCount"},
		{name: "-D of the start script", text: base, props: ParseFlags("-Dzookeeper.log.dir=/l -Dzookeeper.root.logger=INFO -Dzookeeper.server.principal=p", "x")},
		{name: "IPv6", text: "dataDir=/d\nclientPort=2181\nclientPortAddress=::1", ok: clientAddr("[::1]:2181")},
		{name: "IPv6 in brackets", text: "dataDir=/d\nclientPort=2181\nclientPortAddress=[2001:db8::1]", ok: clientAddr("[2001:db8::1]:2181")},
		{name: "purge by hours", text: base + "autopurge.purgeInterval=24", ok: func(c *Config) bool { return c.PurgeInterval == 24*time.Hour }},
		{name: "purge with a unit", text: base + "autopurge.purgeInterval=24h", ok: func(c *Config) bool { return c.PurgeInterval == 24*time.Hour }},
		{name: "purge in ms", text: base + "autopurge.purgeInterval=1500ms", ok: func(c *Config) bool { return c.PurgeInterval == 1500*time.Millisecond }},
		{name: "keys of old releases", text: base + "skipACL=no\ncnxTimeout=5000\nmaxClientCnxns=0\npreAllocSize=65536\nsyncEnabled=true\nleaderServes=yes",
			ok: func(c *Config) bool {
				return !c.SkipACL && c.MaxClientCnxns == 0 && c.LeaderServes && c.PeerDialTimeout == 5*time.Second
			},
			notice: "zoo.cfg:6: preAllocSize is ignored\nzoo.cfg:7: syncEnabled is ignored"},
		{name: "unknown key", text: base + "maxClientCnxs=5\nzookeeper.foo.bar=1", warning: "zoo.cfg:3: unknown key maxClientCnxs, ignored; the nearest known key is maxClientCnxns\nzoo.cfg:4: unknown key zookeeper.foo.bar, ignored"},
		{name: "dead name", text: base + "requestThrottleLimit=5", warning: "zoo.cfg:3: unknown key requestThrottleLimit, ignored; ZooKeeper's manual has it, but ZooKeeper reads request_throttle_max_requests"},
		{name: "duplicate with one value", text: base + "tickTime=2000\ntickTime: 2000", warning: "zoo.cfg:4: tickTime is also set at zoo.cfg:3, to the same value"},
		{name: "byte order mark", text: "\ufefftickTime=7\n" + base, ok: func(c *Config) bool { return c.TickTime == 7*time.Millisecond }, warning: "zoo.cfg:1: the file begins with a byte order mark"},
		{name: "byte order mark in myid", text: base, files: id("\ufeff1\r\n"), warning: "/d/myid:1: the byte order mark in front of the number", ok: func(c *Config) bool { return c.ServerID == 1 }},
		{name: "malformed value of an ignored key", text: base + "preAllocSize=64M # big", warning: "zoo.cfg:3: preAllocSize=64M # big is malformed, and ignored: zkd's log store"},
		{name: "everything twice", text: threeServers + strings.Replace(threeServers, "a:2888:3888", "a:2888:3888:participant", 1), files: id("1"),
			warning: "zoo.cfg:8: set again, to the same values: dataDir (line 8), clientPort (line 9), initLimit (line 10), syncLimit (line 11), server.1 (line 12), server.2 (line 13), server.3 (line 14)",
			ok:      func(c *Config) bool { return len(c.Servers) == 3 }},
		{name: "server.01 again", text: threeServers + "server.01=a:2888:3888", files: id("1"), warning: "zoo.cfg:8: server.1 is also set at zoo.cfg:5, to the same value",
			ok: func(c *Config) bool { return len(c.Servers) == 3 }},
		{name: "another value of a key without effect", text: base + "preAllocSize=1\npreAllocSize=2", notice: "zoo.cfg:4: preAllocSize is ignored",
			warning: "zoo.cfg:4: preAllocSize is set twice, here and at zoo.cfg:3, to different values; it has no effect in zkd"},
		{name: "forceSync no", text: base + "forceSync=no", warning: "zoo.cfg:3: forceSync=no has no effect: zkd syncs all the same", ok: func(c *Config) bool { return !c.UnsafeNoSync }},
		{name: "forceSync NO", text: base + "forceSync=NO\nzkd.unsafeNoSync=true", warning: "zoo.cfg:3: forceSync=NO is neither yes nor no, and taken as yes",
			notice: "no effect without forceSync=no", ok: func(c *Config) bool { return !c.UnsafeNoSync }},
		{name: "skipACL true", text: base + "skipACL=true", warning: "zoo.cfg:3: skipACL=true is not yes: permission checks stay on, as in ZooKeeper", ok: func(c *Config) bool { return !c.SkipACL }},
		{name: "leaderServes false", text: base + "leaderServes=false", warning: "zoo.cfg:3: leaderServes=false is neither yes nor no, and taken as yes",
			ok: func(c *Config) bool { return c.LeaderServes }},
		{name: "unequal weights, one vote each", text: threeServers + "group.1=1:2:3\nweight.1=10\nzkd.ignoreWeights=true", files: id("1"), warning: "zoo.cfg:9: weight.1=10 where the other voters have 1: by zkd.ignoreWeights=true each voter has one vote"},
		{name: "weight of an observer", text: threeServers + "server.4=d:1:2:observer\nweight.4=0", files: id("1"), notice: "a plain majority"},
		{name: "relative dataDir", text: "clientPort=1\ndataDir=data\ndataLogDir=./log", warning: "zoo.cfg:2: dataDir=data is relative\nzoo.cfg:3: dataLogDir=./log is relative"},
		{name: "path of Windows", text: "clientPort=1\ndataDir=D:/zk/data\ndataLogDir=C:\\zk\\log", warning: "zoo.cfg:2: dataDir=D:/zk/data looks like a path of Windows\nzoo.cfg:3: dataLogDir=C:zklog looks like a path of Windows"},
		{name: "myid with blanks", text: base, files: id(" 1 \r\n"), notice: "/d/myid:1: blanks around the number", ok: func(c *Config) bool { return c.ServerID == 1 }},
		{name: "myid 0", text: base, files: id("0"), warning: "/d/myid:1: serverid 0: ZooKeeper's manual", ok: func(c *Config) bool { return c.ServerID == 0 }},
		{name: "myid 255", text: base + "extendedTypesEnabled=false", files: id("255"), warning: "/d/myid:1: serverid 255: other tools", ok: func(c *Config) bool { return c.ServerID == 255 && !c.ExtendedTypesEnabled }},
		{name: "two voters", text: strings.Replace(threeServers, "server.3=c:2888:3888\n", "", 1), files: id("1"), warning: "zoo.cfg:6: No server failure will be tolerated."},
		{name: "four voters", text: threeServers + "server.4=d:1:2", files: id("1"), warning: "zoo.cfg:8: Non-optimal configuration, consider an odd number of servers."},
		{name: "a voter and an observer", text: base + "initLimit=1\nsyncLimit=1\nserver.1=a:1:2\nserver.2=b:1:2:observer", files: id("1"), warning: "zoo.cfg:6: Observers w/o quorum is an invalid configuration"},
		{name: "several addresses", text: threeServers + "server.4=d:1:2|e:1:2\nserver.5=f:1:2", files: id("4"), warning: "zoo.cfg:8: server.4 has several addresses",
			ok: func(c *Config) bool { return len(c.Self().Addrs) == 2 }},
		{name: "several addresses, asked for", text: threeServers + "multiAddress.enabled=true\nserver.4=d:1:2|e:1:2\nserver.5=f:1:2", files: id("4")},
		{name: "one group of equals", text: threeServers + "group.1=1:2:3\nweight.1=2\nweight.2=2\nweight.3=2", files: id("1"), notice: "a plain majority"},
		{name: "peerType disagrees", text: threeServers + "peerType=observer", files: id("1"), warning: "zoo.cfg:8: peerType=observer disagrees with server.1"},
		{name: "skipACL", text: base + "skipACL=yes", warning: "turns off every permission check", ok: func(c *Config) bool { return c.SkipACL }},
		{name: "fsync off", text: base + "forceSync=no\nzkd.unsafeNoSync=true", warning: "acknowledged writes are lost", ok: func(c *Config) bool { return c.UnsafeNoSync }},
		{name: "half of fsync off", text: base + "zkd.unsafeNoSync=true", notice: "no effect without forceSync=no", ok: func(c *Config) bool { return !c.UnsafeNoSync }},
		{name: "corrected numbers", text: base + "snapCount=1\nautopurge.snapRetainCount=1\nmaxCnxns=-1\nlargeRequestMaxBytes=0\nelectionPortBindRetry=-1",
			warning: "snapCount=1 is below the minimum, taken as 2\nzoo.cfg:4: autopurge.snapRetainCount=1\nmaxCnxns=-1 is negative",
			ok: func(c *Config) bool {
				return c.SnapCount == 2 && c.SnapRetainCount == 3 && c.MaxCnxns == 0 && c.LargeRequestMaxBytes == 104857600 && c.PeerBindRetries == 3
			}},
		{name: "snapSizeLimitInKb", text: base + "snapSizeLimitInKb=2", ok: func(c *Config) bool { return c.SnapSizeLimit == 2048 }},
		{name: "enforced schemes", text: base + "enforce.auth.enabled=true\nenforce.auth.schemes=Digest, ip", ok: func(c *Config) bool { return reflect.DeepEqual(c.EnforceAuthSchemes, []string{"digest", "ip"}) }},
		{name: "schemes not enforced", text: base + "enforce.auth.schemes=sasl", notice: "no effect without enforce.auth.enabled", ok: func(c *Config) bool { return c.EnforceAuthSchemes == nil }},
		{name: "ensemble provider", text: base + "authProvider.1=org.apache.zookeeper.server.auth.EnsembleAuthenticationProvider\nensembleAuthName=blue",
			ok: func(c *Config) bool { return c.HasAuthProvider("ensemble") && c.EnsembleAuthName == "blue" }},
		{name: "digest off", text: base + "DigestAuthenticationProvider.enabled=false\nDigestAuthenticationProvider.digestAlg=sha-256",
			ok: func(c *Config) bool {
				return !c.HasAuthProvider("digest") && !c.DigestAuthEnabled && c.DigestAlg == "SHA-256"
			}},
		{name: "digest off, named", text: base + "DigestAuthenticationProvider.enabled=false\nauthProvider.1=org.apache.zookeeper.server.auth.DigestAuthenticationProvider",
			ok: func(c *Config) bool { return !c.HasAuthProvider("digest") }},
		{name: "equal client hosts", text: base + "clientPortAddress=H\nserver.1=a:1:2;h:2181", ok: clientAddr("h:2181"), notice: "only one server specified"},
		{name: "super digest", text: base + "DigestAuthenticationProvider.superDigest=super:x", ok: func(c *Config) bool { return c.SuperDigest.Reveal() == "super:x" }},
		{name: "TLS", text: base + "secureClientPort=2281\nssl.keyStore.location=/k.P12\nssl.keyStore.password=p\nssl.clientAuth=want\nssl.ciphersuites=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\nssl.quorum.protocol=TLSv1.3",
			ok: func(c *Config) bool {
				return c.SecureClientAddr == ":2281" && c.SecureClient.KeyStore.Type == "PKCS12" && c.SecureClient.KeyStore.Password.Reveal() == "p" &&
					c.SecureClient.ClientAuth == "want" && c.HasAuthProvider("x509") && c.Quorum.Protocol == "TLSv1.3" && c.SecureClient.Protocol == "TLSv1.2"
			}},
		{name: "admin", text: base + "admin.serverPort=9\nadmin.serverAddress=127.0.0.1", ok: func(c *Config) bool { return c.Admin.Addr == "127.0.0.1:9" }},
		{name: "a path ZooKeeper would not expand", text: "clientPort=1\ndataDir=~/zk", warning: "zoo.cfg:2: dataDir=~/zk is taken literally"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			files := map[string]string{"zoo.cfg": tt.text}
			for k, v := range tt.files {
				files[k] = v
			}
			l := testLoader(nil, files)
			l.addFile("zoo.cfg")
			l.addProperties(tt.props)
			cfg, report, err := l.finish()
			if err != nil {
				t.Fatal(err)
			}
			if tt.ok != nil && !tt.ok(cfg) {
				t.Errorf("wrong result: %+v", cfg)
			}
			for level, want := range map[Level]string{Notice: tt.notice, Warning: tt.warning} {
				if want == "" {
					if n := report.Count(level); n > 0 {
						t.Errorf("%d findings of level %s, want none:\n%s", n, level, report)
					}
					continue
				}
				for text := range strings.SplitSeq(want, "\n") {
					wantText(t, report, level, text)
				}
			}
		})
	}
}

// TestEveryKeyArrives sets each key that is bound to a field to something else
// than its default, and finds the Config changed.
func TestEveryKeyArrives(t *testing.T) {
	// A key that needs others gets them, in the plain Config as well.
	needs := map[string]string{
		"standaloneEnabled": "server.1=a:1:2\ninitLimit=1\nsyncLimit=1\n",
		"sslQuorum":         "ssl.quorum.keyStore.location=k.pem\n",
	}
	load := func(text string) *Config {
		l := testLoader(nil, map[string]string{"zoo.cfg": base + text, "/d/myid": "1", "k.pem": "server.1=a:1:2"})
		l.addFile("zoo.cfg")
		cfg, _, _ := l.finish()
		if cfg != nil {
			cfg.Text = Secret{}
		}
		return cfg
	}
	values := []string{"7", "70000", "true", "false", "yes", "no", "k.pem", "bolt", "file", "gz", "MD5", "24h", "TLSv1.3", "TLSv1.2", "PKCS12", "none",
		"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "org.apache.zookeeper.metrics.impl.NullMetricsProvider"}
	for _, k := range Keys() {
		if k.bind == nil || k.Name == "dataDir" || strings.HasSuffix(k.Name, "ssl.authProvider") {
			continue // in base, and of one value only
		}
		plain, arrives := load(needs[k.Name]), false
		for _, v := range values {
			if k.Name == "zkd.unsafeNoSync" {
				v = "true\nforceSync=no"
			}
			cfg := load(needs[k.Name] + strings.TrimSuffix(k.Name, "*") + "=" + v)
			arrives = arrives || cfg != nil && !reflect.DeepEqual(cfg, plain)
		}
		if !arrives {
			t.Errorf("%s changes nothing, whatever its value", k.Name)
		}
	}
}

func TestReportAndSmallThings(t *testing.T) {
	l := testLoader(notYet, map[string]string{"zoo.cfg": base + "metricsProvider.ssl.other.password=hidden\n4lw.commands.whitelist=*\nskipACL=yes\nfoo=" +
		strings.Repeat("x", 200) + "\npeerType=" + strings.Repeat("y", 200) + "\nelectionAlg=3\ndataLogDir=a\\tb"})
	l.addFile("zoo.cfg")
	_, report, err := l.finish()
	var out strings.Builder
	if n, werr := report.WriteTo(&out); werr != nil || int(n) != out.Len() || out.String() != report.String() {
		t.Errorf("WriteTo: %d bytes, %v", n, werr)
	}
	for _, want := range []string{`metricsProvider.ssl.other.password  <redacted>`, `"a\tb"`, "error: zoo.cfg:7: peerType=" + strings.Repeat("y", showLimit) + "… has", "warning: zoo.cfg:5: skipACL"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("report lacks %q:\n%s", want, out.String())
		}
	}
	if err == nil || strings.Contains(out.String(), "hidden") {
		t.Errorf("error %v, report:\n%s", err, out.String())
	}
	if lines := strings.Split(strings.TrimSpace(out.String()), "\n"); !strings.HasPrefix(lines[len(lines)-1], "9 keys, ") || !strings.HasPrefix(lines[len(lines)-2], "error: ") {
		t.Errorf("the errors do not come last:\n%s", out.String())
	}
	if f := newFourLetterWords([]string{"*", "ruok"}); f.String() != "*" {
		t.Errorf("all words print as %s", f)
	}
	if got := (rangeError{"x"}).Error() + NewSecret("y").String(); got != "x"+redacted {
		t.Error(got)
	}
}

func TestDefault(t *testing.T) {
	cfg := Default()
	if cfg.ClientAddr != "127.0.0.1:2181" || cfg.DataDir != "./zkd-data" || cfg.DataLogDir != "" || cfg.TickTime != 2*time.Second ||
		cfg.File != "" || cfg.ServerID != 1 || cfg.LogStore != "wal" || !cfg.ExtendedTypesEnabled || cfg.JuteMaxBuffer != 0xfffff {
		t.Errorf("unexpected default: %+v", cfg)
	}
	t.Chdir(t.TempDir())
	same, report, err := Load("", nil)
	if full, e := cfg.Complete(); err != nil || e != nil || !reflect.DeepEqual(same, full) || len(report.Findings) > 0 {
		t.Errorf("Load without a file: %+v, %v\n%s", same, err, report)
	}
	over, _, err := Load("", ParseFlags("-Dzookeeper.tickTime=100 -Dzookeeper.clientPort=3000", "command line"))
	if err != nil || over.TickTime != 100*time.Millisecond || over.MinSessionTimeout != 200*time.Millisecond || over.ClientAddr != "127.0.0.1:3000" {
		t.Errorf("properties over the default: %+v, %v", over, err)
	}
}

func TestLoadFromDisk(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "zoo.cfg")
	_, report, err := Load(path, nil)
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path+" file is missing") || report == nil {
		t.Errorf("missing file: %v", err)
	}
	if _, _, err := Load(dir, nil); err == nil || !strings.Contains(err.Error(), dir+" cannot be read") {
		t.Errorf("directory: %v", err)
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("zoo.cfg", "dataDir="+dir+"\nclientPort=0x1\nclientPort=5\n")
	write("myid", "3\n")
	_, _, err = Load(path, nil)
	if want := path + ":2: clientPort=0x1"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v lacks %s", err, want)
	}
	write("zoo.cfg", "dataDir="+dir+"\nclientPort=5\n")
	cfg, _, err := Load(path, nil)
	if err != nil || cfg.ServerID != 3 || cfg.File != path || !strings.HasPrefix(cfg.Text.Reveal(), "dataDir=") {
		t.Errorf("%+v, %v", cfg, err)
	}
	write("zoo.cfg", strings.Repeat("#", fileLimit+1))
	if _, _, err := Load(path, nil); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("huge file: %v", err)
	}
}

func TestLoadArgs(t *testing.T) {
	dir := t.TempDir()
	cfg, _, err := LoadArgs([]string{"2182", dir}, nil)
	if err != nil || cfg.ClientAddr != ":2182" || cfg.DataDir != dir || cfg.MaxClientCnxns != 0 || cfg.TickTime != 3*time.Second {
		t.Errorf("%+v, %v", cfg, err)
	}
	cfg, _, err = LoadArgs([]string{"2182", dir, "500", "9"}, ParseFlags("-Dzookeeper.tickTime=1", "x"))
	if err != nil || cfg.MaxClientCnxns != 9 || cfg.TickTime != 500*time.Millisecond {
		t.Errorf("%+v, %v", cfg, err)
	}
	if _, _, err := LoadArgs([]string{"x", dir}, nil); err == nil || !strings.Contains(err.Error(), "argument 1: clientPort=x must be") {
		t.Errorf("bad port: %v", err)
	}
	for _, args := range [][]string{nil, {"1"}, {"1", "2", "3", "4", "5"}} {
		if _, _, err := LoadArgs(args, nil); err == nil || !strings.Contains(err.Error(), "expected: clientPort dataDir") {
			t.Errorf("%q: %v", args, err)
		}
	}
}

// direct is a property given to zkd itself.
func direct(text string) []Property {
	p := ParseProperty(text, "-D")
	p.Direct = true
	return []Property{p}
}

// TestExample keeps the shipped file true: it loads without a word, and what it
// shows commented out are the defaults.
func TestExample(t *testing.T) {
	data, err := os.ReadFile("zoo.cfg.example")
	if err != nil {
		t.Fatal(err)
	}
	shipped := testLoader(notYet, map[string]string{"zoo.cfg.example": string(data)})
	shipped.addFile("zoo.cfg.example")
	cfg, report, err := shipped.finish()
	if err != nil || len(report.Findings) > 0 {
		t.Fatalf("%v\n%s", err, report)
	}
	var all, servers strings.Builder
	for line := range strings.Lines(string(data)) {
		if key, _, ok := strings.Cut(line, "="); ok && strings.HasPrefix(key, "#") && !strings.Contains(key, " ") {
			if strings.HasPrefix(key, "#server.") {
				servers.WriteString(line[1:])
				continue
			}
			if strings.Contains(key, "clientPortAddress") || strings.Contains(key, "superDigest") || strings.Contains(key, "secretFile") {
				continue // shown as examples, no defaults
			}
			line = line[1:]
		}
		all.WriteString(line)
	}
	l := testLoader(nil, map[string]string{"zoo.cfg.example": all.String()})
	l.addFile("zoo.cfg.example")
	full, _, err := l.finish()
	if err != nil {
		t.Fatal(err)
	}
	full.Text, cfg.Text = Secret{}, Secret{}
	if full.DataLogDir != "/var/lib/zkd" || !reflect.DeepEqual(full, cfg) {
		t.Errorf("the lines commented out are not the defaults:\n%+v\n%+v", full, cfg)
	}

	l = testLoader(notYet, map[string]string{"zoo.cfg.example": string(data) + servers.String(), "/var/lib/zkd/myid": "2\n"})
	l.addFile("zoo.cfg.example")
	switch one, _, err := l.finish(); {
	case err != nil:
		t.Error(err)
	case !one.EnsembleMode() || len(one.Servers) != 3:
		t.Errorf("the server lines make no ensemble: %+v", one.Servers)
	}
}

// A pipe that nobody writes to would keep the start waiting.
func TestDynamicFileIsNoPipe(t *testing.T) {
	dir := t.TempDir()
	config, pipe := filepath.Join(dir, "zoo.cfg"), filepath.Join(dir, "dynamic")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(config, []byte("dataDir="+dir+"\ndynamicConfigFile="+pipe+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Load(config, nil); err == nil || !strings.Contains(err.Error(), "zoo.cfg:2: dynamicConfigFile: error processing "+pipe+": it is not a regular file") {
		t.Errorf("loads with %v", err)
	}
}
