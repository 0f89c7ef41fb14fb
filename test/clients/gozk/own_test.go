package gozk

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"zkd/test/clients/suite"
)

// ofThree are go-zookeeper's tests that start three servers or more.
const ofThree = "^TestIntegration_(BasicCluster|ClientClusterFailover|NoQuorum|RecurringReAuthHang|" +
	"DNSHostProviderReconnect|IncrementalReconfig|Reconfig)$"

// TestOwn runs go-zookeeper's own tests from the module cache, but for those of ensembles.
func TestOwn(t *testing.T) { own(t, 40, 10000, "-test.skip="+ofThree) }

// TestOwnEnsemble runs those. In one of them an ensemble is to take in a server that runs alone and never comes.
func TestOwnEnsemble(t *testing.T) { own(t, 7, 20000, "-test.run="+ofThree) }

// zkServer stands in for ZooKeeper's script of that name, by which the tests start servers:
//
//	zkServer.sh start-foreground zoo.cfg
//
// with -D properties in the environment.
const zkServer = `#!/bin/sh
exec LAUNCHER "$2" $SERVER_JVMFLAGS
`

// own runs tests of go-zookeeper: so many, and none of them may skip itself. They take the 6000 ports from the given
// one on for theirs.
func own(t *testing.T, count, port int, which string) {
	suite.Need(t, "gozk")
	t.Parallel()
	dir := t.TempDir()
	bin := ownTests(t, dir, port)
	script := strings.Replace(zkServer, "LAUNCHER", "'"+suite.Launcher(t, dir, "launch")+"'", 1)
	if err := os.WriteFile(filepath.Join(dir, "zkServer.sh"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	// Without a version of 3.5 or later the tests of reconfig do not run.
	results := runTests(t, dir, bin, []string{"ZOOKEEPER_BIN_PATH=" + dir, "ZK_VERSION=3.9.5"}, which)
	if n := results.passed(); n != count {
		t.Errorf("%d of %d tests have run and passed", n, count)
	}
}

// ownTests builds the module's test binary. The module cache is read-only, and a module in it can only be built as
// a dependency; so its files are copied to where they are a main module.
func ownTests(t *testing.T, dir string, port int) string {
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
	for _, file := range []string{"server_help_test.go", "zk_test.go"} {
		replace(t, filepath.Join(source, file), "startPort := int(rand.Int31n(6000) + 10000)", fmt.Sprintf("startPort := int(rand.Int31n(6000) + %d)", port))
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
