package oracle

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
	"time"

	"zkd/test/wire"
)

// fake writes the history and the sequence of a run by hand: a right one, for tests to spoil. What servers would have
// answered it takes from a model of its own.
type fake struct {
	t       testing.TB
	h       *History
	m       *model
	entries []Entry
	term    uint64
	time    int64
	clients []*fakeClient
}

type fakeClient struct {
	f     *fake
	id    int64
	log   *Log
	xid   int32
	gen   uint32
	items []Item
}

func newFake(t testing.TB) *fake {
	return &fake{t: t, h: NewHistory(), m: newModel(), term: 1}
}

// entry commits a request.
func (f *fake) entry(e Entry) (*Entry, result) {
	f.time += 10
	e.Index, e.Term, e.Time = uint64(len(f.entries)+2), f.term, max(e.Time, f.h.Began().UnixMilli()+f.time)
	e.Seen = f.h.Began().Add(time.Duration(f.time) * time.Millisecond)
	r := f.m.apply(&e)
	e.Zxid, e.Code, e.Reply, e.Void, e.Digest = f.m.zxid, r.code, r.reply, r.void, uint64(len(f.entries))
	f.entries = append(f.entries, e)
	return &f.entries[len(f.entries)-1], r
}

// client begins a session of 10 s.
func (f *fake) client() *fakeClient {
	c := &fakeClient{f: f, id: int64(len(f.clients) + 100)}
	f.entry(Entry{Op: wire.OpCreateSession, Session: c.id})
	c.log = f.h.Open(fmt.Sprint("client ", len(f.clients)), c.id, 10*time.Second)
	c.add(Item{Kind: Connected})
	f.clients = append(f.clients, c)
	return c
}

// add adds an item that begins and ends now.
func (c *fakeClient) add(i Item) *Item {
	if i.Called == 0 {
		i.Called = c.f.h.Stamp()
	}
	now := time.Duration(c.f.time) * time.Millisecond
	i.CalledAt, i.Returned, i.ReturnedAt = now, c.f.h.Stamp(), now
	c.items = append(c.items, i)
	return &c.items[len(c.items)-1]
}

func (c *fakeClient) commit(op wire.Op, xid int32, body wire.Body) *Entry {
	e, _ := c.f.entry(Entry{Op: op, Session: c.id, Generation: c.gen, Xid: xid, TTLNodes: true, Body: wire.Payload(xid, op, body)[8:]})
	return e
}

// write does a write or sync.
func (c *fakeClient) write(op wire.Op, body wire.Body) *Item {
	c.xid++
	called := c.f.h.Stamp()
	e := c.commit(op, c.xid, body)
	return c.add(Item{Op: op, Xid: c.xid, Body: body, Zxid: e.Zxid, Code: e.Code, Reply: e.Reply, Called: called})
}

func (c *fakeClient) create(path string) *Item {
	return c.write(wire.OpCreate, wire.Create{Path: path, ACL: wire.OpenACL})
}

func (c *fakeClient) ephemeral(path string) *Item {
	return c.write(wire.OpCreate, wire.Create{Path: path, ACL: wire.OpenACL, Flags: 1})
}

func (c *fakeClient) set(path, data string) *Item {
	return c.write(wire.OpSetData, wire.SetData{Path: path, Data: []byte(data), Version: -1})
}

func (c *fakeClient) delete(path string) *Item {
	return c.write(wire.OpDelete, wire.PathVersion{Path: path, Version: -1})
}

func (c *fakeClient) sync() *Item { return c.write(wire.OpSync, wire.Path("/")) }

// lose sends a write whose connection is lost before the reply; applied says whether it was applied.
func (c *fakeClient) lose(path, data string, applied bool) {
	c.xid++
	body := wire.SetData{Path: path, Data: []byte(data), Version: -1}
	if applied {
		c.commit(wire.OpSetData, c.xid, body)
	}
	c.items = append(c.items, Item{Kind: Unanswered, Op: wire.OpSetData, Xid: c.xid, Body: body, Called: c.f.h.Stamp()})
	c.reconnect()
}

