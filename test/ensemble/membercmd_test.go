package ensemble

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zkd/test/zkdserver"
)

// program runs a command of the program and returns what it says on both channels.
func program(t *testing.T, args ...string) (string, error) {
	t.Helper()
	bin, err := zkdserver.Build()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*Patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, bin, args...).CombinedOutput()
	return string(out), err
}

// Members come, get a vote and go by commands at the peer port, which need nobody's leave to reconfigure but the secret of
// that port. Each may be given again.
func TestMemberCommands(t *testing.T) {
	t.Parallel()
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("a secret of the peers' own"), 0o600); err != nil {
		t.Fatal(err)
	}
	e := Start(t, Options{Config: []string{"zkd.quorum.secretFile=" + secret}})
	fourth := e.layOut(4, true)
	e.must(fourth.configure(e.Config(append(slices.Clone(e.Servers), fourth)...)))
	e.Servers = append(e.Servers, fourth)
	config := fourth.configFile()
	must := func(args ...string) string {
		t.Helper()
		out, err := program(t, append(append([]string{"member"}, args...), "--config", config)...)
		if err != nil {
			t.Fatalf("zkd member %s: %v: %s", args, err, out)
		}
		return out
	}
	refused := func(why string, args ...string) {
		t.Helper()
		if out, err := program(t, append([]string{"member"}, args...)...); err == nil || !strings.Contains(out, why) {
			t.Errorf("zkd member %s: %v: %s; want %q", args, err, out, why)
		}
	}
	e.AwaitLeader(e.Servers[:3]...)

	refused("server 4 is no member", "promote", "4", "--config", config)
	refused("no voter would be left", "remove", "1", "2", "3", "--config", config)
	link := fmt.Sprintf("%s:%d", e.Servers[0].host, e.Servers[0].ports[1])
	refused("secret", "remove", "3", "--peer", link, "--timeout", "1s")
	if out := must("add", "4"); !strings.Contains(out, "server 4 is not there yet") {
		t.Errorf("a server that does not run: %s", out)
	}
	if out := must("list"); !strings.Contains(out, fourth.Line()+"\nversion=") {
		t.Errorf("the members are %s, without %s", out, fourth.Line())
	}
	refused("not done in time: server 4 is not there yet", "add", "4", "--wait", "--timeout", "1s", "--config", config)

	e.Launch(fourth)
	if out := must("add", "4", "--wait"); strings.Contains(out, "(") {
		t.Errorf("a server that runs: %s", out)
	}
	fourth.Observer = false
	for range 2 {
		must("promote", "4", "--wait")
		must("add", fourth.Line())
	}
	e.AwaitServing(e.Servers...)
	e.AwaitMembers(e.Servers...)
	if status, err := fourth.status(); err != nil || !strings.Contains(status, "healthy: 4 of 4 voters") {
		t.Errorf("status: %v\n%s", err, status)
	}
	leader := e.AwaitLeader()
	for range 2 {
		must("remove", fmt.Sprint(leader.ID), "--wait")
	}
	e.AwaitMembers(e.Except(leader)...)
	e.AwaitLeader(e.Except(leader)...)
}

// What is done by Ansible to servers whose files are to decide: three become five and three again, by new lists in the
// zoo.cfg of one after the other and restarts, while clients write. A list that is in two of five files changes nothing.
func TestMembershipByFiles(t *testing.T) {
	t.Parallel()
	e := Start(t, Options{Config: []string{"zkd.membership=file"}})
	first := slices.Clone(e.Servers)
	l := e.StartLoad(LoadOptions{Clients: 6, Homes: first})
	l.AwaitAll(nil)
	roll := func(servers []*Server, list []*Server) {
		t.Helper()
		for _, s := range servers {
			e.must(s.rewrite(e.Config(list...)))
			if s.Alive() {
				e.must(s.Terminate())
			}
			e.Launch(s)
			e.AwaitLeader() // a newcomer may lead
		}
	}
	leaderSees := func(servers string) {
		t.Helper()
		e.Await("the leader sees the files of "+servers, func() bool {
			return slices.ContainsFunc(e.Servers, func(s *Server) bool { return s.LogSays("some zoo.cfg files have other members", "servers="+servers) })
		})
	}
	for id := 4; id <= 5; id++ {
		s := e.layOut(id, false)
		e.must(s.Blank())
		e.Servers = append(e.Servers, s)
	}
	five := slices.Clone(e.Servers)
	roll(five[3:], five)
	roll(first[:1], five)
	e.Await("server 1 says that two wait", func() bool {
		status, _ := first[0].status()
		return strings.Contains(status, "2 listed servers wait to be taken in: they are when most servers run with a zoo.cfg that lists them")
	})
	leaderSees("[1]")
	e.AwaitMembers(first...)

	roll(first[1:], five)
	e.AwaitServing(five...)
	e.AwaitMembers(five...)
	e.Await("all are healthy", func() bool {
		status, _ := first[0].status()
		return strings.Contains(status, "healthy: 5 of 5 voters")
	})
	l.AwaitAll(nil)

	roll(first[:2], first)
	leaderSees(`"[1 2]"`)
	e.AwaitMembers(five...)
	roll(first[2:], first)
	e.AwaitMembers(first...)
	l.AwaitAll(nil)
	for _, s := range five[3:] {
		s.Kill()
	}
	l.Stop(first...)
}

// rewrite replaces the zoo.cfg; the data stays. It takes effect at the next start.
func (s *Server) rewrite(lines []string) error {
	all := append([]string{"dataDir=" + s.DataDir()}, lines...)
	return os.WriteFile(s.configFile(), []byte(strings.Join(all, "\n")+"\n"), 0o644)
}
