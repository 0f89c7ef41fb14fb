package diff

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
)

// generator makes one script. What it knows of the sessions' state is a guess that keeps scripts busy; a script stays
// valid when the guess is wrong.
type generator struct {
	rng   *rand.Rand
	lines []string
	plan  plan
	quota bool
	names []string
	state map[string]*guess
	marks []string
	away  int // the server that has left
}

// guess is what the generator believes about a session.
type guess struct {
	open   bool
	opened bool // has had a session
	at     int  // the server of its connection; all are on 0 where there is one
}

// plan is what scripts are made for.
type plan struct {
	old     bool // a ZooKeeper before 3.9
	shape   shape
	outages int // percent of the scripts that have some
}

// generate makes script number n of a seed.
func generate(seed, n uint64, p plan) []string {
	g := &generator{rng: rand.New(rand.NewPCG(seed, n)), plan: p, state: map[string]*guess{}}
	g.names = []string{"a", "b", "c", "d"}[:1+g.n(4)]
	for _, name := range g.names {
		g.state[name] = &guess{}
	}
	g.quota = g.chance(14)
	outages := 0
	if g.chance(p.outages) {
		outages = 1 + g.n(3)
	}
	g.arrive()
	g.prologue()
	want, long := 8+g.n(50), 0
	switch {
	case outages > 0:
	case g.chance(4):
		want = 300 // what adds up slowly
	case g.chance(30):
		want, long = 400, 50
	}
	for len(g.lines) < want {
		switch {
		case g.away > 0 && g.chance(7):
			g.back()
		case g.away == 0 && outages > 0 && g.chance(6):
			outages--
			g.outage()
		}
		if g.chance(long) {
			g.longBatch(g.name())
			continue
		}
		g.step()
	}
	if g.away > 0 {
		g.back()
	}
	g.epilogue()
	return g.lines
}

// arrive spreads the sessions over the servers.
func (g *generator) arrive() {
	if !g.plan.shape.spread() {
		return
	}
	for _, name := range append(g.names, "z") {
		if name == "z" || g.chance(85) {
			g.connect(name, "")
		}
	}
}

// connect writes a handshake, with any server.
func (g *generator) connect(name, words string) {
	st := g.state[name]
	if st == nil {
		st = &guess{}
	}
	if g.plan.shape.spread() {
		for st.at = 1 + g.n(servers); st.at == g.away; {
			st.at = 1 + g.n(servers)
		}
		words = fmt.Sprintf(" at=%d", st.at) + words
	}
	st.open, st.opened = true, true
	g.say("%s connect%s", name, words)
}

// servers is how many there are where there are several.
const servers = 3

func (g *generator) n(n int) int             { return g.rng.IntN(n) }
func (g *generator) chance(percent int) bool { return g.n(100) < percent }
func (g *generator) pick(v ...string) string { return v[g.n(len(v))] }
func (g *generator) name() string            { return g.names[g.n(len(g.names))] }
func (g *generator) say(format string, v ...any) {
	if l := fmt.Sprintf(format, v...); (g.plan.shape.real == 1 || !damaged.MatchString(l)) && (!g.plan.old || !since39.MatchString(l)) {
		g.lines = append(g.lines, l)
	}
}

// since39 matches what releases before 3.9 answer otherwise: damaged requests and null parts, odd modes inside a
// multi, several kinds of watch on one path, IPv6 in ACLs, exists without READ.
var since39 = regexp.MustCompile(`poke=|cut=|null|raw [1-9]|multi.*(flags=(-|[5-9])|create2|ttl|raw)|addwatch|setwatches2|` +
	`removewatches|checkwatches|ip:(::|fe80)|\bexists `)

// prologue puts some nodes below the root, so that the first requests already meet something.
func (g *generator) prologue() {
	if g.quota {
		g.say("a create ~/a")
		g.say("a create /zookeeper/quota~")
		g.say("a create /zookeeper/quota~/a")
		g.say("a create /zookeeper/quota~/a/zookeeper_limits %s", g.limits())
		if g.chance(85) { // nothing is checked without
			g.say(`a create /zookeeper/quota~/a/zookeeper_stats "count=0,bytes=0"`)
		}
		return
	}
	for _, p := range []string{"~/a", "~/b", "~/a/a", "~/a/b"} {
		if g.chance(60) {
			g.say("%s %s", g.name(), g.create(p))
		}
	}
}

