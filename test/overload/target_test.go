package overload

import (
	"context"
	"fmt"
	"math"
	"net"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"zkd/test/ensemble"
	"zkd/test/proc"
	"zkd/test/realzk"
	"zkd/test/wire"
	"zkd/test/zkdserver"
)

// target is what is attacked: a server alone, or the leader of an ensemble.
type target struct {
	kind    string
	victim  *victim
	peers   []*victim     // the other servers
	ports   []string      // for peers
	trouble func() string // what must not be, "" mostly
	leads   func() bool   // the victim still does
	bounds  bool          // that zkd keeps, and nobody else is asked to
}

// victim is one server process.
type victim struct {
	addr string
	pid  int
}

func (tg *target) addrs() []string {
	all := []string{tg.victim.addr}
	for _, p := range tg.peers {
		all = append(all, p.addr)
	}
	return all
}

const kilo, mega = int64(1) << 10, int64(1) << 20

// A server gets nine tenths of its limit as GOMEMLIMIT, as it would take it from a container's limit by itself.
func limitMemory(t *testing.T, limit int64) {
	t.Setenv("GOMEMLIMIT", strconv.FormatInt(limit-limit/10, 10))
}

// The scenarios come from one address and may take as many connections as they like.
var common = []string{"maxClientCnxns=0", "tickTime=2000", "maxSessionTimeout=60000"}

func alone(t *testing.T, limit int64) *target {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if line := os.Getenv("OVERLOAD_AGAINST"); line != "" {
		dist, err := realzk.FindVersion(line[len("zookeeper-"):])
		if err != nil {
			t.Fatal(err)
		}
		s, err := realzk.Start(ctx, dist, realzk.Options{Config: common, Heap: strconv.FormatInt(limit/mega, 10) + "m"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Stop() })
		return &target{kind: line, victim: &victim{s.Addr(), s.PID()}, trouble: func() string { return "" }}
	}
	limitMemory(t, limit)
	s, err := zkdserver.Start(ctx, common, map[string]string{"zookeeper.4lw.commands.whitelist": "*"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Stop() })
	return &target{kind: "alone", victim: &victim{s.Addr(), s.PID()}, trouble: s.Trouble, bounds: true}
}

func leading(t *testing.T, limit int64) *target {
	t.Helper()
	if os.Getenv("OVERLOAD_AGAINST") != "" {
		t.Skip("a real ZooKeeper is attacked alone")
	}
	limitMemory(t, limit)
	e := ensemble.Start(t, ensemble.Options{Tick: 2 * time.Second, Config: []string{"syncLimit=5", "initLimit=10"}})
	leader := e.AwaitLeader()
	tg := &target{kind: "ensemble", victim: &victim{leader.Addr(), leader.PID()}, bounds: true}
	tg.ports = peerPorts(leader.Line())
	for _, s := range e.Except(leader) {
		tg.ports = append(tg.ports, peerPorts(s.Line())...)
		tg.peers = append(tg.peers, &victim{s.Addr(), s.PID()})
	}
	tg.trouble = func() string {
		for _, s := range e.Servers {
			if !s.Alive() {
				return fmt.Sprintf("%v has ended", s)
			}
		}
		return ""
	}
	tg.leads = func() bool { return leader.Mode() == "leader" }
	return tg
}

// peerPorts are the addresses of a server line, host:port:port:role;client.
func peerPorts(line string) []string {
	_, spec, _ := strings.Cut(line, "=")
	parts := strings.Split(spec, ":")
	return []string{net.JoinHostPort(parts[0], parts[1]), net.JoinHostPort(parts[0], parts[2])}
}

// Figures of a process, by the kernel and by itself.
type figures struct {
	rss, peak  int64 // bytes
	files      int
	sockets    int // of files: the rest are of the log, which grows
	goroutines int // 0 of a process that does not tell
	conns      int
}

// forgetPeak has the kernel count the peak from now on (proc_pid_clear_refs(5)).
func (v *victim) forgetPeak() {
	_ = os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", v.pid), []byte("5"), 0)
}

var figureLine = regexp.MustCompile(`(?m)^zk_(zkd_goroutines|num_alive_connections)\s+(\d+)`)

func (v *victim) figures() (f figures, err error) {
	memory, err := proc.MemoryOf(v.pid)
	if err != nil {
		return f, err
	}
	files, err := proc.Descriptors(v.pid)
	if err != nil {
		return f, err
	}
	for _, to := range files {
		if strings.HasPrefix(to, "socket:") {
			f.sockets++
		}
	}
	f.rss, f.peak, f.files, f.conns = memory.RSS, memory.Peak, len(files), math.MaxInt
	text, err := wire.Words(v.addr, "mntr", honestPatience)
	for _, m := range figureLine.FindAllStringSubmatch(text, -1) {
		n, _ := strconv.Atoi(m[2])
		if m[1] == "num_alive_connections" {
			f.conns = n
		} else {
			f.goroutines = n
		}
	}
	return f, err
}

// raiseFiles lets this process, and the servers it starts, have as many descriptors as the machine allows.
func raiseFiles() error {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return err
	}
	l.Cur = l.Max
	return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l)
}
