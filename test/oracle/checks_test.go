package oracle

import (
	"strings"
	"testing"
	"time"

	"zkd/test/wire"
)

// A wrong is a run in which a promise is broken, and the check that has to say so.
type wrong struct {
	name  string
	check Check
	spoil func(f *fake)
}

var all = Options{Quiet: 2 * time.Second, Clock: LeaderClock, Staleness: 5 * time.Second, Second: func(path string) bool { return path == "/k" }}

// wrongs is every way in which the checks can be sure that something is wrong.
var wrongs = []wrong{
	{"an acknowledged write is not in the sequence", Durable, func(f *fake) {
		c := f.client()
		c.create("/a")
		f.entries = f.entries[:len(f.entries)-1]
	}},
	{"a write is acknowledged with another zxid", Durable, func(f *fake) {
		a, b := f.client(), f.client()
		i := a.create("/a")
		b.create("/b")
		i.Zxid++
	}},
	{"a write is acknowledged with another result", Durable, func(f *fake) { f.client().create("/a").Reply = appendString(nil, "/b") }},
	{"a write is acknowledged and failed", Durable, func(f *fake) {
		c := f.client()
		c.create("/a")
		i := c.create("/a")
		i.Code, i.Reply = 0, appendString(nil, "/a")
	}},
	{"something else is committed than was sent", Durable, func(f *fake) {
		c := f.client()
		c.create("/a").Body = wire.Create{Path: "/b", ACL: wire.OpenACL}
	}},
	{"a reply shows a zxid that was never committed", Durable, func(f *fake) {
		c := f.client()
		c.create("/a")
		c.ping().Zxid += 5
	}},
	{"a write has a smaller zxid than one that returned before", Linear, func(f *fake) {
		a, b := f.client(), f.client()
		i := a.create("/a")
		b.create("/b")
		i.Called = f.h.Stamp()
		i.Returned = f.h.Stamp()
	}},
	{"a write was seen before it was called", Linear, func(f *fake) {
		a, b := f.client(), f.client()
		i := a.create("/a")
		b.get("/a")
		i.Called = f.h.Stamp()
		i.Returned = f.h.Stamp()
	}},
	{"a sync misses a write that returned before", Linear, func(f *fake) {
		a, b := f.client(), f.client()
		i := a.sync()
		b.create("/b")
		i.Called = f.h.Stamp()
		i.Returned = f.h.Stamp()
	}},
	{"a server shows what is long gone", Linear, func(f *fake) {
		a, b := f.client(), f.client()
		i := a.get("/")
		b.create("/b")
		i.CalledAt += 6 * time.Second
		i.ReturnedAt += 6 * time.Second
	}},
	{"Porcupine sees a read behind a sync that is not of now", Linear, func(f *fake) {
		a, b := f.client(), f.client()
		b.create("/k")
		a.sync()
		i := a.get("/k")
		b.set("/k", "x")
		a.items[len(a.items)-2].Called, i.Returned = f.h.Stamp(), f.h.Stamp()
	}},
	{"a write is applied twice", AtMostOnce, func(f *fake) {
		c := f.client()
		c.create("/a")
		c.set("/a", "x")
		c.commit(wire.OpSetData, c.xid, wire.SetData{Path: "/a", Data: []byte("x"), Version: -1})
	}},
	{"a lost write is applied twice", AtMostOnce, func(f *fake) {
		c := f.client()
		c.create("/a")
		c.lose("/a", "x", true)
		c.commit(wire.OpSetData, c.xid, wire.SetData{Path: "/a", Data: []byte("x"), Version: -1})
	}},
	{"a lost write is applied behind a later one of its session", AtMostOnce, func(f *fake) {
		c := f.client()
		c.create("/a")
		c.lose("/a", "x", false)
		lost := c.xid
		c.set("/a", "y")
		c.commit(wire.OpSetData, lost, wire.SetData{Path: "/a", Data: []byte("x"), Version: -1})
	}},
	{"a write is applied that nobody sent", AtMostOnce, func(f *fake) {
		c := f.client()
		c.create("/a")
		c.commit(wire.OpSetData, c.xid+1, wire.SetData{Path: "/a", Version: -1})
	}},
	{"an unknown session writes", AtMostOnce, func(f *fake) {
		c := f.client()
		c.create("/a")
		f.entry(Entry{Op: wire.OpCreateSession, Session: 7})
		f.entry(Entry{Op: wire.OpDelete, Session: 7, Xid: 1, Body: wire.Payload(1, wire.OpDelete, wire.PathVersion{Path: "/a", Version: -1})[8:]})
	}},
	{"zxids fall within a session", SessionView, func(f *fake) {
		a, b := f.client(), f.client()
		a.create("/a")
		i := b.get("/a")
		old := i.Zxid
		a.set("/a", "x")
		b.get("/a")
		b.ping().Zxid = old
	}},
	{"a read shows a later state than its zxid", SessionView, func(f *fake) {
		a, b := f.client(), f.client()
		a.create("/a")
		zxid := f.m.zxid
		a.set("/a", "x")
		b.get("/a").Zxid = zxid
	}},
	{"a read shows other data", SessionView, func(f *fake) {
		c := f.client()
		c.create("/a")
		c.set("/a", "x")
		c.get("/a").Reply[4] = 'y'
	}},
	{"a read does not see its own write", SessionView, func(f *fake) {
		c := f.client()
		c.create("/a")
		c.delete("/a")
		i := c.create("/a")
		c.get("/a").Zxid = i.Zxid - 1
		c.last().Code, c.last().Reply = wire.CodeNoNode, nil
	}},
	{"a child is missing in a list", SessionView, func(f *fake) {
		c := f.client()
		c.create("/a")
		c.ask(wire.OpGetChildren, "/", false).Reply = appendString([]byte{0, 0, 0, 1}, "zookeeper")
	}},
	{"a write has the zxid of what was shown before it", SessionView, func(f *fake) {
		c := f.client()
		i := c.create("/a")
		z := i.Zxid
		c.ping()
		c.swap()
		if c.last().Zxid != z {
			panic("the fake has changed")
		}
	}},
	{"a reply is of no state", SessionView, func(f *fake) {
		c := f.client()
		i := c.get("/")
		i.Zxid, i.Code, i.Reply = 0, wire.CodeNoNode, nil
	}},
	{"a write is answered behind an event of a later one", SessionView, func(f *fake) {
		a, b := f.client(), f.client()
		a.create("/a")
		b.ask(wire.OpGetData, "/a", true)
		i := *b.create("/b")
		b.items = b.items[:len(b.items)-1]
		a.set("/a", "x")
		b.event(nodeDataChanged, "/a")
		b.items = append(b.items, i)
	}},
	{"a frame is garbled", SessionView, func(f *fake) { f.client().add(Item{Kind: Garbled, Path: "reply to request 2 where that to 1 was due"}) }},
	{"an event is missing", Watches, func(f *fake) {
		a, b := f.client(), f.client()
		a.create("/a")
		b.ask(wire.OpGetData, "/a", true)
		a.set("/a", "x")
		b.ping()
	}},
	{"an event comes behind a reply that shows the change", Watches, func(f *fake) {
		a, b := f.client(), f.client()
		a.create("/a")
		b.ask(wire.OpGetData, "/a", true)
		a.set("/a", "x")
		b.event(nodeDataChanged, "/a")
		b.get("/a")
		b.swap()
	}},
	{"an event of its own comes behind the write's reply", Watches, func(f *fake) {
		c := f.client()
		c.create("/a")
		c.ask(wire.OpExists, "/a", true)
		c.set("/a", "x")
		c.event(nodeDataChanged, "/a")
	}},
	{"an event comes before the reply that registers its watch", Watches, func(f *fake) {
		a, b := f.client(), f.client()
		a.create("/a")
		i := *b.ask(wire.OpGetData, "/a", true)
		b.items = b.items[:len(b.items)-1]
		a.set("/a", "x")
		b.event(nodeDataChanged, "/a")
		b.items = append(b.items, i)
	}},
	{"a one-shot watch fires twice", Watches, func(f *fake) {
		a, b := f.client(), f.client()
		a.create("/a")
		b.ask(wire.OpGetData, "/a", true)
		a.set("/a", "x")
		b.event(nodeDataChanged, "/a")
		a.set("/a", "y")
		b.event(nodeDataChanged, "/a")
	}},
	{"an event comes twice", Watches, func(f *fake) {
		a, b := f.client(), f.client()
		a.create("/a")
		b.addWatch("/a", 0)
		a.set("/a", "x")
		b.event(nodeDataChanged, "/a")
		b.event(nodeDataChanged, "/a")
	}},
	{"an event has another type", Watches, func(f *fake) {
		a, b := f.client(), f.client()
		b.ask(wire.OpExists, "/a", true)
		a.create("/a")
		b.event(nodeDataChanged, "/a")
	}},
	{"an event has another zxid", Watches, func(f *fake) {
		a, b := f.client(), f.client()
		b.ask(wire.OpExists, "/a", true)
		a.create("/a")
		a.create("/b")
		b.event(nodeCreated, "/a")
	}},
	{"a persistent watch leaves a change out", Watches, func(f *fake) {
		a, b := f.client(), f.client()
		a.create("/a")
		b.addWatch("/a", 0)
		a.set("/a", "x")
		a.set("/a", "y")
		b.event(nodeDataChanged, "/a")
	}},
	{"a persistent watch does not see children", Watches, func(f *fake) {
		a, b := f.client(), f.client()
		a.create("/a")
		b.addWatch("/a", 0)
		a.create("/a/b")
		b.ping()
	}},
	{"a recursive watch does not see what is deeper", Watches, func(f *fake) {
		a, b := f.client(), f.client()
		a.create("/a")
		a.create("/a/b")
		b.addWatch("/a", 1)
		a.create("/a/b/c")
		b.ping()
	}},
	{"events of a multi come in another order", Watches, func(f *fake) {
		a, b := f.client(), f.client()
		a.create("/a")
		b.addWatch("/", 1)
		a.write(wire.OpMulti, wire.Multi{Ops: []wire.SubOp{
			{Op: wire.OpSetData, Body: wire.SetData{Path: "/a", Version: -1}}, {Op: wire.OpDelete, Body: wire.PathVersion{Path: "/a", Version: -1}},
		}})
		b.event(nodeDeleted, "/a")
		b.event(nodeDataChanged, "/a")
	}},
	{"a failed multi fires", Watches, func(f *fake) {
		a, b := f.client(), f.client()
		a.create("/a")
		b.addWatch("/", 1)
		a.write(wire.OpMulti, wire.Multi{Ops: []wire.SubOp{
			{Op: wire.OpSetData, Body: wire.SetData{Path: "/a", Version: -1}}, {Op: wire.OpDelete, Body: wire.PathVersion{Path: "/b", Version: -1}},
		}})
		b.event(nodeDataChanged, "/a")
	}},
	{"the end of a session is not told to who watches its ephemeral", Watches, func(f *fake) {
		a, b := f.client(), f.client()
		a.ephemeral("/a")
		a.ephemeral("/b")
		b.addWatch("/", 1)
		a.close()
		b.event(nodeDeleted, "/b")
		b.ping()
	}},
	{"a watch is lost with the connection", Watches, func(f *fake) {
		a, b := f.client(), f.client()
		a.create("/a")
		since := b.ask(wire.OpGetData, "/a", true).Zxid
		b.reconnect()
		b.setWatches(wire.SetWatches2{SetWatches: wire.SetWatches{Relative: since, Data: []string{"/a"}}})
		a.set("/a", "x")
		b.ping()
	}},
	{"what a watch missed is not caught up with", Watches, func(f *fake) {
		a, b := f.client(), f.client()
		a.create("/a")
		since := b.ask(wire.OpGetData, "/a", true).Zxid
		b.reconnect()
		a.set("/a", "x")
		b.setWatches(wire.SetWatches2{SetWatches: wire.SetWatches{Relative: since, Data: []string{"/a"}}})
	}},
	{"nothing was missed, and is caught up with", Watches, func(f *fake) {
		a, b := f.client(), f.client()
		a.create("/a")
		since := b.ask(wire.OpGetData, "/a", true).Zxid
		b.reconnect()
		b.catchUp(nodeDataChanged, "/a")
		b.setWatches(wire.SetWatches2{SetWatches: wire.SetWatches{Relative: since, Data: []string{"/a"}}})
	}},
	{"a watch of the old connection fires", Watches, func(f *fake) {
		a, b := f.client(), f.client()
		a.create("/a")
		b.ask(wire.OpGetData, "/a", true)
		b.reconnect()
		a.set("/a", "x")
		b.event(nodeDataChanged, "/a")
	}},
	{"a watch that is set cannot be removed", Watches, func(f *fake) {
		c := f.client()
		c.addWatch("/a", 1)
		c.add(Item{Op: wire.OpRemoveWatches, Xid: 99, Body: wire.PathType{Path: "/a", Type: 5}, Zxid: f.m.zxid, Code: wire.CodeNoWatcher})
	}},
	{"a removed watch fires", Watches, func(f *fake) {
		a, b := f.client(), f.client()
		a.create("/a")
		b.addWatch("/a", 1)
		b.add(Item{Op: wire.OpRemoveWatches, Xid: 99, Body: wire.PathType{Path: "/a", Type: 5}, Zxid: f.m.zxid})
		a.set("/a", "x")
		b.event(nodeDataChanged, "/a")
	}},
	{"a result is not what the request gives", Replicas, func(f *fake) {
		c := f.client()
		i := c.create("/a")
		i.Code, i.Reply = wire.CodeNodeExists, nil
		e := &f.entries[len(f.entries)-1]
		e.Code, e.Reply = wire.CodeNodeExists, nil
	}},
	{"a zxid is left out", Replicas, func(f *fake) {
		c := f.client()
		i := c.create("/a")
		i.Zxid++
		f.entries[len(f.entries)-1].Zxid++
	}},
	{"the time goes back", Replicas, func(f *fake) {
		c := f.client()
		c.sync()
		f.entries[len(f.entries)-1].Time -= 1000
	}},
	{"a request of a replaced connection is obeyed", Replicas, func(f *fake) {
		c := f.client()
		c.create("/a")
		c.reconnect()
		c.gen--
		c.set("/a", "x")
		e := &f.entries[len(f.entries)-1]
		e.Void, e.Zxid = false, e.Zxid+1
	}},
	{"a session expires early", Ephemerals, func(f *fake) {
		c := f.client()
		c.ping()
		c.expire(5 * time.Second)
	}},
	{"a session that has ended is answered", Ephemerals, func(f *fake) {
		a, b := f.client(), f.client()
		a.expire(11 * time.Second)
		b.create("/a")
		a.ping()
	}},
	{"a session expires late", Ephemerals, func(f *fake) {
		c := f.client()
		c.ping()
		c.expire(20 * time.Second)
	}},
	{"a session is refused before it ends", Ephemerals, func(f *fake) {
		c := f.client()
		c.add(Item{Kind: Expired})
		c.expire(11 * time.Second)
	}},
	{"a session is given that nobody has committed", Durable, func(f *fake) {
		f.client()
		f.entries = f.entries[:len(f.entries)-1]
	}},
	{"a write is refused, and is not in the sequence", Durable, func(f *fake) {
		c := f.client()
		i := c.create("/a")
		i.Code, i.Reply = wire.CodeSessionMoved, nil
		f.entries = f.entries[:len(f.entries)-1]
	}},
	{"a TTL znode goes too early", Ephemerals, func(f *fake) {
		c := f.client()
		i := c.write(wire.OpCreateTTL, wire.CreateTTL{Create: wire.Create{Path: "/a", ACL: wire.OpenACL, Flags: 5}, TTL: 1000})
		f.time += 900
		f.reap("/a", i.Zxid)
	}},
	{"a session is refused and has not ended", Ephemerals, func(f *fake) { f.client().add(Item{Kind: Expired}) }},
	{"an ephemeral is lost", Ephemerals, func(f *fake) {
		a, b := f.client(), f.client()
		a.ephemeral("/a")
		i := b.get("/a")
		i.Code, i.Reply = wire.CodeNoNode, nil
	}},
	{"an ephemeral outlives its session", Ephemerals, func(f *fake) {
		a, b := f.client(), f.client()
		a.ephemeral("/a")
		i := *b.get("/a")
		a.close()
		i.Xid, i.Zxid, i.Called, i.Returned = 2, f.m.zxid, f.h.Stamp(), f.h.Stamp()
		b.items = append(b.items, i)
	}},
}

