package recipes

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"

	"zkd/test/clients/suite"
	"zkd/test/proc"
	"zkd/test/wire"
)

// The test binary is also the client processes that tests start, stop and kill: RECIPES_ROLE says which.
const roleVariable = "RECIPES_ROLE"

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		if err := roles[role](os.Getenv("RECIPES_SERVER"), os.Getenv("RECIPES_NAME")); err != nil {
			fmt.Println("failed:", err)
			os.Exit(1)
		}
		return
	}
	suite.Main(m)
}

// timeout is of sessions that are meant to expire, patient that of others.
const (
	timeout = 2 * time.Second
	patient = 20 * time.Second
)

// roles are what client processes do. They say so in lines on stdout, and end when stdin does.
var roles = map[string]func(server, name string) error{
	"member": func(server, name string) error {
		conn, err := dial(server)
		if err != nil {
			return err
		}
		defer conn.Close()
		if err := Join(context.Background(), conn, "/group", name, nil); err != nil {
			return err
		}
		fmt.Println("joined", 0)
		_, err = io.Copy(io.Discard, os.Stdin)
		return err
	},
	"holder": func(server, name string) error {
		conn, err := dial(server)
		if err != nil {
			return err
		}
		defer conn.Close()
		lock, err := Acquire(context.Background(), conn, "/lock")
		if err != nil {
			return err
		}
		fmt.Println("holds", lock.Fence())
		_, err = io.Copy(io.Discard, os.Stdin)
		return err
	},
	"candidate": func(server, name string) error {
		conn, events, err := zk.Connect([]string{server}, timeout, zk.WithLogger(quiet{}))
		if err != nil {
			return err
		}
		go io.Copy(io.Discard, os.Stdin)
		fmt.Println("stands", 0)
		lead, err := Campaign(context.Background(), conn, "/election", []byte(name))
		if err != nil {
			return err
		}
		fmt.Println("leads", lead.Epoch())
		for e := range events {
			if e.State == zk.StateExpired {
				fmt.Println("deposed", lead.Epoch())
				fmt.Println("order", lead.Epoch()) // what it was about to do when it was stopped
				return nil
			}
		}
		return nil
	},
}

func dial(server string) (*zk.Conn, error) {
	conn, events, err := zk.Connect([]string{server}, timeout, zk.WithLogger(quiet{}))
	if err != nil {
		return nil, err
	}
	for e := range events {
		if e.State == zk.StateHasSession {
			break
		}
	}
	go func() {
		for range events {
		}
	}()
	return conn, nil
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}

// process is a client in a process of its own.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	stdin io.Closer
	lines chan string
}

func start(t *testing.T, role, server, name string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(os.Args[0]), lines: make(chan string, 16)}
	p.cmd.Env = append(os.Environ(), roleVariable+"="+role, "RECIPES_SERVER="+server, "RECIPES_NAME="+name)
	p.cmd.SysProcAttr = proc.Child()
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			p.lines <- s.Text()
		}
	}()
	t.Cleanup(func() {
		p.kill()
		p.cmd.Wait()
	})
	return p
}

// says waits for a line that begins with the word, and returns the number in it.
func (p *process) says(word string) int64 {
	p.t.Helper()
	for {
		select {
		case line, ok := <-p.lines:
			if !ok {
				p.t.Fatalf("the process ended, and never said %q", word)
			}
			if w, n, _ := strings.Cut(line, " "); w == word {
				number, err := strconv.ParseInt(n, 10, 64)
				if err != nil {
					p.t.Fatalf("it says %q: %v", line, err)
				}
				return number
			}
			if strings.HasPrefix(line, "failed") {
				p.t.Fatal(line)
			}
		case <-time.After(suite.Patience):
			p.t.Fatalf("waited in vain for %q", word)
		}
	}
}

func (p *process) kill()                   { p.cmd.Process.Signal(syscall.SIGKILL) }
func (p *process) signal(s syscall.Signal) { p.cmd.Process.Signal(s) }

// quit lets the process end in order, which closes its session.
func (p *process) quit() { p.stdin.Close() }

// client is a connection that counts the watch events it is sent.
type client struct {
	*zk.Conn
	woken   atomic.Int64
	expired atomic.Bool
}

func connect(t *testing.T, server string, timeout time.Duration) *client {
	t.Helper()
	c := &client{}
	ready := make(chan struct{}, 1)
	conn, _, err := zk.Connect([]string{server}, timeout, zk.WithLogger(quiet{}), zk.WithEventCallback(func(e zk.Event) {
		switch {
		case e.Type != zk.EventSession && e.Type != zk.EventNotWatching:
			c.woken.Add(1)
		case e.State == zk.StateExpired:
			c.expired.Store(true)
		case e.State == zk.StateHasSession:
			select {
			case ready <- struct{}{}:
			default:
			}
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	c.Conn = conn
	t.Cleanup(conn.Close)
	select {
	case <-ready:
	case <-time.After(suite.Patience):
		t.Fatal("no session")
	}
	return c
}

// begin starts a server with the paths a test uses, and a context that ends with it.
func begin(t *testing.T, paths ...string) (context.Context, suite.Server, *client) {
	t.Helper()
	t.Parallel()
	server := suite.Start(t)
	c := connect(t, server.Addr(), patient)
	for _, p := range paths {
		if err := ensure(c.Conn, p); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx, server, c
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// count waits until a path has so many children.
func count(t *testing.T, c *client, path string, want int) {
	t.Helper()
	suite.Await(t, fmt.Sprintf("%d children of %s", want, path), func() bool {
		names, _, err := c.Children(path)
		if err != nil {
			t.Fatal(err)
		}
		return len(names) == want
	})
}

// watches waits until the server keeps so many, by its own count. (wchs would leave out those of children.)
func watches(t *testing.T, server suite.Server, want int) {
	t.Helper()
	suite.Await(t, fmt.Sprintf("%d watches", want), func() bool {
		text, err := wire.Words(server.Addr(), "mntr", time.Second)
		return err == nil && strings.Contains(text, fmt.Sprintf("zk_watch_count\t%d\n", want))
	})
}
