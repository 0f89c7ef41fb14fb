package simulation

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"zkd/conf"
	"zkd/consensus"
	"zkd/server/member"
	"zkd/test/oracle"
	"zkd/test/oracle/recorded"
	"zkd/test/wire"
)

// sessionsAndMembers are about who belongs to whom.
var sessionsAndMembers = []scenario{
	{
		name: "members change", least: oracle.Stats{Writes: 100},
		play: func(r *run) { r.rounds(8, func(int) { r.changeMembers(false) }) },
	},
	{
		name: "members change and die", least: oracle.Stats{Writes: 100},
		play: func(r *run) { r.rounds(8, func(int) { r.changeMembers(true) }) },
	},
	{
		name: "members come late", least: oracle.Stats{Writes: 100},
		play: func(r *run) {
			r.rounds(5, func(int) {
				if len(r.hosts) > 4 {
					r.changeMembers(false)
					return
				}
				r.refusedWithoutQuorum()
				r.comesLate()
			})
		},
	},
	{
		name: "members by files", plan: plan{byFile: true}, least: oracle.Stats{Writes: 50},
		play: func(r *run) { r.rounds(4, func(int) { r.editFiles() }) },
	},
	{
		// Expiry at a change of leaders: a new leader gives all their time, so none may go early; and those whose
		// clients are gone go in the end.
		name: "expiry across leaders", plan: plan{clients: 6}, least: oracle.Stats{Writes: 100, Expired: 2, EphemeralsEnded: 1},
		play: func(r *run) {
			r.rounds(8, func(i int) {
				r.load.vanish(i%2 == 0)
				for range 1 + r.rand.IntN(3) {
					r.pass(8 * r.plan.tick)
					if up := r.killSome(killed, r.leader); up != nil {
						r.pass(2 * time.Second)
						up()
					}
				}
				time.Sleep(20 * r.plan.tick)
			})
		},
	},
	{
		name: "expiry at a paused leader", plan: plan{clients: 6}, least: oracle.Stats{Writes: 100},
		play: func(r *run) {
			r.rounds(10, func(i int) {
				if i%3 == 0 {
					r.load.vanish(true)
				}
				l := r.mustLead()
				all := append(r.ids(), r.clientHosts()...)
				r.note("server %d, the leader, pauses", l.id)
				r.between(held, []int{l.id}, all)
				r.pass(12 * r.plan.tick)
				r.note("server %d goes on", l.id)
				r.between(open, []int{l.id}, all)
				r.pass(5 * r.plan.tick)
			})
		},
	},
	{
		// Its clients reach a server that does not reach its leader.
		name: "expiry behind a cut", plain: true, plan: plan{clients: 6}, least: oracle.Stats{Writes: 100},
		play: func(r *run) {
			r.rounds(10, func(int) {
				h := r.pick()
				r.note("server %d: no peers", h.id)
				r.between(cut, []int{h.id}, r.ids())
				r.load.ring()
				r.pass(25 * r.plan.tick)
				r.between(open, []int{h.id}, r.ids())
				r.note("server %d: peers again", h.id)
				r.pass(5 * r.plan.tick)
			})
		},
	},
	{
		// Sessions move while the old server still has requests of theirs: its way to the leader is shut, or the clients'
		// last bytes reach it only when the session is elsewhere.
		name: "session moves", plan: plan{clients: 6}, least: oracle.Stats{Writes: 150, Connections: 30, Unknown: 10},
		play: func(r *run) {
			r.rounds(15, func(i int) {
				h := r.pick()
				var others []int
				if i%2 == 0 {
					for _, o := range r.ids() {
						if o != h.id {
							others = append(others, o)
						}
					}
				} else {
					others = r.clientHosts()
				}
				r.load.ring()
				r.pass(bellLead)
				r.note("server %d and %d others: held", h.id, len(others))
				r.between(held, []int{h.id}, others)
				r.pass(300 * time.Millisecond)
				r.load.moveAll()
				r.pass(3 * time.Second)
				r.between(open, []int{h.id}, others)
				r.note("server %d: open", h.id)
			})
		},
	},
}

