package gozk

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zkd/test/clients/suite"
)

// ensemble are the tests of go-zookeeper that start three servers.
const ensemble = "starts three servers; belongs to the ensemble suite"

// skipped are go-zookeeper's tests that are not run, each with the reason.
var skipped = map[string]string{
	"TestIntegration_BasicCluster":             ensemble,
	"TestIntegration_ClientClusterFailover":    ensemble,
	"TestIntegration_NoQuorum":                 ensemble,
	"TestIntegration_RecurringReAuthHang":      ensemble,
	"TestIntegration_DNSHostProviderReconnect": ensemble,
	"TestIntegration_IncrementalReconfig":      ensemble,
	"TestIntegration_Reconfig":                 ensemble,
}

// TestOwn runs go-zookeeper's own tests from the module cache. They start ZooKeeper by a zkServer.sh in
// ZOOKEEPER_BIN_PATH, so a script of that name which starts our server is all they need.
func TestOwn(t *testing.T) {
	suite.Need(t, "gozk")
	dir := t.TempDir()
	bin := ownTests(t, dir)
	launcher := suite.Launcher(t, dir, "launch")
	// start-foreground zoo.cfg, with -D properties in the environment
	script := "#!/bin/sh\nexec '" + launcher + "' \"$2\" $SERVER_JVMFLAGS\n"
	if err := os.WriteFile(filepath.Join(dir, "zkServer.sh"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}

	names := make([]string, 0, len(skipped))
	for name := range skipped {
		names = append(names, name)
	}
	slices.Sort(names)
	runTests(t, dir, bin, []string{"ZOOKEEPER_BIN_PATH=" + dir}, "-test.skip=^("+strings.Join(names, "|")+")$")
	for _, name := range names {
		t.Run(name, func(t *testing.T) { t.Skip(skipped[name]) })
	}
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
	if suite.Against() != "zkd" {
		believeMode(t, source)
	}
	return build(t, source, dir)
}

// believeMode lets the tests find a recent ZooKeeper healthy: they ask with srvr, in whose answer go-zookeeper cannot
// read the date that releases since 3.6 print. zkd prints it in the older form.
func believeMode(t *testing.T, source string) {
	const file, call, instead = "server_help_test.go", "FLWSrvr(serverAddrs, time.Second)", "allServe(serverAddrs)"
	b, err := os.ReadFile(filepath.Join(source, file))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(b, []byte(call)) {
		t.Fatalf("%s does not say %s any more", file, call)
	}
	b = bytes.Replace(b, []byte(call), []byte(instead), 1)
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
	if err := os.WriteFile(filepath.Join(source, file), b, 0o644); err != nil {
		t.Fatal(err)
	}
}
