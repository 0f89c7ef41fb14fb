package overload

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"zkd/test/proc"
	"zkd/test/wire"
)

// Honest clients run in a process of their own, this test binary once more: what an attack costs the attackers shall
// not be taken for the server's. They ask at fixed times; a wait that is longer than the pause between two counts for
// those that it held up, too, each with what was left of it.

const (
	honestEnv      = "OVERLOAD_HONEST" // addresses, "," between them
	honestAt       = 4                 // clients of each server
	honestEvery    = 10 * time.Millisecond
	honestTimeout  = 40 * time.Second // of their sessions
	honestPatience = 2 * time.Minute
)

// waits are how long honest clients of one server have waited.
type waits struct {
	Count         int
	P50, P99, Max time.Duration
	Lost          []string // what must not happen to them
}

// honest is the process with the honest clients.
type honest struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// startHonest starts clients of each of the servers; the first of them make their znodes.
func startHonest(t *testing.T, addrs []string) *honest {
	t.Helper()
	h := &honest{cmd: exec.Command(os.Args[0], "-test.run=^$")}
	h.cmd.Env = append(os.Environ(), honestEnv+"="+strings.Join(addrs, ","))
	h.cmd.Stderr = os.Stderr
	h.cmd.SysProcAttr = proc.Child()
	out, err := h.cmd.StdoutPipe()
	if err == nil {
		h.in, err = h.cmd.StdinPipe()
	}
	if err == nil {
		err = h.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	h.out = bufio.NewReader(out)
	t.Cleanup(h.stop)
	h.mark(t)
	return h
}

func (h *honest) stop() {
	h.in.Close()
	_ = h.cmd.Wait()
}

// mark returns the waits since the last mark, for each server.
func (h *honest) mark(t *testing.T) []waits {
	t.Helper()
	if _, err := io.WriteString(h.in, "\n"); err != nil {
		t.Fatalf("honest clients: %v", err)
	}
	line, err := h.out.ReadBytes('\n')
	var w []waits
	if err == nil {
		err = json.Unmarshal(line, &w)
	}
	if err != nil {
		t.Fatalf("honest clients: %v: %q", err, line)
	}
	return w
}

// crowd are the honest clients of one server.
type crowd struct {
	mu   sync.Mutex
	took []time.Duration
	lost []string
}

func (c *crowd) answered(took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.took = append(c.took, took)
}

func (c *crowd) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lost = append(c.lost, err.Error())
}

func (c *crowd) waits() waits {
	c.mu.Lock()
	took := c.took
	w := waits{Count: len(took), Lost: c.lost}
	c.took = nil
	c.mu.Unlock()
	if len(took) > 0 {
		slices.Sort(took)
		w.P50, w.P99, w.Max = took[len(took)/2], took[len(took)*99/100], took[len(took)-1]
	}
	return w
}

// beHonest is the process: it goes on until its input ends.
func beHonest(addrs []string) error {
	crowds := make([]*crowd, len(addrs))
	for i, addr := range addrs {
		crowds[i] = &crowd{}
		for n := range honestAt {
			c, err := dialSession(addr, honestTimeout)
			if err != nil {
				return fmt.Errorf("honest client of %s: %w", addr, err)
			}
			path := fmt.Sprintf("/honest-%d-%d", i, n)
			if err := c.ok(wire.OpCreate, wire.Create{Path: path, Data: make([]byte, 100), ACL: wire.OpenACL}); err != nil {
				return err
			}
			go crowds[i].work(c, path)
		}
	}
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		all := make([]waits, len(crowds))
		for i, c := range crowds {
			all[i] = c.waits()
		}
		if err := json.NewEncoder(os.Stdout).Encode(all); err != nil {
			return err
		}
	}
	return in.Err()
}

// work sets and gets a znode in turn.
func (c *crowd) work(s *session, path string) {
	for n := 0; ; n++ {
		began := time.Now()
		var err error
		if n%2 == 0 {
			err = s.ok(wire.OpSetData, wire.SetData{Path: path, Data: make([]byte, 100), Version: -1})
		} else {
			err = s.ok(wire.OpGetData, wire.PathWatch{Path: path})
		}
		if err != nil {
			c.fail(err)
			return
		}
		took := time.Since(began)
		for wait := took; wait > 0; wait -= honestEvery {
			c.answered(wait)
		}
		time.Sleep(honestEvery - took) // the pace of a client, not a wait for something
	}
}
