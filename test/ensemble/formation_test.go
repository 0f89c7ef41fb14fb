package ensemble

import (
	"fmt"
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

// awaitPeerPort waits until the process is up, in an ensemble or not: it listens on its second peer port.
func (e *Ensemble) awaitPeerPort(s *Server) {
	e.t.Helper()
	e.Await(s.String()+" listens for its peers", func() bool {
		nc, err := s.space.Dial(net.JoinHostPort(s.host, strconv.Itoa(s.ports[1])), time.Second)
		if err != nil {
			return false
		}
		nc.Close()
		return true
	})
}

// write proves that the servers take writes, each as the only one that is asked.
func (e *Ensemble) write(servers ...*Server) {
	e.t.Helper()
	for _, s := range servers {
		c := Open(e.t, 10*time.Second, s)
		path := "/by" + strconv.Itoa(s.ID)
		c.Create(path, nil)
		c.Close()
	}
}

func (e *Ensemble) byID(ids ...int) (list []*Server) {
	for _, id := range ids {
		list = append(list, e.Servers[slices.IndexFunc(e.Servers, func(s *Server) bool { return s.ID == id })])
	}
	return list
}

func TestFormation(t *testing.T) {
	t.Run("order", func(t *testing.T) {
		for _, order := range shortOrLong([][]int{{3, 1, 2}, {2, 3, 1}}, [][]int{{1, 2, 3}, {1, 3, 2}, {2, 1, 3}, {2, 3, 1}, {3, 1, 2}, {3, 2, 1}}) {
			t.Run(fmt.Sprint(order), func(t *testing.T) {
				t.Parallel()
				e := New(t, Options{})
				servers := e.byID(order...)
				for i, s := range servers {
					e.Launch(s)
					e.awaitPeerPort(s)
					if i == 0 && s.Mode() != "" {
						t.Errorf("%v serves alone", s)
					}
				}
				e.AwaitServing(servers...)
				e.write(servers...)
				e.CompareReplicas()
			})
		}
	})

	t.Run("one missing", func(t *testing.T) {
		t.Parallel()
		e := New(t, Options{})
		e.Launch(e.Servers[:2]...)
		e.AwaitServing(e.Servers[:2]...)
		e.write(e.Servers[:2]...)
		e.Restart(e.Servers[2])
		e.write(e.Servers[2])
		e.CompareReplicas()
	})

	t.Run("observer first", func(t *testing.T) {
		t.Parallel()
		e := New(t, Options{Observers: 1})
		e.Launch(e.Servers[3])
		e.awaitPeerPort(e.Servers[0x3])
		e.Launch(e.Servers[:3]...)
		e.AwaitServing(e.Servers...)
		e.write(e.Servers...)
		e.CompareReplicas()
		if m := e.Servers[3].Mode(); m != "observer" {
			t.Errorf("the observer says %q", m)
		}
	})

	t.Run("killed while forming", func(t *testing.T) {
		t.Parallel()
		e := New(t, Options{})
		for i, s := range []*Server{e.Servers[0], e.Servers[1], e.Servers[0], e.Servers[2]} {
			e.Launch(s)
			e.awaitPeerPort(s)
			if i < 2 {
				s.Kill()
			}
		}
		e.Launch(e.Servers[1])
		e.AwaitServing(e.Servers...)
		e.write(e.Servers...)
		e.CompareReplicas()
	})
}

// named makes a server be known by a name that resolves as a hosts file of each server's own says.
func named(t *testing.T, s *Server) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("a hosts file of its own needs root")
	}
	if _, err := exec.LookPath("unshare"); err != nil {
		t.Skip("a hosts file of its own needs unshare(1)")
	}
	if err := exec.Command("unshare", "-m", "true").Run(); err != nil {
		t.Skipf("no mount namespace here: %v", err)
	}
	s.wrap = func(cmd *exec.Cmd) *exec.Cmd {
		args := append([]string{"-m", "sh", "-c", `mount --bind "$0" /etc/hosts && exec "$@"`, s.hosts()}, cmd.Args...)
		return exec.Command("unshare", args...)
	}
}

func (s *Server) hosts() string { return filepath.Join(s.dir, "hosts") }

