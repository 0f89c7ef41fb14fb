package ensemble

import (
	"fmt"
	"testing"
	"time"

	"zkd/test/wire"
)

// A client gives up a server while its requests are still on their way there, and goes on at another with its session.
// What arrives at the first one afterwards is not obeyed: a write of unknown outcome is never made behind a later one.
func TestMoveWithRequestsOnTheirWay(t *testing.T) {
	t.Parallel()
	network := NewNetwork(t)
	e := Start(t, Options{Network: network})
	far := network.Space(t, 100)
	c := newSession(t, 20*time.Second, e.Servers[0])
	c.from = far
	c.Create("/n", nil)
	for round := range shortOrLong(6, 60) {
		from, to := e.Servers[round%3], e.Servers[(round+1)%3]
		c.Move(from)
		c.Set("/n", nil) // connected
		_, before := c.Get("/n")
		hold := &Rule{From: []int{far.ID}, To: IDs(from), Hold: true}
		network.Add(hold)
		old := c.conn
		for i := range 5 {
			if err := old.Send(int32(10_000+i), wire.OpSetData, wire.SetData{Path: "/n", Data: []byte("old"), Version: -1}); err != nil {
				t.Fatal(err)
			}
			if err := old.Send(int32(20_000+i), wire.OpCreate, wire.Create{Path: "/late-", Data: nil, ACL: wire.OpenACL, Flags: 2}); err != nil {
				t.Fatal(err)
			}
		}
		c.conn = nil // and stays open
		c.Move(to)
		want := fmt.Sprintf("round %d", round)
		c.Set("/n", []byte(want))
		network.Remove(hold)
		for { // until the old server has done with the connection
			_, r, err := old.Next(Patience)
			if err != nil {
				break
			}
			if r != nil && r.Err == 0 {
				t.Errorf("round %d: answered %+v over the old connection", round, r)
			}
		}
		old.Close()
		c.Sync()
		data, stat := c.Get("/n")
		if string(data) != want || stat.Version != before.Version+1 {
			t.Errorf("round %d: it holds %q, version %d after %d", round, data, stat.Version, before.Version)
		}
	}
	if names := c.Must(wire.OpGetChildren, wire.PathWatch{Path: "/"}).Names; len(names) != 2 {
		t.Errorf("the root has %v", names)
	}
	for _, err := range c.Errs() {
		t.Error(err)
	}
	e.CompareReplicas()
}

// Two clients use one session by turns, each with a connection to another server. Only the later connection counts, and
// what the session has seen never goes back.
func TestTwoClientsOneSession(t *testing.T) {
	t.Parallel()
	e := Start(t, Options{})
	c := Open(t, 20*time.Second, e.Servers[0])
	c.Create("/n", nil)
	acknowledged := int32(0)
	_, stat := c.Get("/n")
	first := stat.Version
	for round := range shortOrLong(30, 300) {
		old := c.conn
		c.conn = nil
		c.Move(e.Servers[(round+1)%3])
		// Both send at once; who was there first may get through until the other is.
		sent := old.Send(int32(10_000), wire.OpSetData, wire.SetData{Path: "/n", Data: []byte("old"), Version: -1}) == nil
		c.Set("/n", []byte("new"))
		acknowledged++
		if sent {
			for {
				_, r, err := old.Next(Patience)
				if err != nil {
					break
				}
				if r != nil && r.Xid == 10_000 && r.Err == 0 {
					acknowledged++
				}
			}
		}
		old.Close()
		c.Sync()
		if data, _ := c.Get("/n"); string(data) != "new" {
			t.Errorf("round %d: the older connection wrote behind the newer one", round)
		}
	}
	c.Sync()
	_, stat = c.Get("/n")
	// One over an old connection may have been made just before it was closed, unanswered.
	if made := stat.Version - first; made < acknowledged {
		t.Errorf("%d writes were acknowledged, %d made", acknowledged, made)
	}
	for _, err := range c.Errs() {
		t.Error(err)
	}
}
