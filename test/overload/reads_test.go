package overload

import (
	"fmt"
	"testing"
	"time"

	"zkd/test/wire"
)

func fillList(children int) func(t *testing.T, tg *target) {
	return func(t *testing.T, tg *target) {
		fill(t, tg.victim.addr, 1, func(int) string { return "/list" }, nil)
		fill(t, tg.victim.addr, children, func(i int) string { return fmt.Sprintf("/list/%06d", i) }, nil)
	}
}

var theList = wire.PathWatch{Path: "/list"}

// A list of very many children, asked for again and again: while one is made nothing is written.
func TestGiantLists(t *testing.T) {
	const clients = 10
	children := shortOrLong(50_000, 1_000_000)
	scenario{
		name: fmt.Sprintf("lists of %d children, %d clients", children, clients), limit: shortOrLong(256*mega, 768*mega), lasts: 4 * time.Second,
		prepare: fillList(children),
		attack: func(f *force) {
			f.each(clients, func(int) {
				f.flood(pipeline(1, wire.OpGetChildren2, func(int) wire.Body { return theList }), 1)
			})
		},
		least: 10,
	}.run(t)
}

// The same from clients that do not take the answer.
func TestUnreadLists(t *testing.T) {
	children, clients := shortOrLong(50_000, 1_000_000), shortOrLong(400, 200)
	scenario{
		name: fmt.Sprintf("lists of %d children that nobody reads, %d clients", children, clients), limit: shortOrLong(256*mega, 1024*mega),
		lasts: 4 * time.Second, prepare: fillList(children),
		attack: func(f *force) {
			f.each(clients, func(int) {
				f.deaf(pipeline(20, wire.OpGetChildren2, func(int) wire.Body { return theList }), 20)
			})
		},
		least: 10,
	}.run(t)
}

// Reads behind a write are answered right behind it, whether the client takes the answers or not.
func TestUnreadBehindWrites(t *testing.T) {
	clients := shortOrLong(200, 500)
	path := func(int) string { return "/large" }
	scenario{
		name: fmt.Sprintf("1 MB behind a write that nobody reads, %d clients", clients), limit: 256 * mega, lasts: 4 * time.Second,
		prepare: func(t *testing.T, tg *target) {
			fill(t, tg.victim.addr, 1, path, make([]byte, 1_000_000))
			fill(t, tg.victim.addr, 1, func(int) string { return "/small" }, nil)
		},
		attack: func(f *force) {
			f.each(clients, func(int) {
				f.deaf(pipeline(9, wire.OpGetData, func(i int) wire.Body { return wire.PathWatch{Path: "/large"} }), 9)
			})
			f.each(clients, func(int) {
				write := pipeline(1, wire.OpSetData, func(int) wire.Body { return set("/small", 10) })
				f.deaf(append(write, pipeline(8, wire.OpGetData, func(int) wire.Body { return wire.PathWatch{Path: "/large"} })...), 9)
			})
		},
		least: 100,
	}.run(t)
}

// One request that asks for much.
func TestMultiReads(t *testing.T) {
	const clients = 100
	scenario{
		name: fmt.Sprintf("multiReads of 15 MB that nobody reads, %d clients", clients), limit: 256 * mega, lasts: 4 * time.Second,
		prepare: func(t *testing.T, tg *target) {
			fill(t, tg.victim.addr, 1, func(int) string { return "/large" }, make([]byte, 1_000_000))
		},
		attack: func(f *force) {
			var m wire.Multi
			for range 15 {
				m.Ops = append(m.Ops, wire.SubOp{Op: wire.OpGetData, Body: wire.PathWatch{Path: "/large"}})
			}
			f.each(clients, func(int) {
				f.deaf(pipeline(4, wire.OpMultiRead, func(int) wire.Body { return m }), 4)
			})
		},
		least: 10,
	}.run(t)
}
