package ensemble

import (
	"testing"
	"time"
)

// Links break in every pattern that matters, while clients write from next to each server. Whoever has a majority in
// reach goes on; a server that has not stops serving; when the links are whole again, nothing is lost or doubled.
func TestPartitions(t *testing.T) {
	for _, row := range []struct {
		name   string
		voters int
		// cut breaks links around the leader and returns the servers whose clients must go on, and those that must
		// stop serving.
		cut func(n *Network, t *testing.T, leader *Server, rest []*Server) (going, stopped []*Server)
	}{
		{"the leader alone with its clients", 3, func(n *Network, t *testing.T, leader *Server, rest []*Server) (going, stopped []*Server) {
			n.Cut([]*Server{leader}, rest)
			return rest, []*Server{leader}
		}},
		{"a follower alone with its clients", 3, func(n *Network, t *testing.T, leader *Server, rest []*Server) (going, stopped []*Server) {
			n.Cut(rest[:1], []*Server{leader, rest[1]})
			return []*Server{leader, rest[1]}, rest[:1]
		}},
		{"the leader is heard by nobody", 3, func(n *Network, t *testing.T, leader *Server, rest []*Server) (going, stopped []*Server) {
			n.CutOneWay([]*Server{leader}, rest)
			return rest, []*Server{leader}
		}},
		{"the leader hears nobody", 3, func(n *Network, t *testing.T, leader *Server, rest []*Server) (going, stopped []*Server) {
			n.CutOneWay(rest, []*Server{leader})
			return rest, []*Server{leader}
		}},
		{"a follower is heard by nobody", 3, func(n *Network, t *testing.T, leader *Server, rest []*Server) (going, stopped []*Server) {
			n.CutOneWay(rest[:1], []*Server{leader, rest[1]})
			return []*Server{leader, rest[1]}, rest[:1]
		}},
		{"a follower hears nobody", 3, func(n *Network, t *testing.T, leader *Server, rest []*Server) (going, stopped []*Server) {
			n.CutOneWay([]*Server{leader, rest[1]}, rest[:1])
			return []*Server{leader, rest[1]}, rest[:1]
		}},
		{"one link of three, at the leader", 3, func(n *Network, t *testing.T, leader *Server, rest []*Server) (going, stopped []*Server) {
			n.Cut([]*Server{leader}, rest[:1])
			return rest[1:], nil // who leads next, if anyone, is not said
		}},
		{"halves", 4, func(n *Network, t *testing.T, leader *Server, rest []*Server) (going, stopped []*Server) {
			n.Cut([]*Server{leader, rest[0]}, rest[1:])
			return nil, append(rest, leader)
		}},
		{"a ring of five", 5, func(n *Network, t *testing.T, leader *Server, rest []*Server) (going, stopped []*Server) {
			ring := append([]*Server{leader}, rest...)
			for i, s := range ring {
				n.Cut([]*Server{s}, []*Server{ring[(i+2)%5]})
			}
			return []*Server{leader, ring[1], ring[4]}, nil // all it takes to be a majority
		}},
		{"halves of five with the leader as the bridge", 5, func(n *Network, t *testing.T, leader *Server, rest []*Server) (going, stopped []*Server) {
			n.Cut(rest[:2], rest[2:])
			return append(rest, leader), nil
		}},
		{"halves of five with a follower as the bridge", 5, func(n *Network, t *testing.T, leader *Server, rest []*Server) (going, stopped []*Server) {
			n.Cut([]*Server{leader, rest[0]}, rest[2:])
			return []*Server{leader, rest[0], rest[1]}, nil
		}},
		{"the leader and a follower of five, with their clients", 5, func(n *Network, t *testing.T, leader *Server, rest []*Server) (going, stopped []*Server) {
			n.Cut([]*Server{leader, rest[0]}, rest[1:])
			return rest[1:], []*Server{leader, rest[0]}
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			if row.voters > 3 {
				onlyLong(t)
			}
			t.Parallel()
			network := NewNetwork(t)
			e := Start(t, Options{Voters: row.voters, Network: network})
			l := e.StartLoad(LoadOptions{Clients: 6 * row.voters, Pause: 20 * time.Millisecond, Timeout: 30 * time.Second})
			l.AwaitAll(nil)
			leader := e.AwaitLeader()
			at, before := l.Now(), map[*Server]int{}
			for _, s := range e.Servers {
				before[s] = connections(l, []*Server{s})
			}
			going, stopped := row.cut(network, t, leader, e.Except(leader))
			l.AwaitAll(ClientsOf(going...))
			for _, s := range stopped {
				e.Await(s.String()+" stops serving", func() bool { return s.Mode() == "" })
			}
			time.Sleep(shortOrLong(3*time.Second, 10*time.Second)) // longer than anyone waits for a peer
			l.AwaitAll(ClientsOf(going...))
			gap, lost := l.Gap(at, l.Now(), ClientsOf(going...)), 0
			for _, s := range going {
				lost += connections(l, []*Server{s}) - before[s]
			}
			t.Logf("longest time without a completed write on the side of the majority: %v; %d connections lost there", gap, lost)
			if gap > unbearable {
				t.Errorf("a client waited %v", gap)
			}
			healed := l.Now()
			network.Heal()
			e.AwaitServing(e.Servers...)
			l.AwaitAll(nil)
			t.Logf("from the healing to a write of every client: %v", l.Now()-healed)
			l.Stop()
		})
	}
}

