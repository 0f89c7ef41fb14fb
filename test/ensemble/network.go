package ensemble

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Network is a switch with one namespace a server on it. Links are cut per direction by sending the frames to a
// machine that is not there: the sender's neighbour table gets a wrong address. Nobody is told, as when a cable is
// pulled, and nothing but ip(8) is needed.
type Network struct {
	hub    *Space
	spaces map[int]*Space
}

// Space is a network namespace. A nil Space is the one that the test runs in.
type Space struct {
	ID int    // of the server that lives there
	IP string // its address

	fd   *os.File
	self string // path of fd, as ip(8) takes it
}

// NewNetwork makes a network without anyone on it, or skips the test where that cannot be.
func NewNetwork(t testing.TB) *Network {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("network namespaces need root")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("network namespaces need ip(8)")
	}
	hub, err := newSpace(t, 0)
	if err != nil {
		t.Skipf("no network namespace here: %v", err)
	}
	n := &Network{hub: hub, spaces: map[int]*Space{}}
	if err := hub.ip("link set lo up", "link add hub type bridge", "link set hub up"); err != nil {
		t.Skipf("no bridge here: %v", err)
	}
	return n
}

func newSpace(t testing.TB, id int) (*Space, error) {
	var fd int
	err := onOwnThread(-1, func() (err error) {
		if err = unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return err
		}
		fd, err = unix.Open(threadNamespace(), unix.O_RDONLY|unix.O_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return nil, err
	}
	s := &Space{ID: id, IP: fmt.Sprintf("10.77.0.%d", id), fd: os.NewFile(uintptr(fd), "netns")}
	s.self = fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), fd)
	t.Cleanup(func() { s.fd.Close() })
	return s, nil
}

func threadNamespace() string { return fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid()) }

// onOwnThread runs f on a thread in another namespace (-1: f moves it itself) and brings the thread back: it may be the
// parent of a server, which would end with it.
func onOwnThread(namespace int, f func() error) error {
	runtime.LockOSThread()
	home, err := unix.Open(threadNamespace(), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		runtime.UnlockOSThread()
		return err
	}
	defer func() {
		if err := unix.Setns(home, unix.CLONE_NEWNET); err != nil {
			panic(fmt.Sprintf("a thread is lost in a namespace: %v", err))
		}
		unix.Close(home)
		runtime.UnlockOSThread()
	}()
	if namespace >= 0 {
		if err := unix.Setns(namespace, unix.CLONE_NEWNET); err != nil {
			return err
		}
	}
	return f()
}

// do runs f in the namespace. What f starts or opens stays there.
func (s *Space) do(f func() error) error {
	if s == nil {
		return f()
	}
	return onOwnThread(int(s.fd.Fd()), f)
}

// Dial opens a TCP connection from within the namespace.
func (s *Space) Dial(addr string, timeout time.Duration) (nc net.Conn, err error) {
	err = s.do(func() error {
		// No fallback to another address family: its attempt would run on another thread.
		d := net.Dialer{Timeout: timeout, FallbackDelay: -1}
		nc, err = d.DialContext(context.Background(), "tcp4", addr)
		return err
	})
	return nc, err
}

// ip runs commands of ip(8) in the namespace.
func (s *Space) ip(lines ...string) error {
	cmd := exec.Command("ip", "-batch", "-")
	cmd.Stdin = strings.NewReader(strings.Join(lines, "\n") + "\n")
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := s.do(cmd.Start); err != nil {
		return err
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("ip %q: %w: %s", lines, err, out.String())
	}
	return nil
}

func mac(id int) string { return fmt.Sprintf("02:00:00:00:00:%02x", id) }

const nobody = "02:00:00:00:ff:ff"

// Space puts a namespace on the network: the one of a server, or of clients that live apart.
func (n *Network) Space(t testing.TB, id int) *Space {
	t.Helper()
	if s := n.spaces[id]; s != nil {
		return s
	}
	s, err := newSpace(t, id)
	if err != nil {
		t.Fatal(err)
	}
	port := fmt.Sprintf("port%d", id)
	err = n.hub.ip(
		fmt.Sprintf("link add %s type veth peer name eth0 address %s netns %s", port, mac(id), s.self),
		fmt.Sprintf("link set %s master hub", port), fmt.Sprintf("link set %s up", port))
	if err == nil {
		err = s.ip("link set lo up", fmt.Sprintf("address add %s/24 dev eth0", s.IP), "link set eth0 up")
	}
	n.spaces[id] = s
	for _, other := range n.spaces {
		if err == nil && other != s {
			if err = s.reach(other, mac(other.ID)); err == nil {
				err = other.reach(s, mac(id))
			}
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// reach says at which hardware address a namespace is found.
func (s *Space) reach(other *Space, hw string) error {
	return s.ip(fmt.Sprintf("neigh replace %s lladdr %s dev eth0 nud permanent", other.IP, hw))
}

// CutOneWay drops what is sent from one group of servers to another; the way back stays open.
func (n *Network) CutOneWay(t testing.TB, from, to []*Server) { n.route(t, from, to, true) }

// Cut parts two groups of servers from each other.
func (n *Network) Cut(t testing.TB, a, b []*Server) {
	n.route(t, a, b, true)
	n.route(t, b, a, true)
}

func (n *Network) route(t testing.TB, from, to []*Server, cut bool) {
	t.Helper()
	for _, a := range from {
		for _, b := range to {
			hw := mac(b.space.ID)
			if cut {
				hw = nobody
			}
			if err := a.space.reach(b.space, hw); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// Heal makes all links whole.
func (n *Network) Heal(t testing.TB) {
	t.Helper()
	for _, a := range n.spaces {
		for _, b := range n.spaces {
			if a != b {
				if err := a.reach(b, mac(b.ID)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}