// changeMembers makes one change to who belongs to the ensemble, and sees it done. With deaths, servers are killed
// meanwhile.
func (r *run) changeMembers(deaths bool) {
	r.mustServe()
	var joining, leaving string
	var gone *host
	inside := r.hosts
	switch i := slices.IndexFunc(r.hosts, func(h *host) bool { return h.line.Observer }); {
	case i >= 0 && r.rand.IntN(2) == 0:
		r.hosts[i].line.Observer = false
		joining = r.hosts[i].text()
		r.note("server %d is to get a vote", r.hosts[i].id)
	case len(r.hosts) >= 4 || len(r.hosts) == 3 && r.rand.IntN(3) == 0:
		gone = r.pick()
		if l := r.leader(); l != nil && r.rand.IntN(2) == 0 {
			gone = l
		}
		if !r.votersWithout(gone) {
			return
		}
		leaving = fmt.Sprint(gone.id)
		inside = slices.DeleteFunc(slices.Clone(r.hosts), func(h *host) bool { return h == gone })
		r.note("server %d is to leave", gone.id)
	default:
		r.lastID++
		h := r.newHost(r.lastID, r.rand.IntN(2) == 0)
		r.hosts = append(slices.Clone(r.hosts), h)
		inside = r.hosts
		joining = h.text()
		r.note("server %d is to join, observer: %t", h.id, h.line.Observer)
		h.start()
	}
	if deaths {
		r.tasks.Go(func() {
			r.pass(time.Second)
			for range 1 + r.rand.IntN(2) {
				h := r.leader()
				if h == nil || h == gone || !h.running() {
					continue
				}
				r.note("server %d: killed", h.id)
				h.kill(killed)
				r.pass(2 * time.Second)
				r.bringUp(h)
			}
			r.steady <- struct{}{}
		})
	}
	r.reconfigure(joining, leaving, inside)
	if deaths {
		<-r.steady
	}
	if gone != nil {
		r.hosts = inside
		gone.kill(powerOff)
	}
}

// comesLate makes a server a member that does not run yet. It has no vote that is missed while it is away, so another
// one may die; and it has one soon after it has come.
func (r *run) comesLate() {
	r.mustServe()
	r.lastID++
	h := r.newHost(r.lastID, false)
	r.note("server %d is to join, and does not run", h.id)
	before := r.hosts
	r.reconfigure(h.text(), "", append(slices.Clone(before), h))
	if r.votes(h) {
		r.failf("server %d has a vote before it was ever there", h.id)
	}
	if up := r.killSome(killed, r.pick); up != nil {
		r.pass(3 * time.Second)
		if l := r.mustLead(); !l.running() {
			r.failf("server %d leads and does not run", l.id)
		}
		up()
	}
	r.hosts = append(slices.Clone(before), h)
	h.start()
	if !r.await(allLive, func() bool { return r.votes(h) }) {
		r.failf("I8 live: server %d has no vote though it is there: %s", h.id, r.describe())
	}
}

// editFiles gives the servers another list, one after the other and each with a restart. It changes nothing while a
// minority has it, and is that of the ensemble when all have.
func (r *run) editFiles() {
	r.mustServe()
	before := r.hosts
	after := slices.Clone(before)
	if len(before) > 3 {
		i := r.rand.IntN(len(before))
		r.note("the files are to be without server %d", before[i].id)
		after = slices.Delete(after, i, i+1)
	} else {
		for range 1 + r.rand.IntN(2) {
			r.lastID++
			after = append(after, r.newHost(r.lastID, false))
		}
		r.note("the files are to have servers up to %d", r.lastID)
	}
	var list []conf.Server
	for _, h := range after {
		list = append(list, h.line)
	}
	for _, h := range after[min(len(before), len(after)):] {
		h.file = list
		h.start()
	}
	for n, i := range r.rand.Perm(len(before)) {
		h := before[i]
		if !slices.Contains(after, h) {
			continue
		}
		h.file = list
		h.kill([]death{killed, powerOff}[r.rand.IntN(2)])
		r.pass(time.Second)
		r.bringUp(h)
		if !r.await(allLive, func() bool { return h.server() != nil }) {
			r.failf("I8 live: server %d does not come up: %s", h.id, r.describe())
		}
		if n == 0 && r.awaitMembers(5*time.Second, after) {
			r.failf("the list of one file of %d is the ensemble's", len(before))
		}
	}
	r.hosts = after
	if !r.awaitMembers(allLive, after) {
		r.failf("I8 live: the list of all files is not the ensemble's: %s", r.describe())
	}
	for _, h := range before {
		if !slices.Contains(after, h) {
			h.kill(powerOff)
		}
	}
}

