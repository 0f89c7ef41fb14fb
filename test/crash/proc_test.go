// Package crash starts the real zkd and ends it in every way there is: kill -9
// under load and in the middle of a snapshot, a full disk, damaged files, bad
// configurations. What was acknowledged must be there afterwards, once.
//
// ZKD_BIN names the binary to test; without it one is built.
package crash

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"zkd/test/ports"
	"zkd/test/proc"
	"zkd/test/quick"
	"zkd/test/wire"
)

// patience bounds every wait; it only matters when a test fails.
const patience = 30 * time.Second

var bin string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	quick.LeaveOut()
	if bin = os.Getenv("ZKD_BIN"); bin != "" || testing.Short() {
		bin, _ = filepath.Abs(bin)
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "zkd-crash-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	bin = filepath.Join(dir, "zkd")
	if out, err := exec.Command("go", "build", "-o", bin, "zkd/cmd/zkd").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build zkd/cmd/zkd: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// output collects what a process writes.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// process is a running zkd.
type process struct {
	t              *testing.T
	cmd            *exec.Cmd
	addr           string
	stdout, stderr output
	exited         chan struct{}
}

// launch starts zkd with these arguments in the folder dir. It is killed when
// the test ends, if it is still there.
func launch(t *testing.T, dir string, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(bin, args...), exited: make(chan struct{})}
	p.cmd.Dir = dir
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	p.cmd.SysProcAttr = proc.Child()
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = p.cmd.Wait(); close(p.exited) }()
	t.Cleanup(p.kill)
	return p
}

func (p *process) signal(sig os.Signal) { _ = p.cmd.Process.Signal(sig) }

func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	<-p.exited
}

// exit waits for the process to end by itself and returns its code.
func (p *process) exit() int {
	p.t.Helper()
	select {
	case <-p.exited:
	case <-time.After(patience):
		p.kill()
		p.t.Fatalf("still running; it wrote\n%s", p.stderr.String())
	}
	return p.cmd.ProcessState.ExitCode()
}

// terminate ends the process as an operator does.
func (p *process) terminate() int {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	return p.exit()
}

// message is what the process says at its end to the operator: the part of
// stderr that is no log.
func (p *process) message() string {
	var lines []string
	for line := range strings.Lines(p.stderr.String()) {
		if !strings.HasPrefix(line, "time=") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return strings.Join(lines, "\n")
}

// site is a server's configuration and data over many runs.
type site struct {
	t    *testing.T
	dir  string // holds zoo.cfg
	data string
	args []string // further arguments
	conf []string // further lines of zoo.cfg
}

func newSite(t *testing.T, args ...string) *site {
	dir := t.TempDir()
	return &site{t: t, dir: dir, data: filepath.Join(dir, "data"), args: args}
}

func freePort(t *testing.T) string { return strconv.Itoa(ports.For(t)) }

// start runs the server without waiting for it.
func (s *site) start() *process {
	s.t.Helper()
	port := freePort(s.t)
	lines := append([]string{
		"dataDir=" + s.data, "clientPortAddress=127.0.0.1", "clientPort=" + port, "admin.enableServer=false",
		"tickTime=100", "maxSessionTimeout=600000", "maxClientCnxns=0",
	}, s.conf...)
	file := filepath.Join(s.dir, "zoo.cfg")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		s.t.Fatal(err)
	}
	p := launch(s.t, s.dir, append([]string{"server", "--config", file}, s.args...)...)
	p.addr = "127.0.0.1:" + port
	return p
}

// up runs the server and waits until it serves.
func (s *site) up() *process {
	s.t.Helper()
	p := s.start()
	for range 3 { // between the choice of a port and its use another process may take it
		if p.serves() {
			return p
		}
		if !strings.Contains(p.stderr.String(), "address already in use") {
			break
		}
		p = s.start()
	}
	s.t.Fatalf("the server does not start:\n%s", p.stderr.String())
	return nil
}

// serves waits until the server serves, or has ended.
func (p *process) serves() bool {
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		if text, err := wire.Words(p.addr, "srvr", time.Second); err == nil && strings.Contains(text, "Mode: ") {
			return true
		}
		select {
		case <-p.exited:
			return false
		case <-time.After(5 * time.Millisecond):
		}
	}
	return false
}

// client is a session that may have had several connections.
type client struct {
	*wire.Conn
	t        *testing.T
	session  int64
	password []byte
	timeout  int32
	xid      int32
}

var errRefused = errors.New("session refused")

// attach opens a connection for the session, or a new session.
func (c *client) attach(p *process) error {
	if c.Conn != nil {
		c.Conn.Close()
	}
	nc, err := wire.Dial(p.addr, patience)
	if err != nil {
		return err
	}
	c.t.Cleanup(func() { nc.Close() })
	c.Conn = nc
	password := c.password
	if password == nil {
		password = make([]byte, 16)
	}
	r, err := nc.Connect(wire.ConnectRequest{TimeoutMs: c.timeout, Session: c.session, Password: password}, patience)
	if err != nil {
		return err
	}
	if r.Session == 0 {
		return errRefused
	}
	c.session, c.password = r.Session, r.Password
	return nil
}

func connect(t *testing.T, p *process, timeout time.Duration) *client {
	t.Helper()
	c := &client{t: t, timeout: int32(timeout.Milliseconds())}
	if err := c.attach(p); err != nil {
		t.Fatal(err)
	}
	return c
}

// call sends one request and returns its reply.
func (c *client) call(op wire.Op, body wire.Body) *wire.Reply {
	c.t.Helper()
	c.xid++
	if err := c.Send(c.xid, op, body); err != nil {
		c.t.Fatal(err)
	}
	_, r, err := c.Next(patience)
	if err != nil || r == nil {
		c.t.Fatalf("op %d: %+v, %v", op, r, err)
	}
	return r
}

func (c *client) ok(op wire.Op, body wire.Body) *wire.Reply {
	c.t.Helper()
	r := c.call(op, body)
	if r.Err != 0 {
		c.t.Fatalf("op %d %+v: %v", op, body, r.Err)
	}
	return r
}

func (c *client) create(path string, data []byte, flags int32) string {
	c.t.Helper()
	return *c.ok(wire.OpCreate, wire.Create{Path: path, Data: data, ACL: wire.OpenACL, Flags: flags}).Path
}

func eventually(t *testing.T, cond func() bool, what string) {
	t.Helper()
	for deadline := time.Now().Add(patience); !cond(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never happened: %s", what)
		}
	}
}