// TestWrongsAreSeen: a check that cannot fail is none.
func TestWrongsAreSeen(t *testing.T) {
	for _, w := range wrongs {
		t.Run(w.name, func(t *testing.T) {
			f := newFake(t)
			w.spoil(f)
			mustSay(t, f.verify(all), w.check)
		})
	}
}

// TestExpiry: a session has its timeout from when a leader gave it a connection, whatever else happens.
func TestExpiry(t *testing.T) {
	for _, clock := range []Clock{SeenClock, LeaderClock} {
		for _, wait := range []time.Duration{9 * time.Second, 11 * time.Second} {
			f := newFake(t)
			c := f.client()
			f.time += 9000
			c.reconnect()
			c.ping()
			c.expire(wait)
			list := f.verify(Options{Clock: clock})
			if early := wait < 10*time.Second; early {
				mustSay(t, list, Ephemerals)
			} else if len(list) > 0 {
				t.Error(Error(list))
			}
		}
	}
}

// TestSessionsOutlive: in the end there must be none.
func TestSessionsOutlive(t *testing.T) {
	f := newFake(t)
	f.client().ephemeral("/a")
	mustSay(t, f.verify(Options{Ended: true}), Ephemerals)
}

// TestRightIsRight: the same, done right, is no fault.
func TestRightIsRight(t *testing.T) {
	f := newFake(t)
	a, b := f.client(), f.client()
	a.create("/a")
	a.create("/k")
	b.ask(wire.OpGetData, "/a", true)
	b.ask(wire.OpExists, "/none", true)
	b.ask(wire.OpGetChildren, "/", true)
	b.addWatch("/a", 0)
	a.set("/a", "x")
	b.event(nodeDataChanged, "/a")
	b.get("/a")
	a.create("/none")
	b.event(nodeCreated, "/none")
	b.event(nodeChildrenChanged, "/")
	a.lose("/a", "y", true)
	b.event(nodeDataChanged, "/a")
	a.lose("/a", "z", false)
	a.ephemeral("/none/e")
	a.sync()
	a.get("/k")
	since := b.ask(wire.OpGetData, "/a", true).Zxid
	b.ask(wire.OpGetChildren, "/none", true)
	b.reconnect()
	a.set("/a", "w")
	b.catchUp(nodeDataChanged, "/a")
	b.setWatches(wire.SetWatches2{
		SetWatches: wire.SetWatches{Relative: since, Data: []string{"/a"}, Child: []string{"/none"}}, Recursive: []string{"/none"},
	})
	ttl := b.write(wire.OpCreateTTL, wire.CreateTTL{Create: wire.Create{Path: "/t", ACL: wire.OpenACL, Flags: 5}, TTL: 1000}).Zxid
	a.expire(11 * time.Second)
	b.event(nodeDeleted, "/none/e")
	b.event(nodeChildrenChanged, "/none")
	b.ping()
	f.reap("/t", ttl)
	f.term++
	b.set("/k", "v")
	b.delete("/k")
	b.close()
	a.add(Item{Kind: Expired})
	if err := Error(f.verify(all)); err != nil {
		t.Error(err)
	}
}

