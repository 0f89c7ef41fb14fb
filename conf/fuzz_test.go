package conf

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
)

// FuzzLoad feeds all inputs of a Load at once. Whatever they are, the result is
// a Config that holds its promises or an *Error, the same each time, and what
// stands in the place of a secret is never shown.
func FuzzLoad(f *testing.F) {
	example, err := os.ReadFile("zoo.cfg.example")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(example), "", "1", "")
	f.Add(threeServers, "", "2\n", "-Djute.maxbuffer=0x10 -Dzookeeper.snapCount=#f -Xmx5 -Dzookeeper.foo")
	f.Add(base+"dynamicConfigFile=dyn.1f", "server.1=[::1]:1:2|b:3:4:observer;5;6\ngroup.1=1\nweight.1=1\nversion=3", " 1 ", "")
	f.Add(base+"secureClientPort=1\nssl.ciphersuites=a,b\nssl.keyStore.location=x.jks\nforceSync=no\nskipACL=yes\nautopurge.purgeInterval=3d", "", "", "")
	f.Add(base+"minSessionTimeout=9\nmaxSessionTimeout=8\nenforce.auth.enabled=true\nenforce.auth.schemes=sasl", "", "", "-D -D= -Dzookeeper.=")
	f.Fuzz(func(t *testing.T, cfgText, dynamic, myid, flags string) {
		const secret = "QzXsEcReTvB"
		files := map[string]string{
			"zoo.cfg":  cfgText + "\nDigestAuthenticationProvider.superDigest=" + secret + "\n",
			"dyn.1f":   dynamic,
			"/d/myid":  myid,
			"./d/myid": myid,
		}
		run := func(gaps []gap) (*Config, *Report, error) {
			l := testLoader(gaps, files)
			l.addFile("zoo.cfg")
			l.addProperties(ParseFlags(flags, "FLAGS"))
			return l.finish()
		}
		cfg, report, err := run(notYet)
		checkOutcome(t, cfg, report, err)
		if all := fmt.Sprintf("%s %v", report, err); strings.Contains(all, secret) {
			t.Fatalf("the secret shows:\n%s", all)
		}
		cfg2, report2, err2 := run(notYet)
		if !reflect.DeepEqual(cfg, cfg2) || report.String() != report2.String() || fmt.Sprint(err) != fmt.Sprint(err2) {
			t.Fatalf("two runs differ:\n%s\n%s", report, report2)
		}
		checkOutcome(run2(t, run))
	})
}

// FuzzEnviron has a configuration by variables and by files for a shell: one
// variable a line.
func FuzzEnviron(f *testing.F) {
	f.Add(strings.Join(officialThree, "\n"), "JVMFLAGS=\"$JVMFLAGS -Djute.maxbuffer=5\"", "")
	f.Add("ZOO_CFG_EXTRA=tickTime=5 secureClientPort=1\nZOO_DATA_DIR=d\nZOO_SERVERS=server.1=0.0.0.0:1:2;3", "if x; then A=1\nfi", "")
	f.Add("ZOOKEEPER_SERVERS=a:1:2;b:3:4\nZOOKEEPER_SERVER_ID=1\nKAFKA_OPTS=-Dx=y -Dzookeeper.skipACL=yes", "A='x\nB=${A:-$B}", base)
	f.Fuzz(func(t *testing.T, variables, shell, cfgText string) {
		const secret = "QzXsEcReTvB"
		environ := append(Environ(strings.Split(variables, "\n")), "SERVER_JVMFLAGS=-Dzookeeper.DigestAuthenticationProvider.superDigest="+secret)
		files, path := map[string]string{"/conf/java.env": shell}, ""
		if cfgText != "" {
			path = "/conf/zoo.cfg"
			files[path] = cfgText
		}
		cfg, report, err := loadIn(environ, path, files)
		checkOutcome(t, cfg, report, err)
		if all := fmt.Sprintf("%s %v", report, err); strings.Contains(all, secret) {
			t.Fatalf("the secret shows:\n%s", all)
		}
		set, skipped := parseShell([]byte(shell), func(string) string { return "v" })
		size := 0
		for _, a := range set {
			size += len(a.value)
			if !variableName(a.name) || len(a.value) > longestValue || a.line < 1 {
				t.Fatalf("%+v", a)
			}
		}
		if len(set)+len(skipped) > len(shell) {
			t.Fatalf("%d commands of %d bytes", len(set)+len(skipped), len(shell))
		}
	})
}

// run2 runs without the gate, where the code for ensembles and TLS goes on.
func run2(t *testing.T, run func([]gap) (*Config, *Report, error)) (*testing.T, *Config, *Report, error) {
	cfg, report, err := run(nil)
	return t, cfg, report, err
}

func checkOutcome(t *testing.T, cfg *Config, report *Report, err error) {
	t.Helper()
	if err != nil {
		var confErr *Error
		if !errors.As(err, &confErr) || cfg != nil || len(confErr.Problems) != report.Count(Failure) || len(confErr.Problems) == 0 {
			t.Fatalf("config %v with %T %v", cfg, err, err)
		}
		for _, p := range confErr.Problems {
			if strings.ContainsAny(p.String(), "\n\r") || len(p.Text) > 2000 {
				t.Fatalf("unprintable problem %q", p)
			}
		}
		return
	}
	switch {
	case report.Count(Failure) > 0:
		t.Fatalf("failures without an error:\n%s", report)
	case cfg.TickTime <= 0 || cfg.MinSessionTimeout <= 0 || cfg.MinSessionTimeout > cfg.MaxSessionTimeout:
		t.Fatalf("times %v, %v, %v", cfg.TickTime, cfg.MinSessionTimeout, cfg.MaxSessionTimeout)
	case cfg.DataDir == "" || cfg.DataLogDir == "" || cfg.LogStore == "":
		t.Fatalf("directories %q, %q, store %q", cfg.DataDir, cfg.DataLogDir, cfg.LogStore)
	case cfg.SnapCount < 2 || cfg.SnapRetainCount < 3 || cfg.JuteMaxBuffer < 1 || cfg.PurgeInterval < 0 || cfg.ContainerMaxNeverUsed < 0:
		t.Fatalf("limits: %+v", cfg)
	case cfg.ServerID < 0 || cfg.ServerID > 255 || len(cfg.Servers) > 0 && cfg.Self() == nil:
		t.Fatalf("id %d among %v", cfg.ServerID, cfg.Servers)
	case !cfg.FourLetterWords.Allowed("srvr"):
		t.Fatal("srvr is not allowed")
	}
	for _, s := range cfg.Servers {
		again, err := ParseServer(fmt.Sprintf("server.%d", s.ID), s.String())
		if err != nil || !reflect.DeepEqual(again, s) {
			t.Fatalf("%s reads back as %+v, %v", s, again, err)
		}
	}
}
