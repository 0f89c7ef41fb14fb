package consensus

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/raft"

	"zkd/consensus/peer"
)

func voter(id raft.ServerID) raft.Server { return raft.Server{ID: id, Suffrage: raft.Voter} }

func nonvoter(id raft.ServerID) raft.Server { return raft.Server{ID: id, Suffrage: raft.Nonvoter} }

// committed is the end of the log of drivenBy's leader.
const committed = 1000

// drivenBy returns the driver of the leader 1.1, who has heard from others that
// they have applied as much.
func drivenBy(applied map[raft.ServerID]uint64, asking ...raft.ServerID) *driver {
	n := &Node{log: slog.New(slog.DiscardHandler), id: identity{RaftID: "1.1"}}
	for id, index := range applied {
		n.members.reported(id, index, committed, unknownDigest)
	}
	for _, id := range asking {
		server, _ := serverOf(id)
		n.applicants.ask(server, id, time.Now())
	}
	d := newDriver(n)
	d.began = time.Time{} // long ago
	return d
}

func TestNextChange(t *testing.T) {
	const commit = committed
	type all = map[raft.ServerID]uint64
	three := []raft.Server{voter("1.1"), voter("2.1"), voter("3.1")}
	wantThree := []peer.Member{{ID: 1}, {ID: 2}, {ID: 3}}
	for name, tt := range map[string]struct {
		servers  []raft.Server
		want     []peer.Member
		heard    all
		asking   []raft.ServerID
		reconfig bool          // is under way
		begun    time.Duration // how long ago; 0 for ever
		next     change
		told     string // why who asks is put off
	}{
		"nothing to do": {servers: three, want: wantThree, heard: all{"2.1": commit, "3.1": commit}},
		"a newcomer": {
			servers: three[:2], want: wantThree, heard: all{"2.1": commit}, asking: []raft.ServerID{"3.a"},
			next: change{add, "3.a"},
		},
		"a newcomer that makes the number even": {
			servers: three, want: append([]peer.Member{{ID: 4}}, wantThree...), heard: all{"2.1": commit, "3.1": commit}, asking: []raft.ServerID{"4.a"},
			next: change{add, "4.a"},
		},
		"an observer": {
			servers: three[:2], want: []peer.Member{{ID: 1}, {ID: 2}, {ID: 3, Observer: true}}, heard: all{"2.1": commit}, asking: []raft.ServerID{"3.a"},
			next: change{add, "3.a"},
		},
		"a stranger": {servers: three, want: wantThree, asking: []raft.ServerID{"4.a"}, told: "not in the list"},
		"in already": {servers: []raft.Server{voter("1.1"), nonvoter("3.a")}, want: wantThree, asking: []raft.ServerID{"3.a"}},
		"one comes back blank": {
			servers: three, want: wantThree, heard: all{"2.1": commit}, asking: []raft.ServerID{"3.a"},
			next: change{remove, "3.1"},
		},
		"one comes back blank, and too few are there": {
			servers: append([]raft.Server{voter("4.1"), voter("5.1")}, three...), want: append([]peer.Member{{ID: 4}, {ID: 5}}, wantThree...),
			heard: all{"2.1": commit}, asking: []raft.ServerID{"3.a"}, told: "too few voters",
		},
		"one myid twice": {
			servers: three, want: wantThree, heard: all{"2.1": commit, "3.1": commit}, asking: []raft.ServerID{"3.a"},
			told: "is running already",
		},
		"the leader's own myid": {
			servers: three, want: wantThree, heard: all{"2.1": commit, "3.1": commit}, asking: []raft.ServerID{"1.a"},
			told: "is running already",
		},
		"caught up": {
			servers: []raft.Server{voter("1.1"), nonvoter("2.a")}, want: wantThree[:2], heard: all{"2.a": commit - caughtUp},
			next: change{promote, "2.a"},
		},
		"not caught up":        {servers: []raft.Server{voter("1.1"), nonvoter("2.a")}, want: wantThree[:2], heard: all{"2.a": commit - caughtUp - 1}},
		"an observer stays so": {servers: []raft.Server{voter("1.1"), nonvoter("2.a")}, want: []peer.Member{{ID: 1}, {ID: 2, Observer: true}}, heard: all{"2.a": commit}},
		"demoted": {
			servers: three, want: []peer.Member{{ID: 1}, {ID: 2}, {ID: 3, Observer: true}}, heard: all{"2.1": commit}, reconfig: true,
			next: change{demote, "3.1"},
		},
		"removed by a reconfig": {
			servers: three, want: wantThree[:2], heard: all{"2.1": commit}, reconfig: true,
			next: change{demote, "3.1"},
		},
		"removed by a reconfig, and stays to hear of it": {
			servers: []raft.Server{voter("1.1"), voter("2.1"), nonvoter("3.1")}, want: wantThree[:2], heard: all{"2.1": commit}, reconfig: true,
		},
		"not removed without the others": {servers: three, want: wantThree[:2], heard: all{"3.1": commit}, reconfig: true},
		"a majority of the new ones first": {
			servers: three[:2], want: []peer.Member{{ID: 1}, {ID: 3}}, heard: all{"2.1": commit}, reconfig: true,
		},
		"a majority without the one that is away": {
			servers: three, want: []peer.Member{{ID: 1}, {ID: 2}, {ID: 4}}, heard: all{"2.1": commit, "3.1": commit}, reconfig: true,
			next: change{demote, "3.1"},
		},
		"a majority that has no vote yet": {
			servers: append([]raft.Server{nonvoter("4.a"), nonvoter("5.a")}, three...), want: []peer.Member{{ID: 1}, {ID: 4}, {ID: 5}},
			heard: all{"2.1": commit, "3.1": commit, "4.a": 0, "5.a": 0}, reconfig: true,
		},
		"one that is about to vote": {
			servers: append([]raft.Server{nonvoter("4.a")}, three...), want: []peer.Member{{ID: 1}, {ID: 2}, {ID: 4}},
			heard: all{"2.1": commit, "3.1": commit, "4.a": 0}, reconfig: true, begun: time.Second,
		},
		"one that takes long to": {
			servers: append([]raft.Server{nonvoter("4.a")}, three...), want: []peer.Member{{ID: 1}, {ID: 2}, {ID: 4}},
			heard: all{"2.1": commit, "3.1": commit, "4.a": 0}, reconfig: true, begun: 2 * absentTime,
			next: change{demote, "3.1"},
		},
		"one that has its vote and nothing else": {
			servers: []raft.Server{voter("1.1"), voter("2.1"), voter("3.a")}, want: []peer.Member{{ID: 1}, {ID: 3}},
			heard: all{"2.1": commit, "3.a": 0}, reconfig: true,
		},
		"one of five of which one has nothing yet": {
			servers: append([]raft.Server{voter("4.1"), voter("5.a")}, three...), want: append([]peer.Member{{ID: 5}}, wantThree...),
			heard: all{"2.1": commit, "3.1": commit, "4.1": commit, "5.a": 0}, reconfig: true, begun: 2 * absentTime,
			next: change{demote, "4.1"},
		},
		"not removed while another has nothing yet": {
			servers: []raft.Server{voter("1.1"), voter("2.1"), voter("3.a")}, want: []peer.Member{{ID: 1}, {ID: 3}},
			heard: all{"2.1": commit, "3.a": 0},
		},
		"not replaced while another has nothing yet": {
			servers: []raft.Server{voter("1.1"), voter("2.a"), voter("3.1")}, want: wantThree,
			heard: all{"2.a": 0}, asking: []raft.ServerID{"3.a"}, told: "too few voters",
		},
		"the leader last": {
			servers: append([]raft.Server{voter("4.1"), voter("5.1")}, three...), want: []peer.Member{{ID: 2}, {ID: 4}, {ID: 5}},
			heard: all{"2.1": commit, "3.1": commit, "4.1": commit, "5.1": commit}, reconfig: true,
			next: change{demote, "3.1"},
		},
		"a voter that is not listed has its vote taken": {
			servers: three, want: wantThree[:2], heard: all{"2.1": commit, "3.1": commit},
			next: change{demote, "3.1"},
		},
		"a guest is let copy": {servers: append([]raft.Server{nonvoter("4.a")}, three...), want: wantThree, heard: all{"2.1": commit, "3.1": commit}},
		"the leader goes": {
			servers: three, want: wantThree[1:], heard: all{"2.1": commit, "3.1": commit}, reconfig: true,
			next: change{handOver, "1.1"},
		},
		"the leader becomes an observer": {
			servers: three, want: []peer.Member{{ID: 1, Observer: true}, {ID: 2}, {ID: 3}}, heard: all{"2.1": commit, "3.1": commit}, reconfig: true,
			next: change{handOver, "1.1"},
		},
		"the leader cannot go": {servers: three, want: wantThree[1:], heard: all{"2.1": commit}, reconfig: true},
	} {
		t.Run(name, func(t *testing.T) {
			d := drivenBy(tt.heard, tt.asking...)
			if tt.reconfig {
				d.version = 1
			}
			if tt.begun > 0 {
				d.patience.began = time.Now().Add(-tt.begun)
			}
			if got := d.next(tt.servers, tt.want); got != tt.next {
				t.Errorf("next change %q, not %q", got, tt.next)
			}
			for _, id := range tt.asking {
				server, _ := serverOf(id)
				told := d.n.applicants.ask(server, id, time.Now())
				if tt.told == "" && told != "" || !strings.Contains(told, tt.told) {
					t.Errorf("%s is told %q", id, told)
				}
			}
		})
	}
}

