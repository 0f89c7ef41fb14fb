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
	words := who + g.pick(" kill", " kill", " term")
	at, err := strconv.Atoi(who)
	everybody := err != nil
	if everybody && g.chance(20) {
		words += " real" // it would take more connections of a ZooKeeper than of zkd were it one server's
	}
	g.say("z outage %s", words)
	for _, name := range g.names {
		st := g.state[name]
		if !st.open || !everybody && max(st.at, 1) != at {
			continue
		}
		st.open = false
		if g.chance(15) {
			continue // it comes back later, or never
		}
		g.connect(name, fmt.Sprintf(" session=%s zxid=now", name))
		if g.chance(80) {
			g.say("%s %s", name, g.setWatches())
		}
	}
}
