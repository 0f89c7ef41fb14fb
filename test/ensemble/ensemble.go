package ensemble

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Options say what an ensemble is to be. The zero value is three voters on loopback.
type Options struct {
	Voters    int // 0 is 3
	Observers int
	Tick      time.Duration // 0 is 250 ms
	Config    []string      // further lines of zoo.cfg
	Props     map[string]string
	Network   *Network // nil is loopback
	// Starting may change how a server's process is started, each time. Files that it hands over are closed here then.
	Starting func(s *Server, cmd *exec.Cmd)
	Product  string // what servers are, as in "zookeeper-3.9"; "" is what the suite runs against
	Disk     int    // bytes of a disk of each server's own; 0 is a folder
	DiskOf   []int  // the servers that have one; nil is all
}

// Ensemble is a set of servers with one configuration.
type Ensemble struct {
	t       testing.TB
	opts    Options
	made    product
	dir     string
	prefix  string // of loopback addresses, "127.a.b."
	Servers []*Server
}

// Patience bounds every wait for something that has to happen.
const Patience = 60 * time.Second

// New lays an ensemble out and starts nothing.
func New(t testing.TB, o Options) *Ensemble {
	t.Helper()
	if o.Voters == 0 {
		o.Voters = 3
	}
	if o.Tick == 0 {
		o.Tick = 250 * time.Millisecond
	}
	dir, err := os.MkdirTemp("", "zkd-ensemble-")
	if err != nil {
		t.Fatal(err)
	}
	e := &Ensemble{t: t, opts: o, made: theProduct(t, o.Product), dir: dir}
	e.prefix = fmt.Sprintf("127.%d.%d.", 1+rand.IntN(254), rand.IntN(256))
	t.Cleanup(e.close)
	for i := range o.Voters + o.Observers {
		e.Servers = append(e.Servers, e.layOut(i+1, i >= o.Voters))
	}
	for _, s := range e.Servers {
		e.must(s.configure(e.Config(e.Servers...)))
	}
	return e
}

// Start makes an ensemble of which all servers serve.
func Start(t testing.TB, o Options) *Ensemble {
	t.Helper()
	e := New(t, o)
	e.Launch(e.Servers...)
	e.AwaitServing(e.Servers...)
	return e
}

// Add lays out one more server, which knows of the others and whom the others do not know.
func (e *Ensemble) Add(id int, observer bool) *Server {
	e.t.Helper()
	s := e.layOut(id, observer)
	e.must(s.configure(e.Config(append(slices.Clone(e.Servers), s)...)))
	e.Servers = append(e.Servers, s)
	return s
}

// Drop forgets a server that has left, and ends it.
func (e *Ensemble) Drop(s *Server) {
	s.Kill()
	e.Servers = slices.DeleteFunc(e.Servers, func(o *Server) bool { return o == s })
}

// Stranger lays out a server that is no part of the ensemble, with lines of its own for zoo.cfg. The test ends it.
func (e *Ensemble) Stranger(id int, lines func(s *Server) []string) *Server {
	e.t.Helper()
	s := e.layOut(id, false)
	e.must(s.configure(append(e.common(), lines(s)...)))
	e.t.Cleanup(s.Kill)
	return s
}

// Config is the zoo.cfg of servers that know of each other.
func (e *Ensemble) Config(servers ...*Server) []string {
	lines := e.common()
	for _, s := range servers {
		lines = append(lines, s.Line())
	}
	return lines
}

// common is what all servers have in common; a line of the options takes the place of one of the same key.
func (e *Ensemble) common() []string {
	lines := []string{
		"tickTime=" + strconv.FormatInt(e.opts.Tick.Milliseconds(), 10), "initLimit=40", "syncLimit=16",
		"maxClientCnxns=0", "maxSessionTimeout=60000", "admin.enableServer=false", "standaloneEnabled=false",
	}
	for _, own := range e.opts.Config {
		key, _, _ := strings.Cut(own, "=")
		lines = slices.DeleteFunc(lines, func(l string) bool { return strings.HasPrefix(l, key+"=") })
	}
	return append(lines, e.opts.Config...)
}

func (e *Ensemble) layOut(id int, observer bool) *Server {
	e.t.Helper()
	s := &Server{ID: id, Observer: observer, made: e.made, props: e.opts.Props, start: e.opts.Starting}
	var err error
	if s.dir, err = os.MkdirTemp(e.dir, "server-"+strconv.Itoa(id)+"-"); err != nil {
		e.t.Fatal(err)
	}
	if s.disk = s.dir; e.opts.Disk > 0 && (e.opts.DiskOf == nil || slices.Contains(e.opts.DiskOf, id)) {
		s.disk = smallDisk(e.t, e.opts.Disk)
	}
	if e.opts.Network != nil {
		s.space = e.opts.Network.Space(e.t, id)
		s.host, s.ports = s.space.IP, [3]int{2888, 3888, 2181}
		return s
	}
	s.host = e.prefix + strconv.Itoa(id)
	if s.ports, err = freePorts(s.host); err != nil {
		e.t.Fatal(err)
	}
	return s
}