// A voter that comes back blank has its vote back at once where no larger
// majority follows; whoever was none catches up first.
func TestReplacedVoterHasItsVoteAtOnce(t *testing.T) {
	four := []raft.Server{voter("1.1"), voter("2.1"), voter("3.1"), voter("4.1")}
	want := []peer.Member{{ID: 1}, {ID: 2}, {ID: 3}, {ID: 4}}
	for name, tt := range map[string]struct {
		of   int
		was  raft.Server
		next action
	}{
		"one of three":   {3, voter("3.1"), addVoter},
		"one of four":    {4, voter("4.1"), add},
		"it had no vote": {3, nonvoter("3.1"), add},
		"one of two":     {2, voter("2.1"), add},
	} {
		t.Run(name, func(t *testing.T) {
			server, _ := serverOf(tt.was.ID)
			id := raft.ServerID(fmt.Sprintf("%d.a", server))
			d := drivenBy(map[raft.ServerID]uint64{"2.1": committed, "3.1": committed}, id)
			delete(d.n.members.all, tt.was.ID)
			others := slices.Clone(four[:tt.of-1])
			c := d.next(append(slices.Clone(others), tt.was), want[:tt.of])
			if c != (change{remove, tt.was.ID}) {
				t.Fatalf("first %q", c)
			}
			if c = d.next(others, want[:tt.of]); c != (change{tt.next, id}) {
				t.Errorf("then %q, not %q", c.what, tt.next)
			}
		})
	}
}

