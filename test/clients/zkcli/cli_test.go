// Package zkcli runs zkCli, ZooKeeper's own command line, against a server: in sessions fed line by line, and in
// single shots where the exit code counts. What it expects are the words of ZooKeeper, as operators and scripts know them.
package zkcli

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zkd/test/clients/suite"
	"zkd/test/proc"
	"zkd/test/realzk"
)

func TestMain(m *testing.M) { suite.Main(m) }

// cli is zkCli of one release.
type cli struct {
	minor string
	argv  []string
}

// releases are the zkClis that are tested. 3.8 is Debian's, which comes without JLine: there the session is read
// plainly, while 3.9 shows a prompt and repeats what it reads.
var releases = []string{"3.8", "3.9"}

// each runs the test with every release, against a server of its own.
func each(t *testing.T, test func(t *testing.T, c *cli, s suite.Server)) {
	for _, minor := range releases {
		t.Run(minor, func(t *testing.T) {
			suite.Need(t, "zkcli-"+minor)
			test(t, newCLI(t, minor), suite.Start(t))
		})
	}
}

func newCLI(t *testing.T, minor string) *cli {
	t.Helper()
	dist, err := realzk.FindVersion(minor)
	if err != nil {
		t.Fatal(err)
	}
	jars := dist.Jars
	if minor != "3.8" {
		more, _ := filepath.Glob(suite.Cache("zkcli", "*.jar"))
		jars = append(jars[:len(jars):len(jars)], more...)
	}
	// Without this logback writes every packet between the answers.
	quiet := filepath.Join(t.TempDir(), "logback.xml")
	if err := os.WriteFile(quiet, []byte(`<configuration><root level="OFF"/></configuration>`), 0o644); err != nil {
		t.Fatal(err)
	}
	return &cli{minor: minor, argv: []string{dist.Java, "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-Dlogback.configurationFile=" + quiet, "-Dorg.slf4j.simpleLogger.defaultLogLevel=off",
		"-cp", strings.Join(jars, ":"), "org.apache.zookeeper.ZooKeeperMain"}}
}

// command is zkCli with the environment and the limits that every run has.
func (c *cli) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, c.argv[0], append(c.argv[1:len(c.argv):len(c.argv)], args...)...)
	cmd.SysProcAttr = proc.Child()
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// shot is a run of zkCli with a command in its arguments.
type shot struct {
	code        int
	out, errors string // what was said on stdout after "Connecting to", and on stderr
}

func (c *cli) shot(t *testing.T, input string, args ...string) shot {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := c.command(ctx, args...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return shot{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
}

// last is the last line of stdout: scripts take that one, as a watcher's lines may come before it.
func (s shot) last() string {
	lines := strings.Split(strings.TrimRight(s.out, "\n"), "\n")
	return lines[len(lines)-1]
}