// Servers are parted from each other and not from their clients: these are sent away by a server that has lost its
// majority, and go on at the others with their sessions.
func TestOnlyPeersAreCut(t *testing.T) {
	for _, role := range []Role{Leader, Follower} {
		t.Run(string(role), func(t *testing.T) {
			t.Parallel()
			network := NewNetwork(t)
			e := Start(t, Options{Network: network})
			l := e.StartLoad(LoadOptions{Clients: 12, Timeout: 30 * time.Second, From: network.Space(t, 100)})
			l.AwaitAll(nil)
			alone := e.AwaitRole(role)
			there, back := Between(IDs(alone), IDs(e.Except(alone)...), Rule{Ports: PeerPorts, Loss: 1})
			at := l.Now()
			network.Add(there, back)
			l.AwaitAll(nil) // also those whose home it is
			if mode := alone.Mode(); mode != "" {
				t.Errorf("alone it serves as %s", mode)
			}
			t.Logf("longest time without a completed write, all clients: %v", l.Gap(at, l.Now(), Everyone))
			network.Heal()
			e.AwaitServing(alone)
			l.Settle()
			l.Stop()
		})
	}
}

// Clients are parted from the leader and nobody else: they go on elsewhere, and the leader leads on.
func TestOnlyClientsAreCut(t *testing.T) {
	t.Parallel()
	network := NewNetwork(t)
	e := Start(t, Options{Network: network})
	clients := network.Space(t, 100)
	l := e.StartLoad(LoadOptions{Clients: 12, Timeout: 6 * time.Second, From: clients})
	l.AwaitAll(nil)
	leader := e.AwaitLeader()
	rest := e.Except(leader)
	lost, at := connections(l, rest), l.Now()
	network.Add(Between(IDs(leader), []int{clients.ID}, Rule{Loss: 1}))
	l.AwaitAll(nil)
	t.Logf("longest time without a completed write: clients of the others %v, all %v", l.Gap(at, l.Now(), ClientsOf(rest...)),
		l.Gap(at, l.Now(), Everyone))
	if n := connections(l, rest) - lost; n > 0 {
		t.Errorf("%d connections to %s were lost", n, names(rest))
	}
	if mode := leader.Mode(); mode != string(Leader) {
		t.Errorf("who led is %q", mode)
	}
	network.Heal()
	l.Settle()
	l.Stop()
}