// Who loses its place by a reconfiguration goes as soon as that is over.
func TestLeavingMembersGo(t *testing.T) {
	d := drivenBy(nil)
	servers, want := []raft.Server{voter("1.1"), nonvoter("4.a")}, []peer.Member{{ID: 1}}
	d.version = 1
	if got := d.next(servers, want); got != (change{}) {
		t.Fatalf("meanwhile: %q", got)
	}
	d.version = 0
	if got := d.next(servers, want); got != (change{remove, "4.a"}) {
		t.Errorf("afterwards: %q", got)
	}
}

// A new leader does not take for gone who has had no time to report.
func TestNewLeaderWaitsBeforeItReplaces(t *testing.T) {
	d := drivenBy(map[raft.ServerID]uint64{"2.1": committed}, "3.a")
	d.began = time.Now()
	three := []raft.Server{voter("1.1"), voter("2.1"), voter("3.1")}
	want := []peer.Member{{ID: 1}, {ID: 2}, {ID: 3}}
	if got := d.next(three, want); got != (change{}) {
		t.Errorf("at once: %q", got)
	}
	d.began = d.began.Add(-2 * settleTime)
	if got := d.next(three, want); got != (change{remove, "3.1"}) {
		t.Errorf("later: %q", got)
	}
}

// A newcomer for whom a reconfiguration was given up goes in the end.
func TestGuestOverstays(t *testing.T) {
	d := drivenBy(nil)
	servers, want := []raft.Server{voter("1.1"), nonvoter("4.a")}, []peer.Member{{ID: 1}}
	if got := d.next(servers, want); got != (change{}) {
		t.Fatalf("at once: %q", got)
	}
	d.guests["4.a"] = d.guests["4.a"].Add(-2 * guestTime)
	if got := d.next(servers, want); got != (change{remove, "4.a"}) {
		t.Errorf("after its time: %q", got)
	}
	if d.next(servers, []peer.Member{{ID: 1}, {ID: 4, Observer: true}}); len(d.guests) != 0 {
		t.Errorf("a member is a guest: %v", d.guests)
	}
}

