package c

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"zkd/test/clients/suite"
	"zkd/test/proc"
)

const (
	cliPath     = "/usr/lib/zookeeper/bin/cli_mt"
	loadGenPath = "/usr/lib/zookeeper/bin/load_gen"
)

// cli is a running cli_mt. It writes to stderr, but for data and a few lines on stdout; both go to one pipe, line by
// line by the help of stdbuf.
type cli struct {
	t   *testing.T
	in  io.WriteCloser
	cmd *exec.Cmd

	mu   sync.Mutex
	out  bytes.Buffer
	seen int // what earlier waits have taken
}

func startCLI(t *testing.T, args ...string) *cli {
	t.Helper()
	c := &cli{t: t, cmd: exec.Command("stdbuf", append([]string{"-oL", cliPath}, args...)...)}
	c.cmd.Stdout, c.cmd.Stderr = c, c
	c.cmd.SysProcAttr = proc.Child()
	c.cmd.WaitDelay = 5 * time.Second
	var err error
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if c.cmd.ProcessState == nil {
			c.cmd.Process.Kill()
			c.cmd.Wait()
		}
	})
	c.want(`Watcher SESSION_EVENT state = CONNECTED_STATE`)
	return c
}

func (c *cli) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.out.Write(b)
}

// want waits until what cli_mt says matches, after what earlier waits matched, and returns the groups.
func (c *cli) want(pattern string) []string {
	c.t.Helper()
	re := regexp.MustCompile(pattern)
	for end := time.Now().Add(suite.Patience); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		c.mu.Lock()
		rest := c.out.String()[c.seen:]
		m := re.FindStringSubmatch(rest)
		if m != nil {
			c.seen += re.FindStringIndex(rest)[1]
		}
		c.mu.Unlock()
		if m != nil {
			return m
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t.Fatalf("cli_mt never said %q; after what matched it said:\n%s", pattern, c.out.String()[c.seen:])
	return nil
}

// do gives a command and waits for an answer.
func (c *cli) do(line, pattern string) []string {
	c.t.Helper()
	c.send(line)
	return c.want(pattern)
}

func (c *cli) send(line string) {
	c.t.Helper()
	if _, err := io.WriteString(c.in, line+"\n"); err != nil {
		c.t.Fatal(err)
	}
}

// quit ends cli_mt, which closes its session.
func (c *cli) quit() {
	c.t.Helper()
	c.send("quit")
	if err := c.cmd.Wait(); err != nil {
		c.t.Fatalf("cli_mt ended with %v\n%s", err, c.out.String())
	}
}

// stat is what cli_mt prints of one, up to the version.
const stat = `Stat:\n\tctime = .* 20\d\d\n\tczxid=([0-9a-f]+)\n\tmtime=.* 20\d\d\n\tmzxid=([0-9a-f]+)\n\tversion=([0-9a-f]+)\taversion=([0-9a-f]+)\n\tephemeralOwner = ([0-9a-f]+)`

// TestCLI gives cli_mt each of its commands.
func TestCLI(t *testing.T) {
	suite.Need(t, "c")
	t.Parallel()
	server := suite.Start(t)
	c := startCLI(t, "-h", server.Addr())
	session := c.want(`Got a new session id: 0x([0-9a-f]+)`)[1]

	step := func(name string, test func(t *testing.T)) {
		t.Helper()
		if t.Failed() {
			return // cli_mt may be out of step
		}
		t.Run(name, func(t *testing.T) {
			outer := c.t
			c.t = t
			defer func() { c.t = outer }()
			test(t)
		})
	}
	step("help", func(t *testing.T) { c.do("help", `create2 (?s:.*)prefix the command with the character 'a'`) })
	step("myid", func(t *testing.T) { c.do("myid", `session Id = `+session+"\n") })
	step("create", func(t *testing.T) {
		c.do("create /a", `\[/a\]: rc = 0\n\tname = /a\n`)
		c.do("get /a", `/a: rc = 0\n value_len = 3\nnew\n`+stat) // its data is always "new"
		c.do("create /a", `\[/a\]: rc = -110\b`)
		c.do("create /no/parent", `\[/no/parent\]: rc = -101\b`)
		c.do("create /a/", `Error -8 for /a/`)
		c.do("create no-slash", `Path must start with /, found: no-slash`)
	})
	step("create with modes", func(t *testing.T) {
		c.do("create +e /a/e", `\(mode: 1\)\n(?s:.*)\[/a/e\]: rc = 0\n`)
		if owner := c.do("aget /a/e", `/a/e: rc = 0\n(?s:.*)`+stat)[5]; owner != session {
			t.Errorf("the ephemeral belongs to %s, want %s", owner, session)
		}
		c.do("create +s /a/s-", `\[/a/s-\]: rc = 0\n\tname = /a/s-0000000001\n`)
		c.do("create +es /a/es-", `\[/a/es-\]: rc = 0\n\tname = /a/es-0000000002\n`)
		c.do("create +c /a/c", `\(mode: 4\)\n(?s:.*)\[/a/c\]: rc = 0\n`)
		c.do("create +t=60000 /a/t", `\(mode: 5\)\n(?s:.*)\[/a/t\]: rc = 0\n`)
		c.do("create +st=60000 /a/st-", `\[/a/st-\]: rc = 0\n\tname = /a/st-0000000005\n`)
		c.do("create +t=0 /a/t0", `ttl value must be a positive integer`)
		c.do("create /a/e/child", `\[/a/e/child\]: rc = -108\b`)
	})
	step("create2", func(t *testing.T) {
		m := c.do("create2 /b", `\[/b\]: rc = 0\n\tname = /b\n(?s:.*?)czxid=([0-9a-f]+)\n(?s:.*?)mzxid=([0-9a-f]+)\n`)
		if m[1] != m[2] {
			t.Errorf("czxid %s, mzxid %s of a new znode", m[1], m[2])
		}
		c.do("create2 +s /b/", `\[/b/\]: rc = 0\n\tname = /b/0000000000\n`)
		c.do("create2 /b", `\[/b\]: rc = -110\b`)
	})
	step("set and get", func(t *testing.T) {
		if m := c.do("set /b hello", `/b: rc = 0 `+stat); m[3] != "1" || m[1] >= m[2] {
			t.Errorf("stat after set: %v", m)
		}
		c.do("get /b", `/b: rc = 0\n value_len = 5\nhello\n`+stat)
		c.do("set /none x", `/none: rc = -101\b`)
		c.do("get /none", `/none: rc = -101\b`)
		c.do("get none", `Path must start with /, found: none`)
	})
	step("ls and ls2", func(t *testing.T) {
		c.do("ls /b", `/b: rc = 0\n\t0000000000\ntime = `)
		c.do("ls2 /b", `/b: rc = 0\n\t0000000000\ntime = `)
		c.do("ls /none", `/none: rc = -101\b`)
		names := c.do("ls /", `/: rc = 0\n((?:\t\w+\n)+)time = `)[1]
		for _, n := range []string{"a", "b", "zookeeper"} {
			if !strings.Contains(names, "\t"+n+"\n") {
				t.Errorf("ls / shows %q, no %s", names, n)
			}
		}
	})
	step("sync", func(t *testing.T) { c.do("sync /b", `\[/b\]: rc = 0\n\tname = /b\n`) })
	step("exists and wexists watch", func(t *testing.T) {
		c.do("exists /new", `Error -101 for /new`)
		c.do("wexists /new2", `Error -101 for /new2`)
		c.do("create /new", `CREATED_EVENT state = CONNECTED_STATE for path /new\n`)
		c.do("create /new2", `CREATED_EVENT state = CONNECTED_STATE for path /new2\n`)
		c.send("exists /new")
		c.send("wexists /new2")
		c.do("set /new x", `CHANGED_EVENT state = CONNECTED_STATE for path /new\n`)
		c.do("delete /new2", `DELETED_EVENT state = CONNECTED_STATE for path /new2\n`)
	})
	step("delete", func(t *testing.T) {
		c.do("delete /new", `/new: rc = 0\n`)
		c.do("delete /new", `/new: rc = -101\b`)
		c.do("delete /a", `/a: rc = -111\b`)
	})
	step("asynchronous forms", func(t *testing.T) {
		c.do("acreate /async", `\[/async\]: rc = 0\n`)
		c.do("aset /async x", `/async: rc = 0 Stat:`)
		c.do("aget /async", `/async: rc = 0\n value_len = 1\nx\n`)
		c.do("als /async", `/async: rc = 0\ntime = `)
		c.do("als2 /async", `/async: rc = 0\ntime = `)
		c.do("async /async", `\[/async\]: rc = 0\n`)
		c.send("aexists /async") // which is not asynchronous, nor does it answer; but it watches
		c.do("adelete /async", `DELETED_EVENT state = CONNECTED_STATE for path /async\n`)
		c.do("awexists /async", `Error -101 for /async`)
	})
	step("od", func(t *testing.T) { // writes and reads /od until cli_mt ends; so it has one of its own
		od := startCLI(t, "-h", server.Addr())
		od.do("create /od", `\[/od\]: rc = 0\n`)
		od.do("od", `od command response: rc = 0 `+stat)
		od.want(`Data completion /od rc = 0`)
		od.cmd.Process.Kill()
		od.cmd.Wait()
	})
	step("addauth", func(t *testing.T) {
		c.send("addauth digest bob:builder") // says nothing when it works
		c.do("get /b", `/b: rc = 0\n value_len = 5\nhello\n`)
	})
	step("config", func(t *testing.T) { c.do("config", `/zookeeper/config: rc = 0\n`) })
	step("reconfig is refused", func(t *testing.T) {
		c.do("reconfig -add server.2=127.0.0.1:2:3;4", `rc = -123\b`)
		c.do("reconfig -remove 2", `rc = -123\b`)
	})
	step("verbose", func(t *testing.T) {
		c.do("verbose", `logging level set to DEBUG`)
		c.do("get /b", `hello\n`)
		c.do("verbose", `logging level set to WARN`)
		c.send("nosuch /a") // passed over
		c.do("myid", `session Id = `+session+"\n")
	})
	step("quit ends the session", func(t *testing.T) {
		c.quit()
		c = startCLI(t, "-h", server.Addr())
		c.do("ls /a", `/a: rc = 0\n((?:\t\S+\n)+)time = `)
		c.do("get /a/e", `/a/e: rc = -101\b`)
		c.quit()
	})
}

// TestCLISession looks at the file that cli_mt keeps its session in. Taking the session over from there is not
// possible: cli_mt compares fread's count of items with a count of bytes. The tests in api/ do take sessions over.
func TestCLISession(t *testing.T) {
	suite.Need(t, "c")
	t.Parallel()
	server := suite.Start(t)
	file := filepath.Join(t.TempDir(), "id")
	first := startCLI(t, "-h", server.Addr(), "-m", file)
	id := first.want(`Got a new session id: 0x([0-9a-f]+)`)[1]
	first.do("create +e /e", `\[/e\]: rc = 0\n`)
	suite.Await(t, "a file with the session's id and password", func() bool {
		b, _ := os.ReadFile(file)
		return len(b) == 24 && fmt.Sprintf("%x", binary.NativeEndian.Uint64(b)) == id
	})
	first.cmd.Process.Kill()
	first.cmd.Wait()

	// The session outlives its process.
	second := startCLI(t, "-h", server.Addr(), "-r") // would take a read-only server
	if m := second.do("aget /e", `/e: rc = 0\n(?s:.*)`+stat); m[5] != id {
		t.Errorf("/e belongs to %s, want %s", m[5], id)
	}
	second.quit()
}

// TestCLICommand runs single commands in the arguments of cli_mt.
func TestCLICommand(t *testing.T) {
	suite.Need(t, "c")
	t.Parallel()
	server := suite.Start(t)
	for _, step := range []struct{ command, want string }{
		{"create /one", `\[/one\]: rc = 0`},
		{"set /one data", `/one: rc = 0 Stat`},
		{"get /one", `/one: rc = 0\n value_len = 4\ndata\n`},
		{"ls /one", `/one: rc = 0\n`},
		{"delete /one", `/one: rc = 0\n`},
		{"get /one", `/one: rc = -101`},
	} {
		ctx, cancel := context.WithTimeout(context.Background(), suite.Patience)
		out, _ := exec.CommandContext(ctx, cliPath, "-h", server.Addr(), "-c", step.command).CombinedOutput()
		cancel()
		if !regexp.MustCompile(step.want).Match(out) {
			t.Fatalf("%s: got %s\nwant %s", step.command, out, step.want)
		}
	}
}

// TestLoadGen runs the client's load generator, which creates, writes, reads and deletes znodes round after round.
func TestLoadGen(t *testing.T) {
	suite.Need(t, "c")
	t.Parallel()
	server := suite.Start(t)
	c := startCLI(t, "-h", server.Addr())
	c.do("create /load", `\[/load\]: rc = 0`)
	ctx, cancel := context.WithTimeout(context.Background(), suite.Patience)
	defer cancel()
	load := exec.CommandContext(ctx, loadGenPath, server.Addr(), "/load", "100")
	load.SysProcAttr = proc.Child()
	pipe, err := load.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := load.Start(); err != nil {
		t.Fatal(err)
	}
	rounds := 0
	for lines := bufio.NewScanner(pipe); rounds < 5 && lines.Scan(); {
		if strings.Contains(lines.Text(), "ZOO_ERROR") {
			t.Error(lines.Text())
		}
		if strings.Contains(lines.Text(), "Starting the delete cycle for path /load") {
			rounds++
		}
	}
	load.Process.Kill()
	load.Wait()
	if rounds < 5 {
		t.Fatalf("load_gen did %d rounds", rounds)
	}
	if out, err := exec.CommandContext(ctx, loadGenPath, server.Addr(), "/load", "clean").CombinedOutput(); err != nil {
		t.Fatalf("load_gen clean: %v\n%s", err, out)
	}
	c.do("ls /load", `/load: rc = -101\b`) // cleaned away with its children
	c.quit()
}
