package operations

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"zkd/test/proc"
	"zkd/test/wire"
	"zkd/test/zkdserver"
)

// patience bounds every wait; it only matters when something fails.
const patience = 90 * time.Second

// site is where a test's machines are.
type site struct {
	t      *testing.T
	blocks map[string]string
	dir    string
	prefix string // of addresses, "127.a.b."
	all    []*machine
}

// machine is one host of the page, with a server or without.
type machine struct {
	*site
	n      int
	dir    string
	cmd    *exec.Cmd
	exited chan struct{}
}

func newSite(t *testing.T) *site {
	t.Helper()
	bin, err := zkdserver.Build()
	if err != nil {
		t.Fatal(err)
	}
	blocks, err := page()
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, blocks: blocks, dir: t.TempDir()}
	s.prefix = fmt.Sprintf("127.%d.%d.", 1+rand.IntN(254), rand.IntN(256))
	zkCli := os.Getenv("ZKCLI")
	if zkCli == "" {
		if zkCli, err = os.Executable(); err != nil {
			t.Fatal(err)
		}
	}
	s.must(os.Mkdir(s.path("bin"), 0o755))
	s.must(os.Symlink(bin, s.path("bin", "zkd")))
	s.must(os.Symlink(zkCli, s.path("bin", "zkCli.sh")))
	t.Cleanup(s.end)
	return s
}

func (s *site) path(elem ...string) string { return filepath.Join(append([]string{s.dir}, elem...)...) }

func (s *site) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// end kills what runs, and shows what it wrote if the test has failed.
func (s *site) end() {
	for _, m := range s.all {
		m.stop(syscall.SIGKILL)
		if s.t.Failed() {
			log := m.log()
			s.t.Logf("zk%d wrote at the end:\n%s", m.n, log[max(0, len(log)-4000):])
		}
	}
}

// machines makes the first n.
func (s *site) machines(n int) []*machine {
	for len(s.all) < n {
		s.machine(len(s.all) + 1)
	}
	return s.all[:n]
}

// machine makes zkN, which has an empty disk.
func (s *site) machine(n int) *machine {
	m := &machine{site: s, n: n, dir: s.path("zk" + strconv.Itoa(n))}
	s.must(os.MkdirAll(filepath.Join(m.dir, "etc"), 0o755))
	s.must(os.MkdirAll(m.data(), 0o755))
	s.all = append(s.all, m)
	return m
}

func (m *machine) data() string { return filepath.Join(m.dir, "data") }
func (m *machine) host() string { return m.prefix + strconv.Itoa(m.n) }

var (
	clientPort = regexp.MustCompile(`=zk(\d)(:[^;\s]*;)2181`)
	hostName   = regexp.MustCompile(`\bzk(\d)\b`)
)

// here is text of the page as it has to be for this machine. Client ports are those of one address, as all machines
// are one.
func (m *machine) here(text string) string {
	text = clientPort.ReplaceAllString(text, "=zk$1${2}zk$1:2181")
	text = hostName.ReplaceAllString(text, m.prefix+"$1")
	return strings.NewReplacer("/etc/zkd", filepath.Join(m.dir, "etc"), "/var/lib/zkd", m.data()).Replace(text)
}

// block is one of the page's.
func (m *machine) block(label string) string {
	m.t.Helper()
	text, ok := m.blocks[label]
	if !ok {
		m.t.Fatalf("docs/operations.md has no block %q", label)
	}
	tried.Store(label, true)
	return m.here(text)
}

// configure writes zoo.cfg.
func (m *machine) configure(lines ...string) {
	m.t.Helper()
	m.must(os.WriteFile(filepath.Join(m.dir, "etc", "zoo.cfg"), []byte(strings.Join(lines, "\n")+"\n"), 0o644))
}

// run runs a block's commands and returns what they write. The blocks are about
// server 1, or server 2; replace has what is to be in the place of what.
func (m *machine) run(label string, replace ...string) string {
	m.t.Helper()
	out, err := m.shell(strings.NewReplacer(replace...).Replace(m.block(label)))
	if err != nil {
		m.t.Fatalf("zk%d, %s: %v\n%s", m.n, label, err, out)
	}
	return out
}

