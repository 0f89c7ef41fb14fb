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
	quota bool
	old   bool // for a ZooKeeper before 3.9
	names []string
	state map[string]*guess
	marks []string
}

// guess is what the generator believes about a session.
type guess struct {
	open   bool
	opened bool // has had a session
}

// generate makes script number n of a seed.
func generate(seed, n uint64, old bool) []string {
	g := &generator{rng: rand.New(rand.NewPCG(seed, n)), old: old, state: map[string]*guess{}}
	g.names = []string{"a", "b", "c", "d"}[:1+g.n(4)]
	for _, name := range g.names {
		g.state[name] = &guess{}
	}
	g.quota = g.chance(14)
	g.prologue()
	want := 8 + g.n(50)
	if g.chance(4) {
		want = 300 // what adds up slowly
	}
	for len(g.lines) < want {
		g.step()
	}
	g.epilogue()
	return g.lines
}

func (g *generator) n(n int) int             { return g.rng.IntN(n) }
func (g *generator) chance(percent int) bool { return g.n(100) < percent }
func (g *generator) pick(v ...string) string { return v[g.n(len(v))] }
func (g *generator) name() string            { return g.names[g.n(len(g.names))] }
func (g *generator) say(format string, v ...any) {
	if l := fmt.Sprintf(format, v...); !g.old || !since39.MatchString(l) {
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
		g.say(`a create /zookeeper/quota~/a/zookeeper_stats "count=0,bytes=0"`)
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
		g.say("%s & %s", s, g.request(s, false))
	}
	if g.chance(5) {
		g.say("%s & close", s)
		g.state[s].open = false
	}
	g.say("%s flush sorted", s)
}

// connection does something to a connection as a whole.
func (g *generator) connection(s string) {
	st := g.state[s]
	switch g.n(7) {
	case 0, 1: // another connection takes the session over
		other := g.name()
		g.say("%s connect session=%s%s", other, s, g.handshake())
		if other != s {
			st.open = false
		}
		g.state[other].open, g.state[other].opened = true, true
	case 2: // a wrong password
		for _, name := range g.names {
			if g.state[name].opened {
				g.say("%s drop", name)
				g.state[name].open = false
			}
		}
		g.say("%s connect session=%s pw=%s", g.name(), s, g.pick("wrong", "null", "empty", "16", "3", "40"))
	case 3:
		g.say("%s drop", s)
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
		g.say("%s connect session=%s%s", s, from, g.handshake())
	} else {
		g.say("%s connect%s", s, g.handshake())
	}
	g.state[s].open = true
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
		b.WriteString(" timeout=" + g.pick("15000", "100000", "2147483647"))
	}
	if g.chance(3) {
		b.WriteString(" proto=7")
	}
	if g.chance(3) {
		b.WriteString(" extra=4")
	}
	return b.String()
}