// A write was applied and the client heard of something later before its connection was lost: Porcupine has to know of
// the write, too, or it finds no order for what others read.
func TestLateUnansweredWrite(t *testing.T) {
	f := newFake(t)
	a, b := f.client(), f.client()
	a.create("/k")
	a.xid++
	body := wire.SetData{Path: "/k", Data: []byte("x"), Version: -1}
	lost := Item{Kind: Unanswered, Op: wire.OpSetData, Xid: a.xid, Body: body, Called: f.h.Stamp()}
	a.commit(wire.OpSetData, a.xid, body)
	a.ping()
	a.items = append(a.items, lost)
	a.reconnect()
	b.sync()
	b.get("/k")
	if err := Error(f.verify(all)); err != nil {
		t.Error(err)
	}
}

// A client asked for something, lost the connection, and went on over another: what the first server passes on later is void,
// also when it is the end of the session.
func TestLateRequest(t *testing.T) {
	for op, body := range map[wire.Op]wire.Body{wire.OpClose: nil, wire.OpSetData: wire.SetData{Path: "/k", Version: -1}} {
		f := newFake(t)
		a := f.client()
		a.create("/k")
		a.xid++
		a.items = append(a.items, Item{Kind: Unanswered, Op: op, Xid: a.xid, Body: body, Called: f.h.Stamp()})
		late := a.xid
		a.reconnect()
		a.set("/k", "later")
		a.commit(op, late, body)
		f.client().get("/k")
		if err := Error(f.verify(all)); err == nil || !strings.Contains(err.Error(), "was applied behind request") {
			t.Errorf("op %d: %v", op, err)
		}
	}
}

// Replies to requests that say who the client is have no zxid.
func TestAuthHasNoZxid(t *testing.T) {
	f := newFake(t)
	a := f.client()
	a.add(Item{Op: wire.OpAuth, Xid: -4, Body: wire.Auth{Scheme: "digest", Data: []byte("a:b")}})
	a.create("/k")
	if err := Error(f.verify(all)); err != nil {
		t.Error(err)
	}
}
