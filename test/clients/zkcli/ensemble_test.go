package zkcli

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"zkd/test/clients/suite"
)

// eachEnsemble runs the test with every release, against three servers of its own.
func eachEnsemble(t *testing.T, test func(t *testing.T, c *cli, e *suite.Ensemble)) {
	for _, minor := range releases {
		t.Run(minor, func(t *testing.T) {
			suite.Need(t, "zkcli-"+minor)
			test(t, newCLI(t, minor), suite.StartEnsemble(t, "reconfigEnabled=true", "syncLimit=5"))
		})
	}
}

// TestCommandsEnsemble goes through the commands that TestCommands does, with three servers to choose from.
func TestCommandsEnsemble(t *testing.T) {
	eachEnsemble(t, func(t *testing.T, c *cli, e *suite.Ensemble) {
		s := c.open(t, e.Addr())
		for _, step := range []struct {
			name string
			run  func(*testing.T, *cli, *session)
		}{
			{"create", create}, {"get", get}, {"set", set}, {"list", list}, {"acl", acl}, {"auth", auth},
			{"quota", quota}, {"watches", watches}, {"addWatch", addWatch}, {"counting", counting}, {"history", history},
			{"delete", remove}, {"quoting", quoting}, {"unknown", unknown},
			{"leader killed", func(t *testing.T, c *cli, s *session) { leaderKilled(t, c, s, e) }},
		} {
			t.Run(step.name, func(t *testing.T) {
				s.t = t
				step.run(t, c, s)
			})
		}
		s.t = t
		t.Run("connect", func(t *testing.T) { connect(t, s, e.Addr()) })
	})
}

// leaderKilled: the session, its ephemeral nodes, its credentials and its watches outlive each leader. A session on
// another server sees the same.
func leaderKilled(t *testing.T, c *cli, s *session, e *suite.Ensemble) {
	other := c.open(t, e.Addr())
	s.want("create -e /kept mine", "Created /kept")
	s.want("create /seen 0", "Created /seen")
	owner := regexp.MustCompile(`ephemeralOwner = (0x[0-9a-f]+)`)
	session := owner.FindString(s.do("stat /kept"))
	for _, value := range []string{"1", "2", "3"} {
		s.do("get -w /seen")
		from := s.here()
		if err := e.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		other.persists("set /seen " + value)
		s.awaitAfter(from, "type:NodeDataChanged path:/seen")
		s.persists("sync /seen")
		s.want("get /seen", value)
	}
	other.persists("sync /seen")
	if got := owner.FindString(other.do("stat /kept")); got != session || session == "" {
		t.Errorf("%s, want %s", got, session)
	}
	s.match("getEphemerals /kept", `\[/kept\]`)
	other.want("getEphemerals /kept", "[]") // none of its own
	if who := s.do("whoami"); !strings.Contains(who, "\ndigest: super") || !strings.Contains(who, "\ndigest: u") {
		t.Errorf("whoami says %q", who)
	}
}

// persists repeats a command until no lost connection is in its way.
func (s *session) persists(command string) {
	s.t.Helper()
	var last string
	suite.Await(s.t, command, func() bool {
		last = s.do(command)
		return !strings.Contains(last, "ConnectionLoss")
	})
}

// TestReconfig takes a server out and in again, by increments and by a whole list, while another session watches.
func TestReconfig(t *testing.T) {
	eachEnsemble(t, func(t *testing.T, c *cli, e *suite.Ensemble) {
		// Who asks the server that goes hears of its end only, so both are on one that stays.
		s, watcher := c.open(t, e.Addrs()[0]), c.open(t, e.Addrs()[1])
		lines := []string{e.Line(1), e.Line(2), e.Line(3)}
		// config expects a list of members in a session, and returns its version.
		config := func(s *session, command string, members ...string) string {
			t.Helper()
			m := regexp.MustCompile(`(?s)^(.*)\nversion=([0-9a-f]+)$`).FindStringSubmatch(s.do(command))
			if m == nil || m[1] != strings.Join(members, "\n") {
				t.Fatalf("%s: got %q, want %q and a version", command, m, members)
			}
			return m[2]
		}
		version := config(s, "config", lines...)
		s.match("config -s", regexp.QuoteMeta(strings.Join(lines, "\n"))+`\nversion=`+version+"\n"+
			counts("0", `-?\d+`, "-1", "0x0", `\d+`, "0"))
		v, clients, _ := strings.Cut(s.do("config -c"), " ") // in any order
		if all := slices.Sorted(strings.SplitSeq(clients, ",")); v != version || !slices.Equal(all, e.Addrs()) {
			t.Errorf("config -c says %s %s, want %s %s", v, all, version, e.Addrs())
		}
		s.want("reconfig -remove 3", "Insufficient permission : ")
		s.want("addauth digest " + suite.Super)
		s.want("reconfig -remove 1,2,3", "Arguments are not valid : ")
		s.want("reconfig -v 77777 -remove 3", "version No is not valid : ")

		watcher.do("config -w")
		from := watcher.here()
		removed := reconfig(s, "reconfig -remove 3", lines[:2]...)
		watcher.awaitAfter(from, "type:NodeDataChanged path:/zookeeper/config")
		watcher.want("sync /", "Sync is OK")
		if v := config(watcher, "config", lines[:2]...); v != removed || v <= version && len(v) <= len(version) {
			t.Errorf("version %s after %s, the reply said %s", v, version, removed)
		}
		reconfig(s, "reconfig -add "+lines[2], lines...)
		reconfig(s, "reconfig -members "+strings.Join(lines[:2], ","), lines[:2]...)
		v = reconfig(s, "reconfig -members "+strings.Join(lines, ","), lines...)
		reconfig(s, fmt.Sprintf("reconfig -v %s -remove 3 -add %s", v, lines[2]), lines...)
		s.want("sync /", "Sync is OK")
		s.want("create /after it-all", "Created /after")

		third := c.open(t, e.Addrs()[2])
		third.want("get /after", "it-all")
		third.want("delete /after")
	})
}

// reconfig expects to be told of a list of members, and returns its version.
func reconfig(s *session, command string, members ...string) string {
	s.t.Helper()
	got := s.do(command)
	m := regexp.MustCompile(`(?s)^Committed new configuration:\n(.*)\nversion=([0-9a-f]+)$`).FindStringSubmatch(got)
	if m == nil || m[1] != strings.Join(members, "\n") {
		s.t.Fatalf("%s: got %q, want %q and a version", command, got, members)
	}
	return m[2]
}

// TestShotsEnsemble runs zkCli as scripts do with each of three servers alone, and with all. What one wrote the next
// one sees: every run is a session of its own, and a server has seen what was before it.
func TestShotsEnsemble(t *testing.T) {
	eachEnsemble(t, func(t *testing.T, c *cli, e *suite.Ensemble) {
		data := ""
		if r := c.shot(t, "", "-server", e.Addr(), "create", "/shot"); r.code != 0 {
			t.Fatalf("create: %d %q %q", r.code, r.out, r.errors)
		}
		for i, addr := range append(e.Addrs(), e.Addr()) {
			if r := c.shot(t, "", "-server", addr, "get", "/shot"); i > 0 && (r.code != 0 || r.last() != data) {
				t.Errorf("get from %s: %d %q %q, want %s", addr, r.code, r.out, r.errors, data)
			}
			data = fmt.Sprint("of ", i)
			if r := c.shot(t, "", "-server", addr, "set", "/shot", data); r.code != 0 {
				t.Errorf("set at %s: %d %q %q", addr, r.code, r.out, r.errors)
			}
		}
	})
}
