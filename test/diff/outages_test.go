package diff

import (
	"fmt"
	"strconv"
)

// outage ends servers, and lets most of those who were connected there come back.
func (g *generator) outage() {
	who := "all"
	if g.plan.shape.spread() {
		who = g.pick("1", "2", "3", "leader", "leader", "all", "all", "rolling")
	}
	how := g.pick(" kill", " kill", " term")
	if g.plan.shape.zkd > 1 && g.chance(30) {
		g.away = 2 + g.n(2) // not where sessions go that say nothing
		who = strconv.Itoa(g.away)
		g.say("z leave %s%s", who, how)
		g.comeBack(who, false)
		return
	}
	everybody := who == "all" || who == "leader" || who == "rolling"
	if everybody && g.chance(20) {
		how += " real" // it would take more connections of a ZooKeeper than of zkd were it one server's
	}
	g.say("z outage %s%s", who, how)
	g.comeBack(who, everybody)
}

// back ends the time without a server.
func (g *generator) back() {
	g.say("z return")
	g.away = 0
}

// comeBack lets sessions go on that have lost their server.
func (g *generator) comeBack(who string, everybody bool) {
	for _, name := range g.names {
		st := g.state[name]
		if !st.open || !everybody && strconv.Itoa(max(st.at, 1)) != who {
			continue
		}
		st.open = false
		if g.chance(15) {
			continue // later, or never
		}
		g.connect(name, fmt.Sprintf(" session=%s zxid=now", name))
		if g.chance(80) {
			g.say("%s %s", name, g.setWatches())
		}
	}
}
