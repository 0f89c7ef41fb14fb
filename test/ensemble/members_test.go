package ensemble

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"zkd/test/wire"
)

// One server grows to three and five and shrinks to three again, without those that were first, while clients write.
func TestMembership(t *testing.T) {
	e := Start(t, Reconfigurable(Options{Voters: 1}))
	first := e.Servers[0]
	for id := 2; id <= 5; id++ {
		s := e.layOut(id, false)
		e.Servers = append(e.Servers, s)
	}
	l := e.StartLoad(LoadOptions{Clients: 20, Homes: e.Servers})
	l.AwaitAll(nil)
	admin := OpenAdmin(t, e.Servers...)
	members := []*Server{first}
	step := func(what string, f func()) {
		t.Helper()
		at := l.Now()
		f()
		l.AwaitAll(nil)
		gap := l.Gap(at, l.Now(), Everyone)
		t.Logf("%s: done after %v, longest time without a completed write %v", what, l.Now()-at, gap)
		if gap > unbearable {
			t.Errorf("%s: a client waited %v", what, gap)
		}
		e.AwaitMembers(members...)
	}
	join := func(newcomers ...*Server) {
		t.Helper()
		for _, s := range newcomers {
			e.must(s.configure(e.Config(append(slices.Clone(members), s)...)))
			e.Launch(s)
			admin.Reconfig([]*Server{s}, nil)
			members = append(members, s)
			e.AwaitServing(s)
		}
	}
	step("1 to 3", func() { join(e.Servers[1:3]...) })
	step("3 to 5", func() { join(e.Servers[3:5]...) })
	for _, s := range []*Server{e.AwaitLeader(members...), nil} {
		if s == nil { // any other
			s = members[0]
		}
		members = slices.DeleteFunc(slices.Clone(members), func(o *Server) bool { return o == s })
		step("without "+s.String(), func() {
			admin.Reconfig(nil, []int{s.ID})
			e.AwaitLeader(members...)
		})
		s.Kill()
	}
	l.AwaitAll(nil)
	l.Stop(members...)

	// What is left can lose one and go on.
	dead := e.AwaitLeader(members...)
	dead.Kill()
	rest := slices.DeleteFunc(slices.Clone(members), func(o *Server) bool { return o == dead })
	c := Open(t, 20*time.Second, rest...)
	c.Create("/after", nil)
	c.Close()
}

// Every member is replaced by one with an empty disk, one after the other.
func TestReplaceEveryMember(t *testing.T) {
	e := Start(t, Options{})
	l := e.StartLoad(LoadOptions{Clients: 20})
	for _, s := range e.Servers {
		l.Await(200)
		s.Kill()
		e.must(s.Blank())
		e.Restart(s)
		l.Settle()
	}
	l.Stop()
}

// A reconfig that would leave no quorum in contact is refused, and so is one against a version that is past.
func TestReconfigRefused(t *testing.T) {
	e := Start(t, Reconfigurable(Options{}))
	admin := OpenAdmin(t, e.Servers...)
	_, stat := admin.Get(configNode)
	body := wire.Reconfig{Joining: wire.Null, Leaving: "3", Members: wire.Null, ConfigID: 12345}
	if r, err := admin.Try(body); err != nil || r.Err != wire.CodeBadVersion {
		t.Errorf("a reconfig from version 0x3039: %+v, %v", r, err)
	}
	// Two that nobody has heard of would be half of the voters and more than what is left of a majority.
	ghosts := ""
	for id := 4; id <= 8; id++ {
		if ghosts != "" {
			ghosts += ","
		}
		ghosts += e.layOut(id, false).Line()
	}
	body = wire.Reconfig{Joining: ghosts, Leaving: wire.Null, Members: wire.Null, ConfigID: -1}
	if r, err := admin.Try(body); err != nil || r.Err != wire.CodeNewConfigNoQuorum {
		t.Errorf("a reconfig that adds five servers that do not run: %+v, %v", r, err)
	}
	admin.Create("/still", nil)
	if data, now := admin.Get(configNode); Against() == zkd && (len(memberIDs(data)) != 3 || now.Version != stat.Version) {
		t.Errorf("the configuration changed: %s", data)
	}
	plain := Open(t, 10*time.Second, e.Servers...)
	if r, err := plain.Call(wire.OpReconfig, wire.Reconfig{Joining: wire.Null, Leaving: "3", Members: wire.Null, ConfigID: -1}); err != nil || r.Err == 0 {
		t.Errorf("a reconfig by anybody: %+v, %v", r, err)
	}
}

// Who asks the very server that goes hears how it ended, be that the leader or not.
func TestReconfigThroughTheServerThatGoes(t *testing.T) {
	for _, role := range []Role{Leader, Follower} {
		t.Run(string(role), func(t *testing.T) {
			e := Start(t, Reconfigurable(Options{}))
			goes := e.AwaitRole(role)
			r, err := OpenAdmin(t, goes).Try(wire.Reconfig{Joining: wire.Null, Leaving: fmt.Sprint(goes.ID), Members: wire.Null, ConfigID: -1})
			if err != nil || r.Err != 0 {
				t.Fatalf("answered %+v, %v", r, err)
			}
			e.AwaitLeader(e.Except(goes)...)
		})
	}
}

// Members come, go and change their role while clients write, and whoever leads is killed in the middle of each change.
// One change is made at a time, each is made once it was answered, and in the end all agree on who is a member.
func TestMembershipWithKills(t *testing.T) {
	t.Parallel()
	e := Start(t, Reconfigurable(Options{}))
	l := e.StartLoad(LoadOptions{Clients: 12, Homes: slices.Clone(e.Servers)})
	l.AwaitAll(nil)
	admin := OpenAdmin(t, e.Servers...)
	fourth := e.layOut(4, true)
	e.must(fourth.configure(e.Config(append(slices.Clone(e.Servers), fourth)...)))
	e.Servers = append(e.Servers, fourth)
	e.Launch(fourth)
	// change asks for one and kills the leader a little later, wherever it is then.
	change := func(wait time.Duration, joining []*Server, leaving []int) {
		t.Helper()
		done := make(chan struct{})
		go func() { defer close(done); admin.Reconfig(joining, leaving) }()
		time.Sleep(wait) // so that each kill meets another part of the change
		leader := e.AwaitLeader()
		leader.Kill()
		e.AwaitLeader()
		e.Launch(leader)
		<-done
		l.AwaitAll(nil)
	}
	waits := shortOrLong([]time.Duration{0, 30 * time.Millisecond}, []time.Duration{0, 5 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 300 * time.Millisecond})
	for _, wait := range waits {
		fourth.Observer = true
		change(wait, []*Server{fourth}, nil)
		e.AwaitServing(fourth)
		fourth.Observer = false
		change(wait, []*Server{fourth}, nil) // promoted
		e.AwaitServing(e.Servers...)
		e.AwaitMembers(e.Servers...)
		change(wait, nil, []int{fourth.ID})
		e.AwaitServing(e.Servers[:3]...)
		e.AwaitMembers(e.Servers[:3]...)
	}
	l.Settle()
	l.Stop(e.Servers[:3]...)
}