// freePorts are ports of the kernel's choice. All are held until all are chosen, so that they differ.
func freePorts(host string) (ports [3]int, err error) {
	for i := range ports {
		l, err := net.Listen("tcp", host+":0")
		if err != nil {
			return ports, err
		}
		defer l.Close()
		ports[i] = l.Addr().(*net.TCPAddr).Port
	}
	return ports, nil
}

func (e *Ensemble) must(err error) {
	e.t.Helper()
	if err != nil {
		e.t.Fatal(err)
	}
}

// Launch starts processes and waits for nothing.
func (e *Ensemble) Launch(servers ...*Server) {
	e.t.Helper()
	for _, s := range servers {
		e.must(s.Launch())
	}
}

// AwaitServing waits until each of the servers serves clients.
func (e *Ensemble) AwaitServing(servers ...*Server) {
	e.t.Helper()
	for _, s := range servers {
		e.Await(fmt.Sprintf("%v serves", s), func() bool {
			if s.portTaken() {
				e.t.Fatal(errTaken)
			}
			if !s.Alive() {
				e.t.Fatalf("%v ended while starting", s)
			}
			mode := s.Mode()
			return mode != "" && mode != "read-only"
		})
	}
}

// Await returns once ok does, and fails the test when that takes longer than Patience.
func (e *Ensemble) Await(what string, ok func() bool) { e.t.Helper(); Await(e.t, what, ok) }

// Await returns once ok does, and fails the test when that takes longer than Patience.
func Await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(Patience); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited %v in vain: %s", Patience, what)
		}
	}
}

// AwaitLeader waits until one of the servers, or of all, says that it leads.
func (e *Ensemble) AwaitLeader(among ...*Server) (leader *Server) {
	e.t.Helper()
	if len(among) == 0 {
		among = e.Servers
	}
	e.Await("there is a leader", func() bool {
		for _, s := range among {
			if s.Alive() && s.Mode() == "leader" {
				leader = s
				return true
			}
		}
		return false
	})
	return leader
}

// A Role picks servers for a fault.
type Role string

// The roles.
const (
	Leader   Role = "leader"
	Follower Role = "follower"
	Observer Role = "observer"
)

// AwaitRole waits for a server of a role.
func (e *Ensemble) AwaitRole(r Role) (found *Server) {
	e.t.Helper()
	e.Await(fmt.Sprintf("there is a %s", r), func() bool {
		for _, s := range e.Servers {
			if s.Alive() && s.Mode() == string(r) {
				found = s
				return true
			}
		}
		return false
	})
	return found
}

// Except are all servers but some.
func (e *Ensemble) Except(some ...*Server) (rest []*Server) {
	for _, s := range e.Servers {
		if !slices.Contains(some, s) {
			rest = append(rest, s)
		}
	}
	return rest
}

// Restart starts servers that have ended, and waits until they serve.
func (e *Ensemble) Restart(servers ...*Server) {
	e.t.Helper()
	e.Launch(servers...)
	e.AwaitServing(servers...)
}

// close ends what runs and tells what a failed test needs to know.
func (e *Ensemble) close() {
	for _, s := range e.Servers {
		s.Kill()
		if err := s.trouble(); err != nil {
			e.t.Error(err)
		}
	}
	if os.Getenv("ENSEMBLE_KEEP") != "" {
		e.t.Logf("kept: %s", e.dir)
		return
	}
	if e.t.Failed() {
		for _, s := range e.Servers {
			e.t.Logf("%v wrote at the end:\n%s", s, s.tail())
		}
	}
	if err := os.RemoveAll(e.dir); err != nil {
		e.t.Error(err)
	}
}

// files are the files below a folder that hold at least a byte.
func files(dir string) (all []string, err error) {
	err = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if info, err := d.Info(); err == nil && info.Size() > 0 {
			all = append(all, path)
		}
		return nil
	})
	return all, err
}

var errNoServer = errors.New("no server took the connection")

// names lists servers for messages.
func names(servers []*Server) string {
	var all []string
	for _, s := range servers {
		all = append(all, strconv.Itoa(s.ID))
	}
	return strings.Join(all, ",")
}
