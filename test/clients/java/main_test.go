// Package javaclients runs stock Java clients against a server: ZooKeeper's own, zkClient and Curator. The tests are
// JUnit's, in src/test/java, one package a client and one for ensembles; Maven runs them offline once install.sh has fetched what they need.
package javaclients

import (
	"bufio"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"zkd/test/clients/suite"
	"zkd/test/proc"
)

func TestMain(m *testing.M) { suite.Main(m) }

func TestZooKeeper(t *testing.T) { clientTests(t, "zookeeper") }
func TestZkClient(t *testing.T)  { clientTests(t, "zkclient") }
func TestCurator(t *testing.T)   { clientTests(t, "curator") }

// TestEnsemble runs the tests of three servers, through all of them: the leader is killed under work, and members
// come and go.
func TestEnsemble(t *testing.T) {
	ready(t)
	e := suite.StartEnsemble(t, "reconfigEnabled=true", "syncLimit=5")
	packageTests(t, "ensemble", "ensemble", e.Addr(), e.StartProxy(t).Control())
}

// The tests for one server are run with each of three, that is with the leader and both followers, one package on each;
// with CLIENTS_LONG=1 all packages on each.
func TestZooKeeperEnsemble(t *testing.T) { alone(t, "zookeeper", 1) }
func TestZkClientEnsemble(t *testing.T)  { alone(t, "zkclient", 2) }
func TestCuratorEnsemble(t *testing.T)   { alone(t, "curator", 3) }

// clientTests runs the JUnit tests of one package with a server of their own.
func clientTests(t *testing.T, name string) {
	ready(t)
	server := suite.Start(t)
	packageTests(t, name, name, server.Addr(), control(t, server), "-Dzk.blank="+suite.Start(t).Addr())
}

// alone runs the JUnit tests of one package with one of three servers. Nobody restarts that one.
func alone(t *testing.T, name string, id int) {
	ready(t)
	e := suite.StartEnsemble(t)
	for i, addr := range e.Addrs() {
		if i+1 == id || suite.Long() {
			packageTests(t, name, fmt.Sprintf("%s-%d", name, i+1), addr, "", "-Dzk.member=true")
		}
	}
}

// ready compiles the tests, once a run.
func ready(t *testing.T) {
	t.Helper()
	suite.Need(t, "java-clients")
	t.Parallel()
	if err := compiled(); err != nil {
		t.Fatal(err)
	}
}

// packageTests runs the JUnit tests of one package with the servers of a connect string.
func packageTests(t *testing.T, name, reports, addr, control string, more ...string) {
	t.Helper()
	only := os.Getenv("JAVA_ONLY")
	if only == "" {
		only = "*Test"
	}
	surefire(t, ".", reports, 4*time.Minute, append(more, "-Dtest=zkd."+name+"."+only, "-Dzk.address="+addr,
		"-Dzk.control="+control)...)
}

// compiled and ownCompiled compile what is in the two Maven projects, once a run.
var (
	compiled    = sync.OnceValue(func() error { return compile(".") })
	ownCompiled = sync.OnceValue(func() error { return compile("own") })
)

func compile(dir string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	if out, err := maven(ctx, dir, "-q", "test-compile"); err != nil {
		return fmt.Errorf("the Java tests in %s do not compile: %w\n%s", dir, err, out)
	}
	return nil
}

// maven runs Maven without a network and returns what it says.
func maven(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "mvn", append([]string{"-B", "-o", "-Dstyle.color=never"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "MAVEN_OPTS=-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx256m")
	// The tests run in a child of Maven's, so the whole group has to go.
	cmd.SysProcAttr = proc.Child()
	cmd.SysProcAttr.Setpgid = true
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	return cmd.CombinedOutput()
}

// closing are Surefire's lines that count.
var closing = regexp.MustCompile(`(?m)^(?:\[\w+\] )?(Tests run: .*)$`)

// surefire runs compiled tests, shows Surefire's counts and makes a subtest of each test in its reports.
func surefire(t *testing.T, dir, name string, limit time.Duration, args ...string) {
	t.Helper()
	reports := filepath.Join(dir, "target", "reports-"+name)
	if err := os.RemoveAll(reports); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	// A run that ends removes its folder of temporary files, also from under another one.
	out, err := maven(ctx, dir, append([]string{"surefire:test", "-Dsuite.name=" + name, "-DtempDir=surefire-" + name}, args...)...)
	cases, failed := readReports(t, reports)
	for _, c := range cases {
		c.report(t)
	}
	if counts := closing.FindAllSubmatch(out, -1); len(counts) > 0 {
		t.Logf("%s against %s: %s", name, suite.Against(), counts[len(counts)-1][1])
	}
	switch {
	case ctx.Err() != nil:
		t.Errorf("the tests are not done after %v\n%s", limit, out)
	case len(cases) == 0 || (err != nil && !failed):
		t.Errorf("Maven ended with %v after %d tests\n%s", err, len(cases), out)
	}
}

// testcase is a test in Surefire's XML.
type testcase struct {
	Name    string  `xml:"name,attr"`
	Class   string  `xml:"classname,attr"`
	Failure *string `xml:"failure"`
	Error   *string `xml:"error"`
	Skipped *struct {
		Message string `xml:"message,attr"`
	} `xml:"skipped"`
}

func (c testcase) report(t *testing.T) {
	class := c.Class[strings.LastIndexByte(c.Class, '.')+1:]
	t.Run(class+"."+strings.TrimSuffix(c.Name, "()"), func(t *testing.T) {
		switch {
		case c.Failure != nil:
			t.Error(*c.Failure)
		case c.Error != nil:
			t.Error(*c.Error)
		case c.Skipped != nil:
			t.Skip(c.Skipped.Message)
		}
	})
}

// readReports returns all tests in a folder of reports, and whether one of them failed.
func readReports(t *testing.T, dir string) (all []testcase, failed bool) {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(dir, "TEST-*.xml"))
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var report struct {
			Cases []testcase `xml:"testcase"`
		}
		if err := xml.Unmarshal(text, &report); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		for _, c := range report.Cases {
			failed = failed || c.Failure != nil || c.Error != nil
		}
		all = append(all, report.Cases...)
	}
	return all, failed
}

// control is an address where the tests order what only the server's starter can do: a line "restart" kills the server
// and starts it again, and is answered by "ok" once it serves.
func control(t *testing.T, server suite.Server) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			fmt.Fprintln(c, obey(t.Context(), server, c))
			c.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return l.Addr().String()
}

// obey reads an order, follows it and returns the answer.
func obey(ctx context.Context, server suite.Server, c net.Conn) string {
	c.SetDeadline(time.Now().Add(time.Minute))
	order, err := bufio.NewReader(c).ReadString('\n')
	if err == nil && order != "restart\n" {
		err = errors.New("no such order")
	}
	if err == nil {
		err = server.Restart(ctx)
	}
	if err != nil {
		return strings.ReplaceAll(err.Error(), "\n", " ")
	}
	return "ok"
}
