package server

import (
	"strings"

	"zkd/internal/mutant"
	"zkd/proto/jute"
	"zkd/watch"
	"zkd/znode"
)

// answerRead answers one request from this server's state and queues the
// reply. state.mu is held for reading, and out.mu. A reply that would be longer
// than most it does not make, but returns how long it would be, or may be.
func (c *conn) answerRead(xid int32, op jute.Op, body *jute.Reader, most int) (need int) {
	buf, zxid := c.out.buf, c.srv.state.zxid
	if op == jute.OpPing {
		xid = jute.XidPing
	}
	if op == jute.OpSetWatches || op == jute.OpSetWatches2 {
		// The catch-up events go before the reply.
		buf = c.setWatches(buf, op, body)
	}
	start := len(buf)
	buf = jute.BeginReply(buf, xid, zxid, jute.OK)
	head := len(buf)
	buf, need, code := c.readOp(buf, op, body, most)
	if need > most {
		return need
	}
	if code != jute.OK {
		buf = buf[:head]
		patchReply(buf[start:], zxid, code)
	}
	c.out.buf = jute.EndReply(buf, start)
	if len(buf)-start > bulkReply {
		c.bulk, c.room = bulkReads, 0
	} else if c.bulk > 0 {
		c.bulk--
	}
	c.stats.request(op, xid, zxid)
	return 0
}

// readOp appends the body of the reply, unless it needs more than most.
func (c *conn) readOp(dst []byte, op jute.Op, body *jute.Reader, most int) (_ []byte, need int, code jute.Code) {
	tree, who := c.srv.state.tree, c.who.Load()
	if mutant.Is(mutant.SyncLog) && op == jute.OpSync {
		return jute.AppendString(dst, body.String()), 0, jute.OK
	}
	switch op {
	case jute.OpExists, jute.OpGetData, jute.OpGetChildren, jute.OpGetChildren2:
		return c.readWatched(dst, op, body, who, most)
	case jute.OpMultiRead:
		limit := max(longestMultiRead, 4*c.srv.cfg.JuteMaxBuffer)
		return appendMultiRead(dst, tree, body, who, limit, most)
	case jute.OpGetEphemerals:
		prefix := body.String()
		if body.Err() != nil {
			return dst, 0, jute.ErrMarshalling
		}
		start := len(dst)
		dst = tree.AppendEphemerals(dst, int64(c.session.ID), prefix)
		return dst, len(dst) - start, jute.OK
	}
	dst, code = c.readSmall(dst, op, body, tree, who)
	return dst, 0, code
}

// readSmall appends the body of a reply that is never much longer than the
// request, or than what one request has stored.
func (c *conn) readSmall(dst []byte, op jute.Op, body *jute.Reader, tree *znode.Tree, who *znode.Actor) ([]byte, jute.Code) {
	switch op {
	case jute.OpPing:
		return dst, jute.OK
	case jute.OpGetACL, jute.OpGetAllChildrenNumber:
		path, null := body.NullString()
		switch {
		case null || body.Err() != nil:
			return dst, jute.ErrMarshalling
		case op == jute.OpGetACL:
			return tree.AppendACL(dst, path, who)
		}
		return tree.AppendDescendants(dst, path, who)
	case jute.OpWhoAmI:
		return appendWhoAmI(dst, who), jute.OK
	case jute.OpSetWatches, jute.OpSetWatches2:
		if body.Err() != nil {
			return dst, jute.ErrMarshalling
		}
		return dst, jute.OK
	}
	return c.watchOp(dst, op, body)
}

// readWatched answers the reads that may leave a watch. They leave one when
// they succeed; exists also when there is nothing yet to watch.
func (c *conn) readWatched(dst []byte, op jute.Op, body *jute.Reader, who *znode.Actor, most int) (_ []byte, need int, code jute.Code) {
	p := jute.DecodePathWatch(body)
	if body.Err() != nil || p.NullPath {
		return dst, 0, jute.ErrMarshalling
	}
	tree, table := c.srv.state.tree, watch.Data
	switch op {
	case jute.OpExists:
		dst, code = tree.AppendStat(dst, p.Path, who)
	case jute.OpGetData:
		dst, need, code = tree.AppendDataUpTo(dst, p.Path, who, most)
	default:
		table = watch.Child
		dst, need, code = tree.AppendChildrenUpTo(dst, p.Path, op == jute.OpGetChildren2, who, most)
	}
	if need > most {
		return dst, need, code
	}
	if p.Watch && (code == jute.OK || op == jute.OpExists && code == jute.ErrNoNode) {
		c.srv.state.watches.Add(c, table, p.Path, watch.Standard)
	}
	return dst, 0, code
}

// longestMultiRead is how long the reply to a multiRead may get: a short
// request could otherwise ask for the same large znode a thousand times.
const longestMultiRead = 16 << 20

// appendMultiRead executes reads one after the other; each has its own error.
// It stops when it has made more than most bytes, and returns limit as what it
// may need.
func appendMultiRead(dst []byte, tree *znode.Tree, body *jute.Reader, who *znode.Actor, limit, most int) (_ []byte, need int, code jute.Code) {
	start := len(dst)
	for {
		op, done := jute.NextMulti(body)
		if body.Err() == nil && done {
			return jute.AppendMultiEnd(dst), 0, jute.OK
		}
		p := jute.DecodePathWatch(body)
		if body.Err() != nil || p.NullPath || op != jute.OpGetData && op != jute.OpGetChildren {
			return dst[:start], 0, jute.ErrMarshalling
		}
		at, code := len(dst), jute.OK
		dst = jute.AppendMultiHeader(dst, op, jute.OK)
		if op == jute.OpGetData {
			dst, code = tree.AppendData(dst, p.Path, who)
		} else {
			dst, code = tree.AppendChildren(dst, p.Path, false, who)
		}
		if code != jute.OK {
			dst = jute.AppendMultiError(dst[:at], code)
		}
		switch n := len(dst) - start; {
		case n > limit:
			return dst[:start], 0, jute.ErrMarshalling // no client takes this much
		case n > most:
			return dst[:start], limit, jute.OK
		}
	}
}

// appendWhoAmI lists the connection's identities as far as they may be shown.
func appendWhoAmI(dst []byte, who *znode.Actor) []byte {
	dst = jute.AppendInt32(dst, int32(len(who.IDs)))
	for _, id := range who.IDs {
		user := id.ID
		switch id.Scheme {
		case "digest":
			user, _, _ = strings.Cut(id.ID, ":")
		case "super":
			user = ""
		}
		dst = jute.AppendString(dst, id.Scheme)
		dst = jute.AppendString(dst, user)
	}
	return dst
}
