package server

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"zkd/conf"
	"zkd/server/member"
	"zkd/test/ports"
	"zkd/test/wire"
)

// loneEnsemble makes a server an ensemble of one.
func loneEnsemble(t testing.TB, file string) func(*conf.Config) {
	quorum, election := ports.For(t), ports.For(t)
	return func(c *conf.Config) {
		c.File, c.StandaloneEnabled, c.ReconfigEnabled, c.SkipACL = file, false, true, true
		c.TickTime, c.InitLimit, c.SyncLimit, c.PeerDialTimeout = 100*time.Millisecond, 10, 50, time.Second
		c.Servers = []conf.Server{{ID: 1, Addrs: []conf.PeerAddr{{Host: "127.0.0.1", QuorumPort: quorum, ElectionPort: election}}}}
		c.FourLetterWords = allWords(t)
	}
}

func saysTo(t testing.TB, s *Server, word string) string {
	t.Helper()
	text, err := wire.Words(s.Addr().String(), word, patience)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestEnsembleWords(t *testing.T) {
	s := startServer(t, loneEnsemble(t, ""))
	c := connect(t, s)
	text := s.memberList().Text(s.membersVersion())
	for word, want := range map[string]string{
		"srvr": `\nMode: leader\nNode count: 5\nProposal sizes last/min/max: \d+/\d+/\d+\n$`,
		"stat": `\nMode: leader\n`,
		"isro": `^rw$`,
		"hash": `^$`,
		"dirs": `^datadir_size: \d+\nlogdir_size: \d+\n$`,
		"conf": `\nserverId=1\ninitLimit=10\nsyncLimit=50\nelectionAlg=3\nelectionPort=\d+\nquorumPort=\d+\npeerType=0\nmembership: \n` +
			regexp.QuoteMeta(text) + `$`,
		"mntr": `\nzk_server_state\tleader\nzk_peer_state\tleading - broadcast\n(zk_.*\n)*zk_followers\t0\nzk_synced_followers\t0\nzk_pending_syncs\t0\n` +
			`zk_last_proposal_size\t\d+\nzk_max_proposal_size\t\d+\nzk_min_proposal_size\t\d+\nzk_learners\t0\nzk_synced_observers\t0\n` +
			`zk_synced_non_voting_followers\t0\nzk_leader_uptime\t\d+\nzk_quorum_size\t1\n`,
	} {
		if got := saysTo(t, s, word); !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("%s says %q, want %s", word, got, want)
		}
	}
	s.gate.end()
	for _, word := range []string{"srvr", "mntr", "conf"} {
		if got := saysTo(t, s, word); got != notServing {
			t.Errorf("%s says %q where nobody is served", word, got)
		}
	}
	c.Close()
}

func (s *Server) membersVersion() int64 {
	_, version := s.versionedMembers()
	return version
}

func TestReconfigOverTheWire(t *testing.T) {
	file := filepath.Join(t.TempDir(), "zoo.cfg")
	dir := t.TempDir()
	lone := loneEnsemble(t, file)
	s := startIn(t, dir, lone)
	c := connect(t, s)
	first := c.ok(wire.OpGetData, wire.PathWatch{Path: "/zookeeper/config", Watch: true})
	servers := member.List(s.cfg.Servers).String()
	if want := fmt.Sprintf("%s\nversion=%x", servers, first.Stat.Mzxid); string(first.Data) != want || first.Stat.Version != -1 || first.Stat.Aversion != -1 {
		t.Fatalf("shows %q, %+v", first.Data, first.Stat)
	}
	if r := c.call(wire.OpReconfig, wire.Reconfig{Leaving: "1", ConfigID: first.Stat.Mzxid + 1, Members: servers}); r.Err.String() != "BadVersion" {
		t.Errorf("another version: %v", r.Err)
	}
	// What is behind a reconfig waits for it.
	xid := c.send(wire.OpReconfig, wire.Reconfig{Members: servers, ConfigID: first.Stat.Mzxid})
	behind := c.send(wire.OpGetData, wire.PathWatch{Path: "/zookeeper/config"})
	r := c.reply()
	if r.Xid != xid || r.Err != 0 || r.Stat.Mzxid != r.Zxid || string(r.Data) != fmt.Sprintf("%s\nversion=%x", servers, r.Zxid) {
		t.Fatalf("reply %+v", r)
	}
	if len(c.events) != 1 || c.events[0].Path != "/zookeeper/config" || c.events[0].Zxid != r.Zxid {
		t.Errorf("events %+v", c.events)
	}
	if again := c.reply(); again.Xid != behind || string(again.Data) != string(r.Data) || *again.Stat != *r.Stat {
		t.Errorf("read behind it %+v", again)
	}
	for _, version := range []int64{first.Stat.Mzxid, r.Zxid} {
		path := fmt.Sprintf("%s.dynamic.%x", file, version)
		must(t, func() bool { text, err := os.ReadFile(path); return err == nil && string(text) == servers }, "%s", path)
	}
	stopServer(t, s)

	s = startIn(t, dir, lone)
	c = connect(t, s)
	if got := c.ok(wire.OpGetData, wire.PathWatch{Path: "/zookeeper/config"}); string(got.Data) != string(r.Data) || *got.Stat != *r.Stat {
		t.Errorf("after a restart %q, %+v", got.Data, got.Stat)
	}
	if !strings.Contains(saysTo(t, s, "conf"), fmt.Sprintf("version=%x", r.Zxid)) {
		t.Error("conf has another version")
	}
}
