package ensemble

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// From the first client on, an ensemble whose servers all run can lose any one of them: two of three may have formed
// it, and the third must have its vote by then.
func TestFirstSeconds(t *testing.T) {
	for _, role := range []Role{Leader, Follower} {
		for round := range shortOrLong([]int{1}, []int{1, 2, 3}) {
			t.Run(fmt.Sprintf("the %s is killed at the first client, round %d", role, round+1), func(t *testing.T) {
				e := New(t, Options{})
				e.Launch(e.Servers...)
				lost := e.AwaitRole(role)
				lost.Kill()
				rest := e.Except(lost)
				e.AwaitServing(rest...)
				e.write(rest...)
			})
		}
	}
}

// alone lays a server out as its whole cluster, with a znode of its own, and then lists it with the others.
func (e *Ensemble) alone(s *Server) {
	e.t.Helper()
	lines := slices.DeleteFunc(e.common(), func(l string) bool { return strings.HasPrefix(l, "standaloneEnabled") })
	lines = append(lines, fmt.Sprintf("clientPort=%d", s.ports[2]), "clientPortAddress="+s.host)
	e.must(s.configure(lines))
	e.Launch(s)
	e.AwaitServing(s)
	c := Open(e.t, 10*time.Second, s)
	c.Create("/from-before", nil)
	c.Close()
	e.must(s.Terminate())
	e.must(os.WriteFile(s.configFile(), []byte(strings.Join(append(e.Config(e.Servers...), "dataDir="+s.DataDir()), "\n")+"\n"), 0o644))
}

// One server becomes three. Whichever comes first, there is one cluster, or one of two serves and all say so.
func TestGrowthInTheWrongOrder(t *testing.T) {
	OnlyZkd(t) // of ZooKeeper's servers the one with the data joins those without
	t.Run("the one with data last", func(t *testing.T) {
		t.Parallel()
		e := New(t, Options{})
		old, blank := e.Servers[0], e.Servers[1:]
		e.alone(old)
		e.Launch(blank...)
		e.AwaitServing(blank...)
		e.Launch(old)
		e.says(old, "level=ERROR", "another cluster", "serves no clients", "move their data directories away")
		for _, s := range blank {
			e.says(s, "level=ERROR", "another cluster")
		}
		if mode := old.Mode(); mode != "" {
			t.Errorf("the server with data of its own serves as %s beside another cluster", mode)
		}
		for _, s := range e.Servers {
			if text, err := s.status(); err == nil || strings.Contains(text, "healthy:") || !strings.Contains(text, "another cluster") {
				t.Errorf("status asked by the file of %v: %v\n%s", s, err, text)
			}
		}
		// What it says to do: here the data from before counts.
		for _, s := range blank {
			e.must(s.Terminate())
			e.must(s.Blank())
		}
		e.must(old.Terminate())
		e.Restart(old)
		e.Restart(blank...)
		c := Open(t, 10*time.Second, blank[0])
		c.Sync()
		if c.Exists("/from-before") == nil {
			t.Error("what the first server had is gone")
		}
		c.Close()
		e.CompareReplicas()
	})

	t.Run("the one with data is there, and does not lead yet", func(t *testing.T) {
		t.Parallel()
		e := New(t, Options{})
		old, blank := e.Servers[0], e.Servers[1:]
		e.alone(old)
		e.Launch(blank[0])
		e.awaitPeerPort(blank[0])
		e.Launch(old)
		e.AwaitServing(old)
		e.Launch(blank[1])
		e.AwaitServing(e.Servers...)
		e.CompareReplicas()
	})
}

// A server whose disk is lost is replaced when it asks. The next may go when it serves.
func TestDiskLostInTheFirstSeconds(t *testing.T) {
	t.Parallel()
	e := Start(t, Options{})
	for _, lost := range []*Server{e.AwaitRole(Follower), e.AwaitRole(Leader)} {
		lost.Kill()
		e.must(lost.Blank())
		e.Restart(lost)
		e.write(lost)
	}
	e.CompareReplicas()
}
