package soak

import (
	"bytes"
	"fmt"
	"strings"

	"zkd/test/oracle/recorded"
	"zkd/test/wire"
)

// request is what a client sends.
type request struct {
	op         wire.Op
	body       wire.Body
	sequential bool // it makes a znode whose name the server chooses
}

// The znodes of a run. There are few, so that clients meet; they come and go, and there are never many of them.
const (
	root     = "/soak"
	plain    = root + "/plain"   // znodes that come and go
	counters = root + "/counter" // znodes of a round, in no multi that changes them: Porcupine looks at them
	queues   = root + "/queue"
	own      = root + "/own" // ephemerals
)

func folders() (all []string) {
	all = []string{root, plain, counters, queues, own}
	for i := range 4 {
		all = append(all, fmt.Sprintf("%s/%d", queues, i))
	}
	return all
}

func isCounter(path string) bool { return strings.HasPrefix(path, counters+"/") }

func (m *member) somePlain() string { return fmt.Sprintf("%s/%d", plain, m.rnd.IntN(30)) }

func (m *member) someCounter() string {
	return fmt.Sprintf("%s/%d-%d", counters, m.f.round.Load(), m.rnd.IntN(6))
}

func (m *member) someQueue() string { return fmt.Sprintf("%s/%d", queues, m.rnd.IntN(4)) }
func (m *member) someOwn() string   { return fmt.Sprintf("%s/%d", own, m.rnd.IntN(12)) }

func (m *member) someData() []byte {
	size := m.rnd.IntN(120)
	if m.rnd.IntN(200) == 0 {
		size = m.rnd.IntN(20_000)
	}
	return append(fmt.Appendf(nil, "%d-%d-", m.n, m.rnd.Uint32()), bytes.Repeat([]byte{'x'}, size)...)
}

// mixture is what clients send; the numbers say how often.
var mixture = []struct {
	weight int
	make   func(m *member) []request
}{
	{20, func(m *member) []request { return one(wire.OpSetData, m.set(m.someCounter())) }},
	{2, func(m *member) []request { return one(wire.OpCreate, m.create(m.someCounter(), 0)) }},
	{1, func(m *member) []request {
		return one(wire.OpDelete, wire.PathVersion{Path: m.someCounter(), Version: m.rnd.Int32N(10) - 1})
	}},
	{8, func(m *member) []request { return one(wire.OpSetData, m.set(m.somePlain())) }},
	{8, func(m *member) []request { return one(wire.OpCreate, m.create(m.somePlain(), 0)) }},
	{4, func(m *member) []request { return one(wire.OpCreate2, m.create(m.someOwn(), 1)) }},
	{6, func(m *member) []request {
		return one(wire.OpDelete, wire.PathVersion{Path: m.somePlain(), Version: -1})
	}},
	{3, func(m *member) []request { return one(wire.OpDelete, wire.PathVersion{Path: m.someOwn(), Version: -1}) }},
	{8, (*member).queue},
	{5, (*member).multi},
	{1, func(m *member) []request {
		return one(wire.OpSetACL, wire.SetACL{Path: m.somePlain(), ACL: wire.OpenACL, Version: -1})
	}},
	{12, func(m *member) []request { return one(wire.OpGetData, wire.PathWatch{Path: m.someCounter()}) }},
	{6, func(m *member) []request {
		return one(wire.OpGetData, wire.PathWatch{Path: m.somePlain(), Watch: m.rnd.IntN(3) == 0})
	}},
	{5, func(m *member) []request {
		return one(wire.OpExists, wire.PathWatch{Path: m.somePlain(), Watch: m.rnd.IntN(2) == 0})
	}},
	{4, func(m *member) []request {
		return one(wire.OpGetChildren2, wire.PathWatch{Path: m.someQueue(), Watch: m.rnd.IntN(4) == 0})
	}},
	{3, func(m *member) []request {
		return one(wire.OpGetChildren, wire.PathWatch{Path: []string{plain, own}[m.rnd.IntN(2)], Watch: m.rnd.IntN(4) == 0})
	}},
	{2, func(m *member) []request { return one(wire.OpGetACL, wire.Path(m.somePlain())) }},
	{8, func(m *member) []request {
		path := m.someCounter()
		return append(one(wire.OpSync, wire.Path(path)), one(wire.OpGetData, wire.PathWatch{Path: path})...)
	}},
	{1, func(m *member) []request {
		mode := int32(recorded.AddPersistent)
		if m.rnd.IntN(2) == 0 {
			mode = recorded.AddRecursive
		}
		return one(wire.OpAddWatch, wire.PathType{Path: []string{plain, own, m.someCounter()}[m.rnd.IntN(3)], Type: mode})
	}},
	{1, func(m *member) []request {
		const anyKind = 3
		return one(wire.OpRemoveWatches, wire.PathType{Path: []string{plain, own, m.someCounter(), m.somePlain()}[m.rnd.IntN(4)], Type: anyKind})
	}},
}

// closing is how many requests a session sends before it is closed, in the mean, and another one is begun.
const closing = 2000

// vanishing is how many bursts a client sends before it goes without a word, in the mean: its session expires.
const vanishing = 1500

// draw is what to send next: one request, or some that belong together.
func (m *member) draw() []request {
	if m.rnd.IntN(closing) == 0 {
		return one(wire.OpClose, nil)
	}
	total := 0
	for _, x := range mixture {
		total += x.weight
	}
	n := m.rnd.IntN(total)
	for _, x := range mixture {
		if n -= x.weight; n < 0 {
			return x.make(m)
		}
	}
	panic("soak: weights do not add up")
}

func one(op wire.Op, body wire.Body) []request { return []request{{op: op, body: body}} }

func (m *member) create(path string, flags int32) wire.Create {
	return wire.Create{Path: path, Data: m.someData(), ACL: wire.OpenACL, Flags: flags}
}

// set demands a version sometimes, which may be right.
func (m *member) set(path string) wire.SetData {
	version := int32(-1)
	if m.rnd.IntN(3) == 0 {
		version = m.rnd.Int32N(5)
	}
	return wire.SetData{Path: path, Data: m.someData(), Version: version}
}

// queue puts something into a queue, or takes out what the client has put in.
func (m *member) queue() []request {
	if len(m.own) > 4 {
		path := m.own[0]
		m.own = m.own[1:]
		return one(wire.OpDelete, wire.PathVersion{Path: path, Version: -1})
	}
	flags := int32(2)
	if m.rnd.IntN(4) == 0 {
		flags = 3 // ephemeral too
	}
	return []request{{op: wire.OpCreate, body: m.create(m.someQueue()+"/n", flags), sequential: true}}
}

// multi does several things or none.
func (m *member) multi() []request {
	var all wire.Multi
	for range 1 + m.rnd.IntN(4) {
		var op wire.SubOp
		switch m.rnd.IntN(4) {
		case 0:
			op = wire.SubOp{Op: wire.OpSetData, Body: m.set(m.somePlain())}
		case 1:
			op = wire.SubOp{Op: wire.OpCreate, Body: m.create(m.somePlain(), 0)}
		case 2:
			op = wire.SubOp{Op: wire.OpDelete, Body: wire.PathVersion{Path: m.somePlain(), Version: -1}}
		default:
			op = wire.SubOp{Op: wire.OpCheck, Body: wire.PathVersion{Path: m.someCounter(), Version: -1}}
		}
		all.Ops = append(all.Ops, op)
	}
	return one(wire.OpMulti, all)
}
