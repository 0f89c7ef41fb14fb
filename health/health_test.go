package health

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"zkd/conf"
	"zkd/consensus"
)

// ensembleOf is servers 1 to n, with the observers among them.
func ensembleOf(n int64, observers ...int64) (list []conf.Server) {
	for id := int64(1); id <= n; id++ {
		s := conf.Server{ID: id, Addrs: []conf.PeerAddr{{Host: "zk" + string(rune('0'+id)), QuorumPort: 2888, ElectionPort: 3888}}}
		for _, o := range observers {
			s.Observer = s.Observer || o == id
		}
		list = append(list, s)
	}
	return list
}

func says(id uint64, role string, change func(*consensus.Status)) Answer {
	raftID := func(id uint64) string { return string(rune('0'+id)) + ".1" }
	s := consensus.Status{
		ServerID: id, RaftID: raftID(id), Role: role, Term: 4, Leader: 1, LeaderID: raftID(1),
		Applied: 120, Zxid: 0x400000010, Contact: 31_400_000, Digest: 7, DigestIndex: 100,
	}
	if role == "leader" {
		s.Contact = 0
		for _, m := range []uint64{1, 2, 3} {
			s.Members = append(s.Members, consensus.MemberStatus{ServerID: m, RaftID: raftID(m), Voter: true, Known: true, Applied: 120})
		}
	}
	if change != nil {
		change(&s)
	}
	return Answer{Status: s}
}

func down(text string) Answer {
	return Answer{Err: &net.OpError{Op: "dial", Net: "tcp", Err: errors.New(text)}}
}