// epilogue looks at what is there in the end.
func (g *generator) epilogue() {
	g.say("z auth digest super:secret")
	for _, p := range []string{"~", "~/a", "~/b", "~/a/a"} {
		g.say("z multiread get %s ; children %s", p, p)
	}
	if g.quota {
		g.say("z get /zookeeper/quota~/a/zookeeper_stats")
	}
	g.say("z getacl ~/a sorted")
	g.say("z count ~")
	g.say("z exists /")
}

func (g *generator) step() {
	s := g.name()
	st := g.state[s]
	if !st.open && st.opened {
		g.reconnect(s)
		return
	}
	st.open, st.opened = true, true
	switch r := g.n(1000); {
	case r < 80:
		g.batch(s)
	case r < 115:
		g.connection(s)
	case r < 125:
		mark := fmt.Sprintf("m%d", len(g.marks))
		g.marks = append(g.marks, mark)
		g.say("%s mark %s", s, mark)
	default:
		g.say("%s %s", s, g.request(s, true))
	}
}

// batch sends several requests in one segment.
func (g *generator) batch(s string) {
	for range 2 + g.n(6) {
		g.say("%s & %s", s, g.pipelined(s, "setacl"))
	}
	if g.chance(10) {
		g.say("%s & %s", s, g.setACL(g.path()))
	}
	if g.chance(5) {
		g.say("%s & close", s)
		g.state[s].open = false
	}
	g.say("%s flush sorted", s)
}

// longBatch sends many requests in one segment: none of those that a batch may only end with.
func (g *generator) longBatch(s string) {
	st := g.state[s]
	if !st.open {
		g.step()
		return
	}
	for range 10 + g.n(40) {
		g.say("%s & %s", s, g.pipelined(s, "setacl", "auth", "raw"))
	}
	g.say("%s flush sorted", s)
}

// pipelined makes a request for a batch: none of some verbs, and none that a rule is sure to forbid there.
func (g *generator) pipelined(s string, but ...string) string {
	for {
		r := g.request(s, false)
		verb, _, _ := strings.Cut(r, " ")
		if !slices.Contains(but, verb) && !(g.quota && writes(r)) && !ephemeralContainer.MatchString(r) &&
			!breakingMulti.MatchString(r) {
			return r
		}
	}
}

func writes(request string) bool {
	verb, _, _ := strings.Cut(request, " ")
	return slices.Contains(strings.Fields("create create2 container ttl delete set multi"), verb)
}

// connection does something to a connection as a whole.
func (g *generator) connection(s string) {
	st := g.state[s]
	switch g.n(7) {
	case 0, 1: // another connection takes the session over
		other := g.name()
		if g.plan.shape.spread() {
			g.say("%s part", s) // see the rule two-places
		}
		g.connect(other, " session="+s+g.handshake())
		if other != s {
			st.open = false
		}
	case 2: // a wrong password
		for _, name := range g.names {
			if g.state[name].opened {
				g.say("%s part", name)
				g.state[name].open = false
			}
		}
		g.say("%s connect session=%s pw=%s", g.name(), s, g.pick("wrong", "null", "empty", "16", "3", "40"))
	case 3:
		g.say("%s part", s)
		st.open = false
	case 4:
		g.say("%s bytes %s", s, g.pick("00000000", "00000002 0000", "00000007 7x00", "fffffff0", "00100000", "7fffffff"))
		g.say("%s eof", s)
		st.open = false
	case 5:
		g.say("%s raw %s %s", s, g.pick("0", "10", "23", "99", "108", "-1", "-2", "1000", "13", "-100"), g.blob())
		g.say("%s eof", s)
		st.open = false
	case 6:
		g.say("%s close", s)
		st.open = false
	}
}

func (g *generator) reconnect(s string) {
	if g.chance(60) {
		from := s
		if g.chance(15) {
			from = g.pick(append(slices.Clone(g.names), "0x1234")...)
		}
		g.connect(s, " session="+from+g.handshake())
	} else {
		g.connect(s, g.handshake())
	}
	if g.chance(40) {
		g.say("%s %s", s, g.setWatches())
	}
}

func (g *generator) handshake() string {
	var b strings.Builder
	if g.chance(10) {
		b.WriteString(" ro=" + g.pick("0", "1", "none"))
	}
	if g.chance(10) {
		b.WriteString(" zxid=" + g.pick("now", "big", "0"))
	}
	if g.chance(5) {
		b.WriteString(" timeout=" + g.pick("30000", "100000", "2147483647", "1"))
	}
	if g.chance(3) {
		b.WriteString(" proto=7")
	}
	if g.chance(3) {
		b.WriteString(" extra=4")
	}
	return b.String()
}