// A name that does not resolve is a server that is down. When it resolves, the server is reached without a restart.
func TestUnresolvedName(t *testing.T) {
	t.Parallel()
	e := New(t, Options{})
	third := e.Servers[2]
	const name = "third.zkd.test"
	for _, s := range e.Servers {
		named(t, s)
		conf := slices.Clone(e.Config(e.Servers...))
		for i, line := range conf {
			conf[i] = strings.Replace(line, "server.3="+third.host+":", "server.3="+name+":", 1)
		}
		e.must(s.configure(conf))
		hosts := "127.0.0.1 localhost\n"
		if s == third {
			hosts += third.host + " " + name + "\n"
		}
		e.must(os.WriteFile(s.hosts(), []byte(hosts), 0o644))
	}
	e.Launch(e.Servers...)
	e.AwaitServing(e.Servers[:2]...)
	e.write(e.Servers[:2]...)
	for _, s := range e.Servers[:2] {
		// In place: the file is mounted.
		e.must(os.WriteFile(s.hosts(), []byte("127.0.0.1 localhost\n"+third.host+" "+name+"\n"), 0o644))
	}
	e.AwaitServing(third)
	e.write(third)
	e.CompareReplicas()
}

// ends waits until a server has ended with an error and said why.
func (e *Ensemble) ends(s *Server, words ...string) {
	e.t.Helper()
	if code, err := s.Exit(Patience); err != nil || code == 0 {
		e.t.Errorf("exit code %d, %v", code, err)
	}
	e.says(s, words...)
}

// says waits for a line of the log with all of the words.
func (e *Ensemble) says(s *Server, words ...string) {
	e.t.Helper()
	if Against() != zkd {
		return
	}
	e.Await(fmt.Sprintf("%v says %q", s, words), func() bool { return s.LogSays(words...) })
}

// Servers that were set up wrongly say what is wrong, and leave the ensemble alone.
func TestWrongIdentity(t *testing.T) {
	t.Run("an id that is not in the list", func(t *testing.T) {
		t.Parallel()
		e := New(t, Options{})
		e.must(e.Servers[2].SetMyID(7))
		e.Launch(e.Servers...)
		e.ends(e.Servers[2], "7")
		e.AwaitServing(e.Servers[:2]...)
	})

	t.Run("no id", func(t *testing.T) {
		t.Parallel()
		e := New(t, Options{})
		e.must(os.Remove(filepath.Join(e.Servers[2].DataDir(), "myid")))
		e.Launch(e.Servers[2])
		e.ends(e.Servers[2], "myid")
	})

	t.Run("the data of another id", func(t *testing.T) {
		t.Parallel()
		OnlyZkd(t) // ZooKeeper does not look
		e := Start(t, Options{})
		second, third := e.Servers[1], e.Servers[2]
		second.Kill()
		third.Kill()
		e.must(second.SetMyID(3))
		e.Launch(second)
		e.ends(second, "2", "3")
		e.must(second.SetMyID(2))
		e.Restart(second, third)
		e.CompareReplicas()
	})

	t.Run("one id twice", func(t *testing.T) {
		t.Parallel()
		OnlyZkd(t) // ZooKeeper takes the newcomer's messages for the other's
		e := Start(t, Options{})
		l := e.StartLoad(LoadOptions{Clients: 6})
		taken := e.AwaitRole(Follower)
		double := e.Stranger(taken.ID, func(s *Server) []string {
			lines := []string{s.Line()}
			for _, other := range e.Except(taken) {
				lines = append(lines, other.Line())
			}
			return lines
		})
		e.Launch(double)
		e.says(double, "waiting", fmt.Sprintf("server %d", taken.ID))
		l.Await(500)
		if mode := double.Mode(); mode != "" && mode != "read-only" {
			t.Errorf("a second %v serves as %s", taken, mode)
		}
		e.AwaitServing(e.Servers...)
		l.Stop()
	})

	t.Run("a server of another cluster", func(t *testing.T) {
		t.Parallel()
		OnlyZkd(t) // ZooKeeper takes it over
		e, other := Start(t, Options{}), Start(t, Options{})
		e.write(e.Servers...)
		lost := e.Servers[1]
		lost.Kill()
		other.Servers[1].Kill()
		e.must(os.RemoveAll(lost.DataDir()))
		e.must(os.CopyFS(lost.DataDir(), os.DirFS(other.Servers[1].DataDir())))
		e.Launch(lost)
		e.says(lost, "cluster")
		rest := e.Except(lost)
		e.AwaitServing(rest...)
		e.write(rest...)
		if mode := lost.Mode(); mode != "" {
			t.Errorf("it serves as %s", mode)
		}
		lost.Kill()
		e.must(lost.Blank())
		e.Restart(lost)
		e.CompareReplicas()
	})

	t.Run("an even number of voters", func(t *testing.T) {
		t.Parallel()
		e := Start(t, Options{Voters: 4})
		e.says(e.Servers[0], "odd number")
	})
}