func TestHealth(t *testing.T) {
	leader, second, third := says(1, "leader", nil), says(2, "follower", nil), says(3, "follower", nil)
	without := func(id uint64) func(*consensus.Status) {
		return func(s *consensus.Status) { s.Members[id-1].Known = false }
	}
	lost := func(s *consensus.Status) { s.LeaderID, s.Contact = "", 12*time.Second }
	for _, tt := range []struct {
		name    string
		agreed  []conf.Server
		servers []conf.Server // of zoo.cfg
		byFile  bool
		answers map[int64]Answer
		want    string
	}{
		{name: "healthy", servers: ensembleOf(3), answers: map[int64]Answer{1: leader, 2: second, 3: third}, want: `
SERVER  ADDRESS        ROLE      TERM  ZXID         LAG  CONTACT  STATE
1       zk1:2888:3888  leader    4     0x400000010  0    0s       up
2       zk2:2888:3888  follower  4     0x400000010  0    31ms     up
3       zk3:2888:3888  follower  4     0x400000010  0    31ms     up
healthy: 3 of 3 voters
`},
		{name: "one is down", servers: ensembleOf(3), answers: map[int64]Answer{1: says(1, "leader", without(3)), 2: second, 3: down("connection refused")}, want: `
SERVER  ADDRESS        ROLE      TERM  ZXID         LAG  CONTACT  STATE
1       zk1:2888:3888  leader    4     0x400000010  0    0s       up
2       zk2:2888:3888  follower  4     0x400000010  0    31ms     up
3       zk3:2888:3888  voter     -     -            -    -        down: connection refused
degraded: 2 of 3 voters
`},
		{name: "no leader", servers: ensembleOf(3),
			answers: map[int64]Answer{1: down("no route to host"), 2: says(2, "looking", lost), 3: down("connection refused")}, want: `
SERVER  ADDRESS        ROLE     TERM  ZXID         LAG  CONTACT  STATE
1       zk1:2888:3888  voter    -     -            -    -        down: no route to host
2       zk2:2888:3888  looking  4     0x400000010  -    12s      knows no leader
3       zk3:2888:3888  voter    -     -            -    -        down: connection refused
no leader: 1 of 3 voters answer
`},
		{name: "no leader, and an observer", servers: ensembleOf(4, 4),
			answers: map[int64]Answer{1: down("x"), 2: says(2, "looking", lost), 3: down("x"), 4: says(4, "looking", lost)}, want: `
SERVER  ADDRESS        ROLE     TERM  ZXID         LAG  CONTACT  STATE
1       zk1:2888:3888  voter    -     -            -    -        down: x
2       zk2:2888:3888  looking  4     0x400000010  -    12s      knows no leader
3       zk3:2888:3888  voter    -     -            -    -        down: x
4       zk4:2888:3888  looking  4     0x400000010  -    12s      knows no leader
no leader: 1 of 3 voters answer
`},
		{name: "a leader that has lost its majority", servers: ensembleOf(3),
			answers: map[int64]Answer{1: says(1, "leader", func(s *consensus.Status) { without(2)(s); without(3)(s) }), 2: down("x"), 3: down("x")}, want: `
SERVER  ADDRESS        ROLE    TERM  ZXID         LAG  CONTACT  STATE
1       zk1:2888:3888  leader  4     0x400000010  0    0s       up
2       zk2:2888:3888  voter   -     -            -    -        down: x
3       zk3:2888:3888  voter   -     -            -    -        down: x
no leader: 1 of 3 voters answer
`},
		{name: "all that can be wrong", servers: ensembleOf(5, 4), agreed: ensembleOf(8, 4),
			answers: map[int64]Answer{
				1: says(1, "leader", func(s *consensus.Status) {
					s.Members[1].Known = false
					s.Applied = 2000
					s.Members = append(s.Members,
						consensus.MemberStatus{ServerID: 4, RaftID: "4.1", Known: true},
						consensus.MemberStatus{ServerID: 5, RaftID: "5.1", Known: true},
						consensus.MemberStatus{ServerID: 6, RaftID: "6.1", Voter: true, Known: true},
						consensus.MemberStatus{ServerID: 8, RaftID: "8.1", Voter: true, Known: true},
						consensus.MemberStatus{ServerID: 10, RaftID: "10.1", Known: true})
				}),
				2: says(2, "follower", nil),
				3: says(3, "follower", func(s *consensus.Status) { s.Digest = 8 }),
				4: says(4, "observer", func(s *consensus.Status) { s.Applied, s.DigestIndex = 1900, 20 }),
				5: says(5, "observer", nil),
				6: says(6, "follower", nil),
				7: says(7, "looking", nil),
				8: down("connection refused"),
			}, want: `
SERVER  ADDRESS        ROLE      TERM  ZXID         LAG   CONTACT  STATE
1       zk1:2888:3888  leader    4     0x400000010  0     0s       up
2       zk2:2888:3888  follower  4     0x400000010  1880  31ms     the leader does not hear from it
3       zk3:2888:3888  follower  4     0x400000010  1880  31ms     differs from the leader
4       zk4:2888:3888  observer  4     0x400000010  100   31ms     up
5       zk5:2888:3888  observer  4     0x400000010  1880  31ms     catches up before it votes
6       zk6:2888:3888  follower  4     0x400000010  1880  31ms     catches up
7       zk7:2888:3888  looking   4     0x400000010  1880  31ms     no member, waits to be taken in
8       zk8:2888:3888  voter     -     -            -     -        down: connection refused
degraded: 1 of 7 voters, 1 of 1 observers
`},
		{name: "a listed server that raft has no member for is down", servers: ensembleOf(4), agreed: ensembleOf(4),
			answers: map[int64]Answer{1: leader, 2: second, 3: third, 4: down("connection refused")}, want: `
SERVER  ADDRESS        ROLE      TERM  ZXID         LAG  CONTACT  STATE
1       zk1:2888:3888  leader    4     0x400000010  0    0s       up
2       zk2:2888:3888  follower  4     0x400000010  0    31ms     up
3       zk3:2888:3888  follower  4     0x400000010  0    31ms     up
4       zk4:2888:3888  voter     -     -            -    -        down: connection refused
degraded: 3 of 4 voters
`},
		{name: "an observer that has not come yet", servers: ensembleOf(3), agreed: ensembleOf(4, 4),
			answers: map[int64]Answer{1: leader, 2: second, 3: third, 4: down("connection refused")}, want: `
SERVER  ADDRESS        ROLE      TERM  ZXID         LAG  CONTACT  STATE
1       zk1:2888:3888  leader    4     0x400000010  0    0s       up
2       zk2:2888:3888  follower  4     0x400000010  0    31ms     up
3       zk3:2888:3888  follower  4     0x400000010  0    31ms     up
4       zk4:2888:3888  observer  -     -            -    -        down: connection refused
degraded: 3 of 3 voters, 0 of 1 observers
`},
		{name: "a zoo.cfg that has not heard of all", servers: ensembleOf(2), agreed: ensembleOf(3),
			answers: map[int64]Answer{1: leader, 2: second, 3: third}, want: `
SERVER  ADDRESS        ROLE      TERM  ZXID         LAG  CONTACT  STATE
1       zk1:2888:3888  leader    4     0x400000010  0    0s       up
2       zk2:2888:3888  follower  4     0x400000010  0    31ms     up
3       zk3:2888:3888  follower  4     0x400000010  0    31ms     up
healthy: 3 of 3 voters
`},
		{name: "servers of zoo.cfg that are no members", servers: ensembleOf(5), agreed: ensembleOf(3),
			answers: map[int64]Answer{1: leader, 2: second, 3: third,
				4: says(4, "looking", func(s *consensus.Status) { lost(s); s.Contact = 48 * time.Hour }), 5: down("connection refused"),
			}, want: `
SERVER  ADDRESS        ROLE      TERM  ZXID         LAG  CONTACT  STATE
1       zk1:2888:3888  leader    4     0x400000010  0    0s       up
2       zk2:2888:3888  follower  4     0x400000010  0    31ms     up
3       zk3:2888:3888  follower  4     0x400000010  0    31ms     up
4       zk4:2888:3888  looking   4     0x400000010  0    -        no member, waits to be taken in
5       zk5:2888:3888  voter     -     -            -    -        no member, and down: connection refused
degraded: 3 of 3 voters
1 listed server waits to be taken in: zkd member add 4 --config zoo.cfg
`},
		{name: "zoo.cfg files that decide", servers: ensembleOf(4), agreed: ensembleOf(3), byFile: true,
			answers: map[int64]Answer{1: leader, 2: second, 3: third, 4: says(4, "looking", lost)}, want: `
SERVER  ADDRESS        ROLE      TERM  ZXID         LAG  CONTACT  STATE
1       zk1:2888:3888  leader    4     0x400000010  0    0s       up
2       zk2:2888:3888  follower  4     0x400000010  0    31ms     up
3       zk3:2888:3888  follower  4     0x400000010  0    31ms     up
4       zk4:2888:3888  looking   4     0x400000010  0    12s      no member, waits to be taken in
degraded: 3 of 3 voters
1 listed server waits to be taken in: it is when most servers run with a zoo.cfg that lists it
`},
		{name: "a listed server that does not find the ensemble", servers: ensembleOf(3), agreed: ensembleOf(4),
			answers: map[int64]Answer{1: leader, 2: second, 3: third,
				4: says(4, "looking", func(s *consensus.Status) { s.RaftID, s.LeaderID = "", "" })}, want: `
SERVER  ADDRESS        ROLE      TERM  ZXID         LAG  CONTACT  STATE
1       zk1:2888:3888  leader    4     0x400000010  0    0s       up
2       zk2:2888:3888  follower  4     0x400000010  0    31ms     up
3       zk3:2888:3888  follower  4     0x400000010  0    31ms     up
4       zk4:2888:3888  looking   -     0x400000010  0    -        no member: none of the servers that its zoo.cfg lists has led it to the ensemble
degraded: 3 of 4 voters
`},
		{name: "members that are in no list", servers: ensembleOf(2), agreed: ensembleOf(1),
			answers: map[int64]Answer{1: says(1, "leader", without(3)), 2: second}, want: `
SERVER  ADDRESS        ROLE      TERM  ZXID         LAG  CONTACT  STATE
1       zk1:2888:3888  leader    4     0x400000010  0    0s       up
2       zk2:2888:3888  follower  4     0x400000010  0    31ms     a member that the list does not have
3       -              voter     -     -            -    -        a member that the list does not have; the leader does not hear from it
degraded: 1 of 1 voters
`},
		{name: "strangers and old leaders", servers: ensembleOf(3),
			answers: map[int64]Answer{1: leader, 2: says(2, "leader", func(s *consensus.Status) { s.Term, s.LeaderID = 3, "2.1" }),
				3: says(3, "looking", func(s *consensus.Status) { s.RaftID, s.LeaderID = "", "" })}, want: `
SERVER  ADDRESS        ROLE     TERM  ZXID         LAG  CONTACT  STATE
1       zk1:2888:3888  leader   4     0x400000010  0    0s       up
2       zk2:2888:3888  leader   3     0x400000010  0    0s       does not follow the leader
3       zk3:2888:3888  looking  -     0x400000010  0    -        no member, waits to be taken in
degraded: 1 of 3 voters
`},
		{name: "alone", servers: []conf.Server{{ID: 1}}, answers: map[int64]Answer{1: {Status: consensus.Status{ServerID: 1, Role: "standalone", Zxid: 0x1f}}}, want: `
SERVER  ADDRESS  ROLE        TERM  ZXID  LAG  CONTACT  STATE
1       -        standalone  -     0x1f  0    -        up
healthy: 1 of 1 voters
`},
		{name: "alone and down", servers: []conf.Server{{ID: 1}}, answers: map[int64]Answer{1: down("connection refused")}, want: `
SERVER  ADDRESS  ROLE   TERM  ZXID  LAG  CONTACT  STATE
1       -        voter  -     -     -    -        down: connection refused
no leader: 0 of 1 voters answer
`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := (&Survey{Config: "zoo.cfg", File: tt.servers, ByFile: tt.byFile, Agreed: tt.agreed, Answers: tt.answers}).Judge()
			if got := h.String(); got != strings.TrimPrefix(tt.want, "\n") {
				t.Errorf("got\n%s\nwant%s", got, tt.want)
			}
			if serving := !strings.Contains(tt.want, "\nno leader: "); h.Serving() != serving {
				t.Errorf("serving %v", h.Serving())
			}
			if healthy := strings.Contains(tt.want, "\nhealthy: "); h.Healthy() != healthy {
				t.Errorf("healthy %v", h.Healthy())
			}
			b, err := json.Marshal(h)
			if err != nil {
				t.Fatal(err)
			}
			var again Ensemble
			if err := json.Unmarshal(b, &again); err != nil || again.String() != h.String() {
				t.Errorf("%s reads back as\n%s%v", b, again.String(), err)
			}
		})
	}
}

