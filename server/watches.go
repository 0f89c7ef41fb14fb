package server

import (
	"zkd/internal/mutant"
	"zkd/proto/jute"
	"zkd/watch"
)

// nullPath is what the null path is called among those that are watched: it may
// be watched, though nothing happens to it, and is not the empty one. No text
// off the wire is read as this.
const nullPath = "\xff"

// watchOp answers the requests that are about watches only.
func (c *conn) watchOp(dst []byte, op jute.Op, body *jute.Reader) ([]byte, jute.Code) {
	p := jute.DecodePathInt(body)
	if body.Err() != nil {
		return dst, jute.ErrMarshalling
	}
	if p.NullPath {
		p.Path = nullPath
	}
	watches, k := c.srv.state.watches, watch.Kind(p.Value)
	if op == jute.OpAddWatch {
		mode, ok := addWatchMode(p.Value)
		if !ok {
			return dst, jute.ErrMarshalling
		}
		watches.AddPersistent(c, p.Path, mode)
		return jute.AppendInt32(dst, int32(jute.OK)), jute.OK
	}
	if !k.Valid() {
		return dst, jute.ErrMarshalling
	}
	found := false
	if op == jute.OpCheckWatches {
		found = watches.Has(c, p.Path, k)
	} else {
		found = watches.Remove(c, p.Path, k)
	}
	if !found {
		return dst, jute.ErrNoWatcher
	}
	return dst, jute.OK
}

// addWatchMode reads the mode of addWatch (AddWatchMode).
func addWatchMode(n int32) (watch.Mode, bool) {
	switch n {
	case 0:
		return watch.Persistent, true
	case 1:
		return watch.Recursive, true
	}
	return 0, false
}

// setWatches registers again what a client watched before it lost its
// connection. Of what has changed since relativeZxid it is told at once, and
// the watch that would have told it is used up (DataTree.setWatches). A null
// vector fails the request only when its turn comes, and so does a null path
// among those that are looked up.
func (c *conn) setWatches(dst []byte, op jute.Op, body *jute.Reader) []byte {
	probe := *body
	probe.Int64()
	for range jute.WatchLists(op) {
		jute.SkipStrings(&probe)
	}
	if probe.Err() != nil {
		*body = probe // nothing is registered of a request that is cut short
		return dst
	}
	since := body.Int64()
	for list := range jute.WatchLists(op) {
		jute.WalkStrings(body, func(path string, null bool) bool {
			switch {
			case !null:
			case list == jute.ListPersistent || list == jute.ListRecursive:
				path = nullPath
			default:
				return false
			}
			if typ := c.rearm(list, path, since); typ != 0 {
				dst = jute.AppendEvent(dst, -1, typ, path)
				c.srv.stats.sent.Add(1)
			}
			return true
		})
	}
	return dst
}

// rearm registers one watch, or returns the event that it has missed.
func (c *conn) rearm(list jute.WatchList, path string, since int64) jute.EventType {
	watches := c.srv.state.watches
	stat, exists := c.srv.state.tree.Stat(path)
	if mutant.Is(mutant.Missed) {
		since = stat.Mzxid + stat.Pzxid
	}
	switch list {
	case jute.ListData:
		switch {
		case !exists:
			return jute.EventNodeDeleted
		case stat.Mzxid > since:
			return jute.EventNodeDataChanged
		}
		watches.Add(c, watch.Data, path, watch.Standard)
	case jute.ListExist:
		if exists {
			return jute.EventNodeCreated
		}
		watches.Add(c, watch.Data, path, watch.Standard)
	case jute.ListChild:
		switch {
		case !exists:
			return jute.EventNodeDeleted
		case stat.Pzxid > since:
			return jute.EventNodeChildrenChanged
		}
		watches.Add(c, watch.Child, path, watch.Standard)
	case jute.ListPersistent:
		watches.AddPersistent(c, path, watch.Persistent)
	case jute.ListRecursive:
		watches.AddPersistent(c, path, watch.Recursive)
	}
	return 0
}
