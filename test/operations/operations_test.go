package operations

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// layOut gives a machine the page's zoo.cfg and its own id.
func (m *machine) layOut() {
	m.t.Helper()
	m.configure(m.block("zoo.cfg"))
	m.name(m.n)
}

// name writes myid.
func (m *machine) name(id int) {
	m.t.Helper()
	m.run("myid", "echo 1", fmt.Sprintf("echo %d", id))
}

// alone are the lines of zoo.cfg that name no servers.
func (m *machine) alone() string {
	return regexp.MustCompile(`(?m)^server\..*\n`).ReplaceAllString(m.block("zoo.cfg"), "")
}

// Three machines form an ensemble, one of them late; they are restarted one after the other, lose two for good, and
// at last all.
func TestFormRollRecover(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	zk := s.machines(3)
	for _, m := range zk {
		m.layOut()
	}
	zk[0].run("secret")
	secret, err := os.ReadFile(filepath.Join(zk[0].dir, "etc", "secret"))
	s.must(err)
	for _, m := range zk[1:] {
		m.run("secret")
		s.must(os.WriteFile(filepath.Join(m.dir, "etc", "secret"), secret, 0o600))
	}

	zk[0].start()
	zk[0].awaitLog("waiting for servers that this one can form an ensemble with, or whose it can join")
	if got := zk[0].words("ruok"); got != "imok" {
		t.Errorf("ruok says %q", got)
	}
	if got := zk[0].words("srvr"); !strings.Contains(got, "not currently serving requests") {
		t.Errorf("srvr says %q", got)
	}
	zk[1].start()
	zk[0].awaitStatus("degraded: 2 of 3 voters", `3 +zk3:2888:3888 +voter .* down: `)
	zk[1].awaitServing()
	zk[1].client("create /early a")
	zk[2].start()
	zk[2].awaitStatus("healthy: 3 of 3 voters")
	zk[2].has("/early", "a")
	if said := zk[2].run("health"); !strings.Contains(said, ":2181 answers\n") || !strings.Contains(said, ":2181 serves clients (follower)\n") {
		t.Errorf("zkd health says\n%s", said)
	}

	for _, m := range leaderLast(zk) {
		m.stop(syscall.SIGTERM)
		m.start()
		m.run("roll")
		m.has("/early", "a")
	}

	// A copy of one of them, for later.
	last := zk[2]
	last.stop(syscall.SIGTERM)
	backup := s.path("backup")
	s.must(os.CopyFS(backup, os.DirFS(last.data())))
	last.start()
	last.run("roll")
	last.has("/early", "a")
	last.client("create /late b")

	zk[0].stop(syscall.SIGKILL)
	zk[1].stop(syscall.SIGKILL)
	last.awaitStatus("no leader: 1 of 3 voters answer")
	last.stop(syscall.SIGTERM)
	if said := last.run("look"); !strings.Contains(said, "last entry") || !strings.Contains(said, "Nothing was changed") {
		t.Errorf("zkd recover says\n%s", said)
	}
	last.run("recover")
	last.start()
	last.has("/late", "b")
	for _, m := range zk[:2] {
		m.run("forget")
		m.start()
	}
	last.awaitStatus("healthy: 3 of 3 voters")
	zk[0].has("/late", "b")

	for _, m := range zk {
		m.stop(syscall.SIGKILL)
		m.run("blank", "echo 2", fmt.Sprintf("echo %d", m.n))
	}
	s.must(os.RemoveAll(last.data()))
	s.must(os.CopyFS(last.data(), os.DirFS(backup)))
	last.run("recover")
	last.start()
	last.has("/early", "a")
	zk[0].start()
	zk[1].start()
	last.awaitStatus("healthy: 3 of 3 voters")
	zk[1].has("/early", "a")
}

// leaderLast orders machines as they are to be restarted.
func leaderLast(zk []*machine) (order []*machine) {
	var leader *machine
	for _, m := range zk {
		if strings.Contains(m.words("srvr"), "Mode: leader") {
			leader = m
			continue
		}
		order = append(order, m)
	}
	return append(order, leader)
}

// One server becomes three by commands. They may be given again.
func TestGrowByCommand(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	zk := s.machines(3)
	var list []string
	for i, m := range zk {
		list = append(list, m.here(fmt.Sprintf("server.%d=zk%[1]d:2888:3888;2181", i+1)))
		m.configure(m.alone(), "standaloneEnabled=false", strings.Join(list, "\n"))
		m.name(i + 1)
		m.start()
		if i == 0 {
			m.awaitServing()
		}
	}
	zk[2].awaitStatus(`2 .* no member, waits to be taken in`, `3 .* no member, waits to be taken in`,
		"2 listed servers wait to be taken in: zkd member add 2 3 --config .*/zoo.cfg")
	for range 2 {
		if said := zk[2].run("member"); !strings.HasPrefix(said, "done: version=") || strings.Count(said, ":participant;") != 3 {
			t.Errorf("zkd member says\n%s", said)
		}
	}
	zk[2].awaitStatus("healthy: 3 of 3 voters")
}