// awaitMembers waits until a leader says that the ensemble has exactly these servers.
func (r *run) awaitMembers(limit time.Duration, hosts []*host) bool {
	var want []string
	for _, h := range hosts {
		want = append(want, member.Line(h.line))
	}
	slices.Sort(want)
	return r.await(limit, func() bool {
		l := r.leader()
		if l == nil || l.server() == nil {
			return false
		}
		st, ok := l.server().Status()
		slices.Sort(st.Servers)
		return ok && slices.Equal(st.Servers, want)
	})
}

// votes tells whether the leader has a server among the voters.
func (r *run) votes(h *host) bool {
	l := r.mustLead().server()
	if l == nil {
		return false
	}
	st, _ := l.Status()
	return slices.ContainsFunc(st.Members, func(m consensus.MemberStatus) bool { return m.ServerID == uint64(h.id) && m.Voter })
}

// refusedWithoutQuorum asks for as many new voters as there are servers and one: nobody may become a member by that.
func (r *run) refusedWithoutQuorum() {
	var joining []string
	for id := range len(r.hosts) + 1 {
		h := host{id: 100 + id, line: conf.Server{ID: int64(100 + id)}}
		joining = append(joining, h.text())
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var servers []string
	for _, h := range r.hosts {
		servers = append(servers, address(h.id, clientPort))
	}
	c := recorded.New(recorded.Options{Name: "admin", Servers: servers, History: r.history, Timeout: longestSession * r.plan.tick, Dial: r.dialer(prober)})
	defer c.Abandon()
	reply, err := c.Do(ctx, wire.OpReconfig, wire.Reconfig{Joining: strings.Join(joining, ","), Leaving: wire.Null, Members: wire.Null, ConfigID: -1})
	if err == nil && reply.Err == 0 {
		r.failf("the members are changed without a majority of the new ones")
	}
	r.note("most of the servers would not be there: %v, %v", reply, err)
}

// votersWithout tells whether enough votes are left without a server.
func (r *run) votersWithout(gone *host) bool {
	n := 0
	for _, h := range r.hosts {
		if h != gone && !h.line.Observer {
			n++
		}
	}
	return n >= 2
}

// text is a host's server line.
func (h *host) text() string {
	role := "participant"
	if h.line.Observer {
		role = "observer"
	}
	return fmt.Sprintf("server.%d=%s:2888:3888:%s;%s", h.id, hostIP(h.id), role, address(h.id, clientPort))
}

// reconfigure asks for a change until it is made.
func (r *run) reconfigure(joining, leaving string, inside []*host) {
	ctx, cancel := context.WithTimeout(context.Background(), allLive)
	defer cancel()
	if joining == "" {
		joining = wire.Null
	}
	if leaving == "" {
		leaving = wire.Null
	}
	var servers []string
	for _, h := range inside {
		servers = append(servers, address(h.id, clientPort))
	}
	why := ""
	for ctx.Err() == nil {
		c := recorded.New(recorded.Options{Name: "admin", Servers: servers, History: r.history, Timeout: 10 * r.plan.tick, Dial: r.dialer(prober)})
		reply, err := c.Do(ctx, wire.OpReconfig, wire.Reconfig{Joining: joining, Leaving: leaving, Members: wire.Null, ConfigID: -1})
		why = fmt.Sprint(reply, err)
		done := err == nil && reply.Err == 0
		if !done {
			_, err = c.Do(ctx, wire.OpSync, wire.Path("/"))
			if err == nil {
				reply, err = c.Do(ctx, wire.OpGetData, wire.PathWatch{Path: "/zookeeper/config"})
			}
			done = err == nil && reply.Err == 0 && configured(string(reply.Data), inside)
		}
		c.Abandon()
		if done {
			return
		}
		time.Sleep(time.Second)
	}
	r.failf("I8 live: the members are not changed, joining %s, leaving %s: %s; %s", joining, leaving, why, r.describe())
}

// configured tells whether a configuration has exactly these servers, with their roles.
func configured(text string, inside []*host) bool {
	n := 0
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "server.") {
			n++
		}
	}
	for _, h := range inside {
		if !strings.Contains(text, h.text()) {
			return false
		}
	}
	return n == len(inside)
}
