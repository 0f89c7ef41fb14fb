package server

import (
	"zkd/proto/jute"
	"zkd/session"
)

// A request in the log, big-endian; package consensus carries it as opaque
// bytes:
//
//	i32  opcode       i32  xid of the client, for the record
//	i64  session      u32  its generation when the request came in, or localGeneration
//	u8   identities, for each a ustring scheme and a ustring id
//	the body as the client sent it, or for what no client sends:
//	  createSession   i32 timeout in ms, 16 bytes password
//	  upgrade         the same
//	  attach          i32 timeout in ms of the new connection, may be missing
//	  closeSession    nothing from a client; u64 term of the leader that found
//	                  the session silent, under whom alone it counts
//	  deleteContainer ustring path, i64 mzxid that the reaper saw
//	  setMembers      i64 version, ustring server lines
//	  wantMembers     i64 version of the list to be replaced, ustring server lines
//	  reconfigDone    i64 number of the change, bool whether it was made
type txn struct {
	op         jute.Op
	xid        int32
	session    session.ID
	generation uint32
	ids        []jute.ID
	body       jute.Reader
}

// opAttach is the request that makes a connection the newest of its session.
// No client can send it: the number is not in ZooKeeper's table.
const opAttach jute.Op = -100

// opUpgrade makes a local session one of all servers.
const opUpgrade jute.Op = -103

// txnHead is the part of a request in front of its body. It is built once for
// a connection; only opcode and xid change.
type txnHead []byte

func newTxnHead(id session.ID, generation uint32, ids []jute.ID) txnHead {
	h := jute.AppendInt32(nil, 0)
	h = jute.AppendInt32(h, 0)
	h = jute.AppendInt64(h, int64(id))
	h = jute.AppendInt32(h, int32(generation))
	h = append(h, byte(len(ids)))
	for _, id := range ids {
		h = jute.AppendString(h, id.Scheme)
		h = jute.AppendString(h, id.ID)
	}
	return h
}

func (h txnHead) with(op jute.Op, xid int32) []byte {
	jute.PutInt32(h, int32(op))
	jute.PutInt32(h[4:], xid)
	return h
}

const (
	// maxIDs is how many identities fit into a request.
	maxIDs = 255
	// maxHead bounds the part of a request in front of its body: it goes into
	// the log with every write, and a client may claim any user name.
	maxHead = 64 << 10
	// maxRequest bounds a request, whatever jute.maxbuffer says: with its head
	// it must fit into an entry of the log, of which raft-wal takes 64 MiB.
	maxRequest = 63 << 20
)

// decode reads a request from the log into t, reusing its memory.
func (t *txn) decode(b []byte) bool {
	r := jute.NewReader(b)
	t.op, t.xid = jute.Op(r.Int32()), r.Int32()
	t.session, t.generation = session.ID(r.Int64()), uint32(r.Int32())
	t.ids = t.ids[:0]
	for n := int(r.Byte()); n > 0 && r.Err() == nil; n-- {
		t.ids = append(t.ids, jute.ID{Scheme: r.String(), ID: r.String()})
	}
	t.body = jute.NewReader(r.Rest())
	return r.Err() == nil
}

// settings are what the leader decides for all requests of a batch: the
// options that change results. They travel with each batch, so that servers
// with different configuration files still agree.
type settings struct {
	skipACL, enforceQuota, ttlNodes, reconfig bool
	loneVoter                                 bool // an ensemble may have only one
	listLimit                                 int
}

const (
	flagSkipACL = 1 << iota
	flagEnforceQuota
	flagTTLNodes
	flagReconfig
	flagLoneVoter
)

// encode returns u8 flags and i32 listLimit.
func (s settings) encode() []byte {
	flags := byte(0)
	if s.skipACL {
		flags |= flagSkipACL
	}
	if s.enforceQuota {
		flags |= flagEnforceQuota
	}
	if s.ttlNodes {
		flags |= flagTTLNodes
	}
	if s.reconfig {
		flags |= flagReconfig
	}
	if s.loneVoter {
		flags |= flagLoneVoter
	}
	return jute.AppendInt32([]byte{flags}, int32(s.listLimit))
}

func decodeSettings(b []byte) (s settings, ok bool) {
	if len(b) < 5 {
		return s, false
	}
	r := jute.NewReader(b[1:])
	return settings{
		skipACL: b[0]&flagSkipACL != 0, enforceQuota: b[0]&flagEnforceQuota != 0,
		ttlNodes: b[0]&flagTTLNodes != 0, reconfig: b[0]&flagReconfig != 0,
		loneVoter: b[0]&flagLoneVoter != 0, listLimit: int(r.Int32()),
	}, true
}
