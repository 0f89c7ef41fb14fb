package main

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestPlaces(t *testing.T) {
	e := &ensemble{servers: []*server{{addr: "a"}, {addr: "b"}, {addr: "c"}}}
	for at, want := range map[place][]string{everywhere: {"a", "b", "c"}, atLeader: {"b"}, atFollowers: {"a", "c"}} {
		if got := at.servers(e, e.servers[1]); !slices.Equal(got, want) {
			t.Errorf("place %q: %v, want %v", at, got, want)
		}
	}
}

func TestSrvrMode(t *testing.T) {
	for out, want := range map[string]string{
		"Zxid: 0x1\nMode: leader\nNode count: 5\n":                    "leader",
		"Zxid: 0x1\nMode: follower":                                   "follower",
		"This ZooKeeper instance is not currently serving requests\n": "not serving",
	} {
		if got := srvrMode(out); got != want {
			t.Errorf("%q is %q, want %q", out, got, want)
		}
	}
}

func TestZooCfgOfAnEnsemble(t *testing.T) {
	sites, err := newSites(3)
	if err != nil {
		t.Fatal(err)
	}
	ports := map[string]bool{}
	for _, s := range sites {
		for _, p := range s.ports {
			if p == 0 {
				t.Fatal("no port was drawn")
			}
		}
		ports[s.client()] = true
	}
	if len(ports) != 3 {
		t.Errorf("client addresses %v", ports)
	}
	own := zooCfg("/d", 2, sites)
	for _, want := range []string{"dataDir=/d\n", "clientPortAddress=127.0.0.3\n", "syncLimit=5\n", "server.1=127.0.0.2:", "server.3=127.0.0.4:"} {
		if !strings.Contains(own, want) {
			t.Errorf("zoo.cfg lacks %q:\n%s", want, own)
		}
	}
	if alone := zooCfg("/d", 1, sites[:1]); strings.Contains(alone, "server.") {
		t.Errorf("a server on its own has peers:\n%s", alone)
	}
}

// A client whose server hangs up goes to the next one and is seen to write again.
func TestRoamerWritesAgain(t *testing.T) {
	fragile := startFake(t, &fakeServer{body: plausible(payload(100)), hangUpAfter: 20})
	lasting := startFake(t, &fakeServer{body: plausible(payload(100))})
	e := &ensemble{servers: []*server{{addr: fragile}, {addr: lasting}}}
	all, err := newRoamers(e, 1)
	if err != nil {
		t.Fatal(err)
	}
	r := all[0]
	r.arm()
	now := time.Now()
	r.expect(now, now)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { r.run(ctx); close(ended) }()
	if err := awaitWriters(ctx, all); err != nil {
		t.Error(err)
	}
	for st := r.look(); st.at != lasting; st = r.look() {
		time.Sleep(time.Millisecond)
	}
	stop()
	<-ended
	r.leave()
	if st := r.look(); st.on != fragile || st.losses != 1 || st.again <= 0 {
		t.Errorf("state %+v", st)
	}
}