func TestReached(t *testing.T) {
	want := []peer.Member{{ID: 1}, {ID: 2}, {ID: 3}, {ID: 4, Observer: true}}
	for name, tt := range map[string]struct {
		servers []raft.Server
		silent  raft.ServerID // everybody else is in contact
		behind  raft.ServerID // everybody else has caught up
		asking  []raft.ServerID
		reached bool
	}{
		"all there":                        {servers: []raft.Server{voter("1.1"), voter("2.a"), voter("3.1"), nonvoter("4.a")}, reached: true},
		"an observer may follow":           {servers: []raft.Server{voter("1.1"), voter("2.a"), voter("3.1")}, reached: true},
		"a voter may follow":               {servers: []raft.Server{voter("1.1"), voter("2.a"), nonvoter("4.a")}, reached: true},
		"it asks already":                  {servers: []raft.Server{voter("1.1"), voter("2.a")}, asking: []raft.ServerID{"3.a"}},
		"it copies already":                {servers: []raft.Server{voter("1.1"), voter("2.a"), nonvoter("3.a")}},
		"it has gone again":                {servers: []raft.Server{voter("1.1"), voter("2.a"), nonvoter("3.a")}, silent: "3.a", reached: true},
		"its vote came before the log":     {servers: []raft.Server{voter("1.1"), voter("2.a"), voter("3.1")}, behind: "3.1"},
		"a majority not up to date":        {servers: []raft.Server{voter("1.1"), voter("2.a")}, behind: "2.a"},
		"no majority":                      {servers: []raft.Server{voter("1.1"), nonvoter("4.a")}},
		"a majority not in contact":        {servers: []raft.Server{voter("1.1"), voter("2.a")}, silent: "2.a"},
		"a majority of which one must not": {servers: []raft.Server{voter("1.1"), nonvoter("2.a"), nonvoter("3.a")}},
		"a voter still":                    {servers: []raft.Server{voter("1.1"), voter("2.a"), voter("3.1"), voter("4.a")}},
		"one too many":                     {servers: []raft.Server{voter("1.1"), voter("2.a"), voter("3.1"), voter("5.a")}},
		"one without a vote":               {servers: []raft.Server{voter("1.1"), voter("2.a"), voter("3.1"), nonvoter("5.a")}, reached: true},
	} {
		t.Run(name, func(t *testing.T) {
			heard := map[raft.ServerID]uint64{}
			for _, s := range tt.servers {
				if s.ID != tt.silent {
					heard[s.ID] = committed
					if s.ID == tt.behind {
						heard[s.ID] = 0
					}
				}
			}
			d := drivenBy(heard, tt.asking...)
			d.version = 1
			d.patience.begin()
			if got := d.reached(tt.servers, want); got != tt.reached {
				t.Errorf("reached: %v", got)
			}
		})
	}
}

func TestApplicants(t *testing.T) {
	var a applicants
	now := time.Now()
	if why := a.ask(4, "4.a", now); why != "" {
		t.Errorf("the first is told %q", why)
	}
	a.putOff(4, "not now")
	a.putOff(5, "never asked")
	if why := a.ask(4, "4.a", now); why != "not now" {
		t.Errorf("the second time it is told %q", why)
	}
	if why := a.ask(4, "4.b", now); !strings.Contains(why, "two have myid 4") {
		t.Errorf("another with the same myid is told %q", why)
	}
	if ids := a.current(now); len(ids) != 1 || ids[4] != "4.a" {
		t.Errorf("asking: %v", ids)
	}
	now = now.Add(inContact)
	if why := a.ask(4, "4.b", now); why != "" {
		t.Errorf("when the first has gone the other is told %q", why)
	}
	if ids := a.current(now.Add(inContact)); len(ids) != 0 || len(a.asks) != 0 {
		t.Errorf("when all have gone: %v, remembered %v", ids, a.asks)
	}
}
