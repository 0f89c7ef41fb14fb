package ensemble

import (
	"fmt"
	"net"
	"testing"
	"time"

	"zkd/test/wire"
)

// A leader that is to go hands over to a server that has just stopped. Raft takes nothing while it tries, and what it has
// refused must be given to it again.
func TestHandOverToOneThatStops(t *testing.T) {
	OnlyZkd(t)
	e := Start(t, Reconfigurable(Options{}))
	leader := e.AwaitLeader()
	stops, stays := e.Except(leader)[0], e.Except(leader)[1]
	admin := OpenAdmin(t, leader)
	var writers []*Session
	for _, home := range []*Server{leader, leader, stays, stays} {
		s := Open(t, 30*time.Second, home)
		s.Create("/x", nil)
		writers = append(writers, s)
	}
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		// Whether it succeeds depends on when the server stops; only that there is an end of it is certain.
		admin.Try(wire.Reconfig{Joining: wire.Null, Leaving: fmt.Sprint(leader.ID), Members: wire.Null, ConfigID: -1})
	}()
	time.Sleep(12 * time.Millisecond) // the leader has read the request and not yet acted
	stops.Pause()
	for i, s := range writers {
		for range 5 {
			if _, err := s.Call(wire.OpSetData, wire.SetData{Path: "/x", Data: []byte{byte(i)}, Version: -1}); err != nil {
				t.Errorf("writer %d: %v", i, err)
				break
			}
		}
	}
	stops.Resume()
	<-asked
}

// Silent connections to the peer ports, more than a server greets at a time, keep no server from its peers.
func TestPeerPortsAreFlooded(t *testing.T) {
	OnlyZkd(t)
	e := Start(t, Options{})
	leader := e.AwaitLeader()
	rest := e.Except(leader)
	for _, s := range rest {
		for _, port := range s.ports[:2] {
			for range 100 {
				c, err := net.Dial("tcp", net.JoinHostPort(s.host, fmt.Sprint(port)))
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
			}
		}
	}
	leader.Kill()
	e.AwaitLeader(rest...)
}
