package server

import "zkd/proto/jute"

// Witness hears of everything that changes the state of a server, replayed
// entries included. Its methods are called by the apply goroutine while nobody
// can read the state: they must not block.
type Witness interface {
	// Applied is called behind each request. What it points to is reused.
	Applied(*Applied)
	// Restored is called when the state was replaced by a snapshot.
	Restored(zxid int64)
}

// Applied is one request of the log as a server has applied it.
type Applied struct {
	Index, Term uint64 // of the entry that it came in
	Time        int64  // ms, by the leader's clock
	Zxid        int64  // of the state behind it
	Op          jute.Op
	Xid         int32
	Session     int64
	Generation  uint32
	IDs         []jute.ID
	Body        []byte // as the client sent it; for requests of servers see txn.go
	SkipACL     bool   // settings of the leader that count for the request
	TTLNodes    bool
	// Void says that the request changed nothing because its session had ended
	// or goes on over another connection.
	Void  bool
	Code  jute.Code // of requests that change the tree
	Reply []byte    // what follows the reply's header, of such a request
	// Digest is that of the whole state behind the request.
	Digest uint64
}

// outcome is what a Witness is told of the request just applied.
type outcome struct {
	void bool
	code jute.Code
}

// applyWitnessed applies one request and tells the witness.
func (m *machine) applyWitnessed(index, term uint64, request []byte, c *conn) {
	m.reply, m.outcome = m.reply[:0], outcome{}
	m.apply(request, c)
	var t txn
	t.decode(request) // apply has read on in its own
	a := Applied{
		Index: index, Term: term, Time: m.state.now, Zxid: m.state.zxid,
		Op: t.op, Xid: t.xid, Session: int64(t.session), Generation: t.generation, IDs: t.ids, Body: t.body.Rest(),
		SkipACL: m.set.skipACL, TTLNodes: m.set.ttlNodes, Void: m.outcome.void, Code: m.outcome.code, Digest: m.state.digest(),
	}
	// The reply to a sync is made on one server only.
	if len(m.reply) > replyHead && a.Code == jute.OK && t.op != jute.OpSync {
		a.Reply = m.reply[replyHead:]
	}
	m.srv.world.Witness.Applied(&a)
}

// replyHead is the length of a reply's frame in front of its body.
const replyHead = 4 + 4 + 8 + 4
