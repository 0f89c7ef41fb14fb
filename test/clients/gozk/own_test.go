package gozk

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"zkd/test/clients/suite"
)

// ofThree are go-zookeeper's tests that start three servers.
const ofThree = "^TestIntegration_(BasicCluster|ClientClusterFailover|NoQuorum|RecurringReAuthHang|" +
	"DNSHostProviderReconnect|IncrementalReconfig|Reconfig)$"

// TestOwn runs go-zookeeper's own tests from the module cache, but for those of ensembles.
func TestOwn(t *testing.T) { own(t, "-test.skip="+ofThree) }

// TestOwnEnsemble runs those.
func TestOwnEnsemble(t *testing.T) { own(t, "-test.run="+ofThree) }

// zkServer stands in for ZooKeeper's script of that name, which the tests call as
//
//	zkServer.sh start-foreground zoo.cfg
//
// with -D properties in the environment. The server that IncrementalReconfig adds comes without any server lines, so
// it is not even a part of the ensemble that is to take it in. zkd takes in only who is there and catches up (see
// docs/compatibility.md), so that server gets the lines it lacks: its own and those of the others.
const zkServer = `#!/bin/sh
config=$2
srv4=$(dirname "$config")
if [ "$(basename "$srv4")" = srv4 ] && ! grep -q '^server[.]' "$config"; then
	port=$(sed -n 's/^clientPort=//p' "$config")
	grep -h '^server[.]' "$srv4"/../../*/srv1/zoo.cfg >>"$config"
	echo "server.4=127.0.0.1:$((port + 1)):$((port + 2));127.0.0.1:$port" >>"$config"
fi
exec LAUNCHER "$config" $SERVER_JVMFLAGS
`

// own runs tests of go-zookeeper. They start ZooKeeper by a zkServer.sh in ZOOKEEPER_BIN_PATH, so a script of that
// name which starts our server is all they need.
func own(t *testing.T, which string) {
	suite.Need(t, "gozk")
	t.Parallel()
	dir := t.TempDir()
	bin := ownTests(t, dir)
	script := strings.Replace(zkServer, "LAUNCHER", "'"+suite.Launcher(t, dir, "launch")+"'", 1)
	if err := os.WriteFile(filepath.Join(dir, "zkServer.sh"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	// Without a version of 3.5 or later the tests of reconfig do not run.
	runTests(t, dir, bin, []string{"ZOOKEEPER_BIN_PATH=" + dir, "ZK_VERSION=3.9.5"}, which)
}

// ownTests builds the module's test binary. The module cache is read-only, and a module in it can only be built as
// a dependency; so its files are copied to where they are a main module.
func ownTests(t *testing.T, dir string) string {
	t.Helper()
	list := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/go-zookeeper/zk")
	list.Dir = "scripts"
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	source := filepath.Join(dir, "zk")
	if err := os.Mkdir(source, 0o755); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(strings.TrimSpace(string(out)), "*.go"))
	files = append(files, filepath.Join(strings.TrimSpace(string(out)), "go.mod"))
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(source, filepath.Base(f)), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	noticeTheLoss(t, source)
	if suite.Against() != "zkd" {
		believeMode(t, source)
	}
	return build(t, source, dir)
}

// noticeTheLoss lets a test that kills the server it is connected to, and writes at once, wait until the client has
// noticed; else the write is now and then sent into the dead connection.
func noticeTheLoss(t *testing.T, source string) {
	const place = "\t// Continue with the basic TestCreate tests.\n"
	replace(t, filepath.Join(source, "dnshostprovider_test.go"), place, place+
		"\tfor zk.Server() == currentServer && zk.State() == StateHasSession {\n\t\ttime.Sleep(time.Millisecond)\n\t}\n")
}

// replace changes one place in a file.
func replace(t *testing.T, file, old, instead string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(b, []byte(old)) {
		t.Fatalf("%s does not say %s any more", file, old)
	}
	if err := os.WriteFile(file, bytes.Replace(b, []byte(old), []byte(instead), 1), 0o644); err != nil {
		t.Fatal(err)
	}
}

// believeMode lets the tests find a recent ZooKeeper healthy: they ask with srvr, in whose answer go-zookeeper cannot
// read the date that releases since 3.6 print. zkd prints it in the older form.
func believeMode(t *testing.T, source string) {
	file := filepath.Join(source, "server_help_test.go")
	replace(t, file, "FLWSrvr(serverAddrs, time.Second)", "allServe(serverAddrs)")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	b = append(b, `
func allServe(servers []string) ([]*ServerStats, bool) {
	for _, s := range servers {
		if b, err := fourLetterWord(s, "srvr", time.Second); err != nil || !strings.Contains(string(b), "Mode: ") {
			return nil, false
		}
	}
	return nil, true
}
`...)
	if err := os.WriteFile(file, b, 0o644); err != nil {
		t.Fatal(err)
	}
}
