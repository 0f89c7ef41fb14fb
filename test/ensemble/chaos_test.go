package ensemble

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

var seed = flag.Uint64("seed", 0, "of the faults of TestChaos; 0 draws one")

// Faults come at random and overlap: kills, stops, cut links, restarts, disks that are lost. Then all is made whole,
// and nothing acknowledged is lost, nothing is doubled, every session lives, all replicas are equal.
func TestChaos(t *testing.T) {
	number := *seed
	if number == 0 {
		number = rand.Uint64()
	}
	t.Logf("-seed %d", number)
	c := &chaos{t: t, rnd: rand.New(rand.NewPCG(number, 0)), network: NewNetwork(t), state: map[*Server]string{}}
	c.e = Start(t, Options{Observers: 1, Network: c.network, Config: []string{"snapCount=300"}})
	single := c.e.StartLoad(LoadOptions{Clients: 12, Timeout: 55 * time.Second})
	deep := c.e.StartLoad(LoadOptions{Clients: 4, Timeout: 55 * time.Second, Depth: 50})
	for end := time.Now().Add(shortOrLong(15*time.Second, 5*time.Minute)); time.Now().Before(end) && !t.Failed(); {
		c.step()
		time.Sleep(time.Duration(c.rnd.IntN(1500)) * time.Millisecond)
		if c.steps%12 == 0 {
			c.heal()
			single.AwaitAll(nil)
			deep.AwaitAll(nil)
		}
	}
	c.heal()
	healed := single.Now()
	single.AwaitAll(nil)
	deep.AwaitAll(nil)
	t.Logf("%d faults; from the healing to a write of every client: %v", c.steps, single.Now()-healed)
	// Both end before either is compared: replicas are compared while nobody writes.
	single.halt()
	deep.halt()
	single.Stop()
	deep.Stop()
}

// chaos knows what is wrong with which server.
type chaos struct {
	t       *testing.T
	rnd     *rand.Rand
	e       *Ensemble
	network *Network
	state   map[*Server]string // "", "down", "stopped"
	steps   int
}

// step does one thing to one server or link.
func (c *chaos) step() {
	c.steps++
	s := c.e.Servers[c.rnd.IntN(len(c.e.Servers))]
	other := c.e.Servers[c.rnd.IntN(len(c.e.Servers))]
	switch c.state[s] {
	case "down":
		c.say("start", s)
		c.e.Launch(s)
		c.state[s] = ""
		return
	case "stopped":
		c.say("go on", s)
		s.Resume()
		c.state[s] = ""
		return
	}
	switch what := c.rnd.IntN(10); {
	case what < 3:
		c.say("kill", s)
		s.Kill()
		c.state[s] = "down"
	case what == 3:
		c.say("terminate", s)
		if err := s.Terminate(); err != nil && c.reachable() {
			c.t.Error(err)
		}
		c.state[s] = "down"
	case what == 4:
		c.say("kill all", c.e.Servers...)
		for _, all := range c.e.Servers {
			all.signal(sigkill)
		}
		for _, all := range c.e.Servers {
			all.Kill()
			c.state[all] = "down"
		}
		c.e.Launch(c.e.Servers...)
		clear(c.state)
	case what < 7:
		c.say("stop", s)
		s.Pause()
		c.state[s] = "stopped"
	case what == 7 && s != other:
		c.say("cut one way", s, other)
		c.network.CutOneWay([]*Server{s}, []*Server{other})
	case what == 8:
		c.say("cut off", s)
		c.network.Cut([]*Server{s}, c.e.Except(s))
	default:
		c.say("make links whole")
		c.network.Heal()
	}
}

// reachable reports whether nothing else is wrong that could hold up the end of a server.
func (c *chaos) reachable() bool {
	for _, s := range c.state {
		if s != "" {
			return false
		}
	}
	return true
}

func (c *chaos) say(what string, servers ...*Server) {
	line := fmt.Sprintf("%s %s %s", time.Now().Format("15:04:05.000"), what, names(servers))
	if c.t.Failed() || testing.Verbose() {
		c.t.Log(line)
	}
}

func (c *chaos) heal() {
	c.network.Heal()
	for _, s := range c.e.Servers {
		switch c.state[s] {
		case "down":
			c.e.Launch(s)
		case "stopped":
			s.Resume()
		}
	}
	clear(c.state)
	c.e.AwaitServing(c.e.Servers...)
	// Losing a disk is survived one at a time only, and when the others are up.
	if c.rnd.IntN(2) == 0 {
		s := c.e.Servers[c.rnd.IntN(len(c.e.Servers))]
		c.say("lose the disk of", s)
		s.Kill()
		c.e.must(s.Blank())
		c.e.Restart(s)
	}
}