func TestParseSrvr(t *testing.T) {
	s, err := parseSrvr("Zookeeper version: 3.9.5\nLatency min/avg/max: 0/0.0/0\nZxid: 0x100000002\nMode: standalone\nNode count: 5\n")
	if err != nil || s.Zxid != 0x100000002 || s.Role != "standalone" {
		t.Errorf("%+v, %v", s, err)
	}
	for _, bad := range []string{"", "This ZooKeeper instance is not currently serving requests\n", "Zxid: x\nMode: standalone"} {
		if s, err := parseSrvr(bad); err == nil {
			t.Errorf("%q is %+v", bad, s)
		}
	}
}

// speaker answers each connection with a text.
func speaker(t *testing.T, text string) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 4))
			_, _ = c.Write([]byte(text))
			_ = c.Close()
		}
	}()
	return l.Addr().String()
}

// More servers that wait to be taken in, which belong to no cluster yet, than the leader has.
func TestWhoWaitsBelongsToNone(t *testing.T) {
	own := func(s *consensus.Status) { s.Cluster = "aa" }
	none := func(s *consensus.Status) { s.LeaderID = "" }
	survey := Survey{Answers: map[int64]Answer{1: says(1, "leader", own), 2: says(2, "looking", none), 3: says(3, "looking", none)}}
	if l := survey.leader(); l == nil || l.ServerID != 1 {
		t.Errorf("the leader is %+v", l)
	}
}

