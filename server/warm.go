package server

import (
	"encoding/binary"
	"sync"

	"zkd/consensus"
	"zkd/proto/jute"
	"zkd/znode"
)

// In a large tree requests that wait together are looked ahead at, so that the
// lookups of all of them wait for memory at the same time: see znode.Row.

var rows = sync.Pool{New: func() any { return new(znode.Row) }}

// warmReads is called with state.mu held, before the row of reads that begins
// with the frame last taken from the inbox is answered.
func (c *conn) warmReads() {
	tree := c.srv.state.tree
	if !tree.Large() || c.in.begin == c.in.end {
		return // also when there is only one
	}
	row := rows.Get().(*znode.Row)
	c.in.ahead(maxRun, func(frame []byte) bool {
		if len(frame) < jute.HeaderSize || kindOf(jute.Op(binary.BigEndian.Uint32(frame[4:]))) != read {
			return false
		}
		addPath(row, frame[jute.HeaderSize:])
		return true
	})
	warm(tree, row)
}

// warm fetches what a row from the pool needs, and gives it back.
func warm(tree *znode.Tree, row *znode.Row) {
	tree.Warm(row)
	row.Reset()
	rows.Put(row)
}

// addPath adds the path that a body begins with.
func addPath(row *znode.Row, body []byte) {
	r := jute.NewReader(body)
	if path := r.String(); r.Err() == nil {
		row.Add(path)
	}
}

// warmWrites is called with state.mu held, before the next n requests of a
// batch are applied.
func (m *machine) warmWrites(b *consensus.Batch, n int) {
	tree := m.state.tree
	if !tree.Large() {
		return
	}
	row := rows.Get().(*znode.Row)
	b.Ahead(n, func(request []byte) {
		if op, body, ok := bodyOf(request); ok && namesZnode(op) {
			addPath(row, body)
		}
	})
	warm(tree, row)
}

// namesZnode tells whether the body of a request in the log begins with a path.
func namesZnode(op jute.Op) bool {
	switch op {
	case jute.OpCreate, jute.OpCreate2, jute.OpCreateContainer, jute.OpCreateTTL, jute.OpDelete, jute.OpSetData, jute.OpSetACL:
		return true
	}
	return false
}

// bodyOf finds the body of a request in the log, see txn.
func bodyOf(request []byte) (op jute.Op, body []byte, ok bool) {
	r := jute.NewReader(request)
	op = jute.Op(r.Int32())
	_, _, _ = r.Int32(), r.Int64(), r.Int32()
	for n := 2 * int(r.Byte()); n > 0 && r.Err() == nil; n-- {
		_ = r.Buffer()
	}
	return op, r.Rest(), r.Err() == nil
}