func (m *machine) shell(script string) (string, error) {
	cmd := exec.Command("bash", "-eo", "pipefail", "-c", script)
	cmd.Dir = m.dir
	cmd.Env = append(os.Environ(), "PATH="+m.path("bin")+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// start starts the server as the page says.
func (m *machine) start() {
	m.t.Helper()
	out, err := os.OpenFile(filepath.Join(m.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	m.must(err)
	defer out.Close()
	cmd := exec.Command("bash", "-c", "exec "+m.block("start"))
	cmd.Dir, cmd.Stdout, cmd.Stderr = m.dir, out, out
	cmd.Env = append(os.Environ(), "PATH="+m.path("bin")+":"+os.Getenv("PATH"))
	cmd.SysProcAttr = proc.Child()
	m.must(cmd.Start())
	exited := make(chan struct{})
	go func() { _ = cmd.Wait(); close(exited) }()
	m.cmd, m.exited = cmd, exited
}

// stop ends the server with a signal, if it runs.
func (m *machine) stop(sig syscall.Signal) {
	m.t.Helper()
	if m.cmd == nil {
		return
	}
	_ = m.cmd.Process.Signal(sig)
	select {
	case <-m.exited:
	case <-time.After(patience):
		m.t.Errorf("zk%d does not end", m.n)
		_ = m.cmd.Process.Kill()
		<-m.exited
	}
	if code := m.cmd.ProcessState.ExitCode(); sig == syscall.SIGTERM && code != 0 {
		m.t.Errorf("zk%d was told to stop, and its exit code is %d", m.n, code)
	}
	m.cmd = nil
}

func (m *machine) log() string {
	b, _ := os.ReadFile(filepath.Join(m.dir, "log"))
	return string(b)
}

// await waits until a probe finds what it looks for.
func (m *machine) await(what string, probe func() (last string, ok bool)) {
	m.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		last, ok := probe()
		if ok {
			return
		}
		if time.Now().After(end) {
			m.t.Fatalf("zk%d: waited in vain for %s; it is\n%s", m.n, what, last)
		}
	}
}

// awaitStatus waits until the page's status command writes lines that match.
func (m *machine) awaitStatus(lines ...string) {
	m.t.Helper()
	m.await(strings.Join(lines, ", "), func() (string, bool) {
		out, err := m.shell(m.block("status"))
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			m.t.Fatal(err)
		}
		return out, !slices.ContainsFunc(lines, func(l string) bool { return !regexp.MustCompile("(?m)^" + m.here(l)).MatchString(out) })
	})
}

// awaitLog waits until the server has logged something.
func (m *machine) awaitLog(words string) {
	m.t.Helper()
	m.await(words, func() (string, bool) { l := m.log(); return l, strings.Contains(l, words) })
}

func (m *machine) words(word string) string {
	text, _ := wire.Words(m.host()+":2181", word, time.Second)
	return text
}

// awaitServing waits until clients are served.
func (m *machine) awaitServing() {
	m.t.Helper()
	m.await("service", func() (string, bool) { s := m.words("srvr"); return s, strings.Contains(s, "Mode: ") })
}

// client runs commands of zkCli at this machine's server.
func (m *machine) client(commands ...string) string {
	m.t.Helper()
	out, err := m.try(commands...)
	if err != nil {
		m.t.Fatalf("zk%d: %q: %v\n%s", m.n, commands, err, out)
	}
	return out
}

func (m *machine) try(commands ...string) (string, error) {
	return m.shell("zkCli.sh -server " + m.host() + ":2181 <<'END'\n" + strings.Join(commands, "\n") + "\nEND\n")
}

// has fails the test unless a server has a znode with that content.
func (m *machine) has(path, data string) {
	m.t.Helper()
	m.awaitServing()
	if out := m.client("sync "+path, "get "+path); !strings.Contains(out, data) {
		m.t.Errorf("zk%d has at %s:\n%s", m.n, path, out)
	}
}
