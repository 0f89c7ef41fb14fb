package server

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"zkd/test/wire"
)

// foretold is the state of one client's own znode, /m<i>, and its child /m<i>/c:
// nobody else touches them, so every reply and event is known in advance.
type foretold struct {
	exists  bool // child
	version int32
	data    string
	ids     int
	dataW   bool // one-shot data or exist watch on the child
	childW  bool // one-shot child watch on the parent
}

// answer is what one request must come to.
type answer struct {
	xid  int32
	op   wire.Op
	err  wire.Code
	data string
	n    int // children, ids; -1: any
	ver  int32
	evs  []wire.EventType // before this reply
}

func TestForetoldEvents(t *testing.T) {
	t.Run("alone", func(t *testing.T) { foretellAll(t, startServer(t, nil)) })
	t.Run("local sessions", func(t *testing.T) { foretellAll(t, startServer(t, localEnsemble(t, true))) })
}

func foretellAll(t *testing.T, s *Server) {
	root := connect(t, s)
	const clients = 4
	for i := range clients {
		root.create(fmt.Sprintf("/m%d", i), nil, 0)
	}
	var all sync.WaitGroup
	for i := range clients {
		c := connect(t, s)
		all.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(i), 99))
			m := &foretold{ids: 1}
			for range 12 {
				if err := foretell(c, m, rnd, fmt.Sprintf("/m%d", i)); err != nil {
					t.Errorf("client %d: %v", i, err)
					return
				}
			}
		})
	}
	all.Wait()
}

const noNode, nodeExists, noWatcher = wire.Code(-101), wire.Code(-110), wire.Code(-121)

func foretell(c *client, m *foretold, rnd *rand.Rand, dir string) error {
	child := dir + "/c"
	var b []byte
	var want []answer
	for range 200 {
		e := answer{n: -1, ver: -1}
		var body wire.Body
		gone := func() { // the child changes existence
			if m.dataW {
				m.dataW = false
				if m.exists {
					e.evs = append(e.evs, 2)
				} else {
					e.evs = append(e.evs, 1)
				}
			}
			if m.childW {
				m.childW = false
				e.evs = append(e.evs, 4)
			}
		}
		set := func(d string) {
			m.version++
			m.data = d
			if m.dataW {
				m.dataW = false
				e.evs = append(e.evs, 3)
			}
		}
		c.xid++
		e.xid = c.xid
		d := fmt.Sprint(c.xid)
		switch rnd.IntN(15) {
		case 0, 1:
			e.op, body = wire.OpCreate, wire.Create{Path: child, Data: []byte(d), ACL: wire.OpenACL, Flags: int32(rnd.IntN(2))}
			if m.exists {
				e.err = nodeExists
			} else {
				gone()
				m.exists, m.version, m.data = true, 0, d
			}
		case 2:
			e.op, body = wire.OpDelete, wire.PathVersion{Path: child, Version: -1}
			if !m.exists {
				e.err = noNode
			} else {
				gone()
				m.exists = false
			}
		case 3, 4:
			e.op, body = wire.OpSetData, wire.SetData{Path: child, Data: []byte(d), Version: -1}
			if !m.exists {
				e.err = noNode
			} else {
				set(d)
				e.ver = m.version
			}
		case 5:
			e.op = wire.OpMulti
			body = wire.Multi{Ops: []wire.SubOp{
				{Op: wire.OpSetData, Body: wire.SetData{Path: child, Data: []byte(d), Version: -1}},
				{Op: wire.OpSetData, Body: wire.SetData{Path: child, Data: []byte(d), Version: -1}},
			}}
			if m.exists {
				set(d)
				set(d)
			}
		case 6:
			e.op, body = wire.OpSync, wire.Path(child)
		case 7:
			if rnd.IntN(6) > 0 {
				e.op, body, e.n = wire.OpWhoAmI, nil, m.ids
				break
			}
			e.op, body = wire.OpAuth, wire.Auth{Scheme: "digest", Data: []byte(fmt.Sprintf("u%d:p", m.ids))}
			e.xid = -4
			m.ids++
		case 8:
			e.op, e.xid = wire.OpPing, -2
		case 9, 10, 11:
			w := rnd.IntN(2) == 0
			e.op, body = wire.OpGetData, wire.PathWatch{Path: child, Watch: w}
			if !m.exists {
				e.err = noNode
			} else {
				e.data, e.ver = m.data, m.version
				m.dataW = m.dataW || w
			}
		case 12:
			w := rnd.IntN(2) == 0
			e.op, body = wire.OpExists, wire.PathWatch{Path: child, Watch: w}
			m.dataW = m.dataW || w
			if !m.exists {
				e.err = noNode
			} else {
				e.ver = m.version
			}
		case 13:
			w := rnd.IntN(2) == 0
			e.op, body = wire.OpGetChildren, wire.PathWatch{Path: dir, Watch: w}
			m.childW = m.childW || w
			e.n = 0
			if m.exists {
				e.n = 1
			}
		case 14:
			if rnd.IntN(2) == 0 {
				e.op, body, e.n = wire.OpAllChildrenNumber, wire.Path(dir), 0
				if m.exists {
					e.n = 1
				}
				break
			}
			e.op, body = wire.OpRemoveWatches, wire.PathType{Path: child, Type: 2}
			if !m.dataW {
				e.err = noWatcher
			}
			m.dataW = false
		}
		b = append(b, wire.Frame(wire.Payload(e.xid, e.op, body))...)
		c.Expect(e.xid, e.op)
		want = append(want, e)
	}
	sent := make(chan error, 1)
	go func() {
		for len(b) > 0 {
			n := min(len(b), 1+rnd.IntN(2000))
			if err := c.Write(b[:n]); err != nil {
				sent <- err
				return
			}
			b = b[n:]
		}
		sent <- nil
	}()
	var zxid int64
	var evs []wire.EventType
	for i := 0; i < len(want); {
		ev, r, err := c.Next(patience)
		if err != nil {
			return fmt.Errorf("%d: %w", i, err)
		}
		if ev != nil {
			evs = append(evs, ev.Type)
			continue
		}
		w := want[i]
		switch {
		case r.Xid != w.xid, r.Err != w.err:
			return fmt.Errorf("%d: %+v, want %+v", i, r, w)
		case fmt.Sprint(evs) != fmt.Sprint(w.evs):
			return fmt.Errorf("%d: events %v before %+v, want %v", i, evs, r, w.evs)
		case r.Err != 0:
		case w.op == wire.OpGetData && string(r.Data) != w.data,
			w.ver >= 0 && r.Stat.Version != w.ver,
			w.op == wire.OpGetChildren && len(r.Names) != w.n,
			w.op == wire.OpWhoAmI && len(r.Clients) != w.n,
			w.op == wire.OpAllChildrenNumber && int(*r.Number) != w.n:
			return fmt.Errorf("%d: %+v, want %+v", i, r, w)
		}
		if w.op != wire.OpAuth {
			if r.Zxid < zxid {
				return fmt.Errorf("%d: zxid %#x after %#x", i, r.Zxid, zxid)
			}
			zxid = r.Zxid
		}
		evs = nil
		i++
	}
	return <-sent
}