// reconnect loses the connection and gets another one.
func (c *fakeClient) reconnect() {
	c.add(Item{Kind: Disconnected})
	c.f.entry(Entry{Op: opAttach, Session: c.id})
	c.gen++
	c.add(Item{Kind: Connected})
}

// ask does a read that leaves a watch if told so.
func (c *fakeClient) ask(op wire.Op, path string, watch bool) *Item {
	c.xid++
	i := Item{Op: op, Xid: c.xid, Body: wire.PathWatch{Path: path, Watch: watch}, Zxid: c.f.m.zxid}
	n := c.f.m.lookup(path)
	switch {
	case n == nil:
		i.Code = wire.CodeNoNode
	case op == wire.OpExists:
		i.Reply = appendStat(nil, n.stat())
	case op == wire.OpGetData:
		i.Reply = appendStat(appendBuffer(nil, n.data), n.stat())
	default:
		i.Reply = appendString([]byte{0, 0, 0, byte(len(n.children))}, "")[:4]
		for name := range n.children {
			i.Reply = appendString(i.Reply, name)
		}
	}
	return c.add(i)
}

func (c *fakeClient) get(path string) *Item { return c.ask(wire.OpGetData, path, false) }

// ping shows the state.
func (c *fakeClient) ping() *Item {
	return c.add(Item{Op: wire.OpPing, Xid: -2, Zxid: c.f.m.zxid})
}

func (c *fakeClient) addWatch(path string, mode int32) *Item {
	c.xid++
	return c.add(Item{Op: wire.OpAddWatch, Xid: c.xid, Body: wire.PathType{Path: path, Type: mode}, Zxid: c.f.m.zxid, Reply: []byte{0, 0, 0, 0}})
}

func (c *fakeClient) setWatches(b wire.SetWatches2) *Item {
	return c.add(Item{Op: wire.OpSetWatches2, Xid: -8, Body: b, Zxid: c.f.m.zxid})
}

// event is told of a change of the last transaction.
func (c *fakeClient) event(typ wire.EventType, path string) *Item {
	return c.add(Item{Kind: Notified, Type: typ, Path: path, Zxid: c.f.m.zxid})
}

func (c *fakeClient) catchUp(typ wire.EventType, path string) *Item {
	i := c.event(typ, path)
	i.Zxid = -1
	return i
}

// expire ends the session as a leader does.
func (c *fakeClient) expire(after time.Duration) {
	c.f.time += after.Milliseconds()
	c.f.entry(Entry{Op: wire.OpClose, Session: c.id, Generation: c.gen, Body: []byte{0, 0, 0, 0, 0, 0, 0, byte(c.f.term)}})
}

// reap takes a container or TTL znode away as a leader does.
func (f *fake) reap(path string, mzxid int64) {
	f.entry(Entry{Op: wire.OpDeleteContainer, Body: binary.BigEndian.AppendUint64(appendString(nil, path), uint64(mzxid))})
}

func (c *fakeClient) close() *Item { return c.write(wire.OpClose, nil) }

// last is the last item.
func (c *fakeClient) last() *Item { return &c.items[len(c.items)-1] }

// swap exchanges the last two items.
func (c *fakeClient) swap() {
	n := len(c.items)
	c.items[n-1], c.items[n-2] = c.items[n-2], c.items[n-1]
}

// verify judges the run; two servers have applied the sequence.
func (f *fake) verify(o Options) []Fault {
	seq := NewSequence()
	for _, name := range []string{"s1", "s2"} {
		stream := seq.Stream(name)
		for _, e := range f.entries {
			stream.Add(e)
		}
	}
	return f.judge(seq, o)
}

func (f *fake) judge(seq *Sequence, o Options) []Fault {
	for _, c := range f.clients {
		c.log.Add(c.items...)
		c.log.End()
	}
	seq.Settled("s1", "s2")
	list, _ := Verify(f.h, seq, o)
	return list
}

// mustSay fails unless a fault of the check was found.
func mustSay(t *testing.T, list []Fault, want Check) {
	t.Helper()
	if !slices.ContainsFunc(list, func(f Fault) bool { return f.Check == want }) {
		t.Errorf("no fault of %s was found: %v", want, Error(list))
	}
}