func TestProbes(t *testing.T) {
	const serves = "Zookeeper version: 3.9.5\nZxid: 0x2\nMode: follower\n"
	for _, tt := range []struct {
		answer string
		live   bool
		ready  string // what keeps it from being ready
	}{
		{serves, true, ""},
		{"imok", true, "it says: imok"},
		{"ruok is not executed because it is not in the whitelist.\n", true, "it says: ruok is not"},
		{"This ZooKeeper instance is not currently serving requests\n", true, "not currently serving"},
		{strings.Replace(serves, "follower", "read-only", 1), true, "lets clients only read"},
		{"", true, "it says: "}, // it has too many connections
	} {
		addr := speaker(t, tt.answer)
		if err := Live(t.Context(), addr); (err == nil) != tt.live {
			t.Errorf("%q: live: %v", tt.answer, err)
		}
		if _, err := Ready(t.Context(), addr); (err == nil) != (tt.ready == "") || err != nil && !strings.Contains(err.Error(), tt.ready) {
			t.Errorf("%q: ready: %v", tt.answer, err)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0") // it hangs: nobody accepts
	if err != nil {
		t.Fatal(err)
	}
	for _, how := range []string{"hangs", "is not there"} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if err := Live(ctx, l.Addr().String()); err == nil {
			t.Errorf("one that %s is live", how)
		}
		l.Close()
	}
}

func TestReachable(t *testing.T) {
	for addr, want := range map[string]string{":2181": "127.0.0.1:2181", "0.0.0.0:1": "127.0.0.1:1", "[::]:1": "127.0.0.1:1", "10.0.0.1:1": "10.0.0.1:1", "zk1:1": "zk1:1", "[::1]:1": "[::1]:1"} {
		if got := reachable(addr); got != want {
			t.Errorf("%s is reached by %s", addr, got)
		}
	}
}
