package server

import (
	"reflect"
	"testing"
	"time"

	"zkd/conf"
	"zkd/consensus/peer"
	"zkd/server/member"
)

// three is the list that requests for a change begin with.
const three = "server.1=a:2888:3888:participant;a:2181\n" +
	"server.2=b:2888:3888:participant;0.0.0.0:2181\n" +
	"server.3=c:2888:3888:participant"

func mustParse(t testing.TB, text string) member.List {
	t.Helper()
	l, err := member.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestMembers(t *testing.T) {
	cfg := &conf.Config{
		StandaloneEnabled: true, TickTime: 2 * time.Second, InitLimit: 5, PeerDialTimeout: time.Second,
		Servers: []conf.Server{
			{ID: 1, Addrs: []conf.PeerAddr{{Host: "a", QuorumPort: 1, ElectionPort: 2}, {Host: "::1", QuorumPort: 3, ElectionPort: 4}}},
			{ID: 7, Observer: true, Addrs: []conf.PeerAddr{{Host: "b", QuorumPort: 5, ElectionPort: 6}}},
		},
	}
	want := []peer.Member{
		{ID: 1, Raft: []string{"a:1", "[::1]:3"}, Link: []string{"a:2", "[::1]:4"}},
		{ID: 7, Observer: true, Raft: []string{"b:5"}, Link: []string{"b:6"}},
	}
	if got := members(cfg); !reflect.DeepEqual(got, want) {
		t.Errorf("members %+v, want %+v", got, want)
	}
	e := (&Server{cfg: cfg}).ensemble()
	if e.ReportEvery != time.Second || e.CatchUp != 10*time.Second || e.DialTimeout != time.Second {
		t.Errorf("times %v, %v, %v", e.ReportEvery, e.CatchUp, e.DialTimeout)
	}
	cfg.InitLimit = 1
	if e = (&Server{cfg: cfg}).ensemble(); e.CatchUp != leastCatchUp {
		t.Errorf("catch up in %v, want %v", e.CatchUp, leastCatchUp)
	}
	cfg.Servers = cfg.Servers[:1]
	if (&Server{cfg: cfg}).ensemble() != nil {
		t.Error("a server that is its whole cluster wants peers")
	}
}
