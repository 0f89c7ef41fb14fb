package suite

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zkd/test/realzk"
	"zkd/test/zkdserver"
)

// Launcher writes an executable script that runs the server under test in the foreground, called as
//
//	script zoo.cfg [-Dkey=value …]
//
// The own test suites of clients start their servers themselves, many of them; such a script stands in for
// ZooKeeper's. It keeps the server on the loopback interface, whatever the configuration leaves open, and lets it
// end with the suite, also when that is killed.
func Launcher(t testing.TB, dir, name string) string {
	t.Helper()
	var run string
	if minor, ok := strings.CutPrefix(Against(), "zookeeper-"); ok {
		dist, err := realzk.FindVersion(minor)
		if err != nil {
			t.Fatal(err)
		}
		run = quoted(dist.Java) + ` -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1` +
			` -Dzookeeper.jmx.log4j.disable=true -Dfile.encoding=UTF-8 "$@" -cp ` + quoted(strings.Join(dist.Jars, ":")) +
			` org.apache.zookeeper.server.quorum.QuorumPeerMain "$config"`
	} else {
		bin, err := zkdserver.Build()
		if err != nil {
			t.Fatal(err)
		}
		run = quoted(bin) + ` server --config "$config" "$@"`
	}
	script := `#!/bin/sh
config=$1
shift
grep -q '^clientPortAddress=' "$config" || echo 'clientPortAddress=127.0.0.1' >>"$config"
if command -v setpriv >/dev/null 2>&1; then with='setpriv --pdeathsig KILL'; else with=; fi
exec $with ` + run + "\n"
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return file
}

func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
