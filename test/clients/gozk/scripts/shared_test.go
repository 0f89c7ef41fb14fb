// Package gozk is programs with go-zookeeper/zk. The driver, one folder up, passes ZK_HOSTS, ZK_PROXY (a way to the
// same servers) and ZK_PROXY_CONTROL (where the proxy takes orders). With several servers a client may be on one that
// has not heard yet what another client wrote, so it syncs before it reads such things.
package gozk

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"
)

// patience bounds every wait for something that has to happen.
const patience = 20 * time.Second

var world = zk.WorldACL(zk.PermAll)

type quiet struct{}

func (quiet) Printf(string, ...any) {}

// connect returns a client with a session, closed when the test is over, and the changes of its state.
func connect(t *testing.T, addr string, timeout time.Duration) (*zk.Conn, <-chan zk.Event) {
	t.Helper()
	c, events, err := zk.Connect(strings.Split(addr, ","), timeout, zk.WithLogger(quiet{}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	state(t, events, zk.StateHasSession)
	return c, events
}

func client(t *testing.T) *zk.Conn {
	t.Helper()
	c, _ := connect(t, os.Getenv("ZK_HOSTS"), 10*time.Second)
	return c
}

// state awaits a state of the session.
func state(t *testing.T, events <-chan zk.Event, want zk.State) {
	t.Helper()
	late := time.After(patience)
	for {
		select {
		case e := <-events:
			if e.State == want {
				return
			}
		case <-late:
			t.Fatalf("waited in vain for %v", want)
		}
	}
}

// event awaits a watch's event.
func event(t *testing.T, ch <-chan zk.Event, kind zk.EventType, path string) {
	t.Helper()
	select {
	case e := <-ch:
		if e.Type != kind || e.Path != path {
			t.Fatalf("got %v of %s (%v), want %v of %s", e.Type, e.Path, e.Err, kind, path)
		}
	case <-time.After(patience):
		t.Fatalf("waited in vain for %v of %s", kind, path)
	}
}

// still fails if a watch has fired. An event comes before the answers to later requests, so one of those is awaited.
func still(t *testing.T, c *zk.Conn, ch <-chan zk.Event) {
	t.Helper()
	synced(t, c)
	select {
	case e := <-ch:
		t.Fatalf("unexpected %v of %s", e.Type, e.Path)
	default:
	}
}

func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("waited in vain: %s", what)
}

// synced is a client whose server has seen what any other has answered so far.
func synced(t *testing.T, c *zk.Conn) *zk.Conn {
	t.Helper()
	if _, err := c.Sync("/"); err != nil {
		t.Fatalf("sync: %v", err)
	}
	return c
}

func gone(t *testing.T, c *zk.Conn, path string) {
	t.Helper()
	await(t, path+" is to go", func() bool { there, _, err := c.Exists(path); return err == nil && !there })
}

var nodes atomic.Int32

// node creates a node no other test uses, and deletes it with all below when the test is over.
func node(t *testing.T, c *zk.Conn, data string) string {
	t.Helper()
	p := fmt.Sprintf("/gozk-%d", nodes.Add(1))
	create(t, c, p, data, 0)
	t.Cleanup(func() { removeAll(c, p) })
	return p
}

func removeAll(c *zk.Conn, path string) {
	children, _, _ := c.Children(path)
	for _, child := range children {
		removeAll(c, path+"/"+child)
	}
	c.Delete(path, -1)
}

func create(t *testing.T, c *zk.Conn, path, data string, flags int32) string {
	t.Helper()
	p, err := c.Create(path, []byte(data), flags, world)
	if err != nil {
		t.Fatalf("create %s: %v", path, err)
	}
	return p
}

func wantData(t *testing.T, c *zk.Conn, path, want string) *zk.Stat {
	t.Helper()
	got, stat, err := synced(t, c).Get(path)
	if err != nil || string(got) != want {
		t.Fatalf("get %s: %q %v, want %q", path, got, err, want)
	}
	return stat
}

func wantErr(t *testing.T, what string, got, want error) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// proxy gives an order to the driver's proxy: drop closes its connections, cut also refuses new ones, open ends that.
// restart kills the leader of an ensemble and starts it again; lose leads to a server without data, find back.
func proxy(t *testing.T, order string) {
	t.Helper()
	c, err := net.DialTimeout("tcp", os.Getenv("ZK_PROXY_CONTROL"), patience)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(3 * patience))
	fmt.Fprintln(c, order)
	if line, err := bufio.NewReader(c).ReadString('\n'); err != nil || strings.TrimSpace(line) != "ok" {
		t.Fatalf("proxy %s: %q %v", order, line, err)
	}
}