// One server becomes three and five; one loses its disk, one its machine; the first two are taken out.
func TestGrowReplaceShrink(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	zk := s.machines(6)
	server := func(i int) string { return zk[0].here(fmt.Sprintf("server.%d=zk%d:2888:3888;2181", i, i)) }
	var list []string
	for i, m := range zk[:5] {
		list = append(list, server(i+1))
		if i == 3 {
			list[i] = m.here("server.4=zk4:2888:3888:observer;2181") // at first
		}
		m.configure(m.alone(), m.block("reconfigurable"), strings.Join(list, "\n"))
		m.name(i + 1)
	}
	if _, word, _ := strings.Cut(zk[0].block("reconfigurable"), "super:"); strings.TrimSpace(word) != strings.TrimSpace(zk[0].run("digest")) {
		t.Errorf("the page has %s, and its command writes something else", word)
	}
	zk[0].start()
	zk[0].awaitStatus("1 +zk1.* leader ", "healthy: 1 of 1 voters")
	zk[0].awaitServing()
	zk[0].client("create /first a")

	zk[1].start()
	zk[2].start()
	zk[2].awaitStatus(`2 .* no member, waits to be taken in`, `3 .* no member, waits to be taken in`)
	zk[0].run("grow3")
	zk[2].awaitStatus("healthy: 3 of 3 voters")

	// A majority of four is there without the fourth, one of seven is not.
	add := func(ids ...int) string {
		var lines []string
		for _, i := range ids {
			lines = append(lines, fmt.Sprintf("server.%d=zk%d:2888:3888;2181", i, i))
		}
		return "reconfig -add " + zk[0].here(strings.Join(lines, ","))
	}
	zk[0].client("addauth digest super:secret", add(9))
	zk[0].awaitStatus("9 +.* down: ", "degraded: 3 of 4 voters")
	if out, err := zk[0].try("addauth digest super:secret", add(6, 7, 8)); !strings.Contains(out, "NoQuorum") && !strings.Contains(out, "No quorum of new config") {
		t.Errorf("three more that are not there are added: %v\n%s", err, out)
	}
	zk[0].client("addauth digest super:secret", "reconfig -remove 9")
	zk[0].awaitStatus("healthy: 3 of 3 voters")

	zk[3].start()
	zk[3].awaitStatus(`4 .* no member, waits to be taken in`)
	zk[0].run("observer")
	zk[3].awaitStatus("4 .* observer ", "healthy: 3 of 3 voters, 1 of 1 observers")

	zk[4].start()
	zk[4].awaitStatus(`5 .* no member, waits to be taken in`)
	zk[0].run("grow5")
	zk[4].awaitStatus("healthy: 5 of 5 voters")

	// The line that is logged takes the place of the server lines.
	for _, m := range leaderLast(zk[:5]) {
		m.configure(m.alone(), m.block("reconfigurable"), m.newestList())
		m.stop(syscall.SIGTERM)
		m.start()
		m.run("roll")
	}

	lost := zk[1]
	lost.stop(syscall.SIGKILL)
	lost.run("blank")
	lost.start()
	lost.awaitStatus("healthy: 5 of 5 voters")
	lost.has("/first", "a")

	zk[2].stop(syscall.SIGKILL)
	moved := zk[5]
	moved.configure(moved.alone(), moved.block("reconfigurable"), server(1), server(2), moved.here("server.3=zk6:2888:3888;2181"), server(4), server(5))
	moved.name(3)
	moved.start()
	zk[0].awaitServing()
	zk[0].run("address")
	moved.awaitStatus("3 +zk6.* up", "healthy: 5 of 5 voters")
	moved.has("/first", "a")

	zk[4].awaitServing()
	zk[4].run("shrink")
	moved.awaitStatus("1 .* no member, waits to be taken in", "2 .* no member, waits to be taken in", "degraded: 3 of 3 voters")
	for _, m := range zk[:2] {
		m.awaitLog("the state of this server was set aside")
		m.stop(syscall.SIGTERM)
	}
	moved.configure(moved.alone(), moved.block("reconfigurable"), moved.here("server.3=zk6:2888:3888;2181"), server(4), server(5))
	moved.run("roll")
	zk[3].has("/first", "a")
}

var listLine = regexp.MustCompile(`line="?(dynamicConfigFile=[^"\s]+)`)

// newestList is the line about the newest list of members that the server has logged.
func (m *machine) newestList() string {
	m.t.Helper()
	all := listLine.FindAllStringSubmatch(m.log(), -1)
	if len(all) == 0 {
		m.t.Fatalf("zk%d has logged no list", m.n)
	}
	return all[len(all)-1][1]
}

// A standalone server whose log is damaged goes on with what is whole.
func TestDamagedAlone(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m := s.machines(1)[0]
	m.layOut()
	m.configure(m.alone(), "clientPort=2181", "clientPortAddress="+m.host())
	m.start()
	m.awaitServing()
	m.client("create /kept a", "create /damaged-one b", "create /lost c")
	m.stop(syscall.SIGTERM)
	logs, err := filepath.Glob(filepath.Join(m.data(), "raft", "*.wal"))
	s.must(err)
	for _, path := range logs {
		b, err := os.ReadFile(path)
		s.must(err)
		s.must(os.WriteFile(path, []byte(strings.ReplaceAll(string(b), "/damaged-one", "/DAMAGED-one")), 0o600))
	}
	if said := m.run("damaged"); !strings.Contains(said, "LOST: ") || !strings.Contains(said, "Nothing was changed") {
		t.Errorf("it says %s", said)
	}
	m.run("damaged", "zoo.cfg", "zoo.cfg --yes")
	m.start()
	m.awaitServing()
	m.has("/kept", "a")
	m.client("create /lost again")
}

// A standalone server becomes the first of three with what it has.
func TestStandaloneGrows(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	zk := s.machines(3)
	for _, m := range zk {
		m.layOut()
	}
	first := zk[0]
	first.configure(first.alone(), "clientPort=2181", "clientPortAddress="+first.host())
	first.start()
	first.awaitServing()
	first.client("create /kept a")
	first.stop(syscall.SIGTERM)

	first.layOut()
	first.start()
	first.awaitStatus("1 +zk1.* leader ")
	zk[1].start()
	zk[2].start()
	first.awaitStatus("healthy: 3 of 3 voters")
	zk[2].has("/kept", "a")
}
