package floor

import "encoding/binary"

// Opcodes (ZooDefs.OpCode) that have a reply here.
const (
	opCreate       int32 = 1
	opDelete       int32 = 2
	opExists       int32 = 3
	opGetData      int32 = 4
	opSetData      int32 = 5
	opGetChildren  int32 = 8
	opSync         int32 = 9
	opPing         int32 = 11
	opGetChildren2 int32 = 12
	opCheck        int32 = 13
	opMulti        int32 = 14
	opCreate2      int32 = 15
	opCloseSession int32 = -11
)

const (
	errUnimplemented int32 = -6 // KeeperException.Code.UNIMPLEMENTED
	sequential       int32 = 2  // a bit of a create's flags

	headerSize      = 8 // xid, opcode
	replyHeaderSize = 16
	statSize        = 68
	multiHeaderSize = 9 // type, done, err
	connectSize     = 28

	// Children is how many children every znode has.
	Children = 10
	digits   = "0000000007" // of every sequential znode
)

var order = binary.BigEndian

// Replies are whole frames of which only the xid is missing. They are only read.
type Replies struct {
	getData, stat, children, children2, empty, unimplemented []byte
}

// NewReplies are those of a server all of whose znodes hold data.
func NewReplies(data []byte) *Replies {
	stat := make([]byte, statSize)
	order.PutUint32(stat[52:], uint32(len(data))) // dataLength; the rest may as well be 0
	names := order.AppendUint32(nil, Children)
	for range Children {
		names = appendString(names, "child0000")
	}
	return &Replies{
		getData:       reply(0, order.AppendUint32(nil, uint32(len(data))), data, stat),
		stat:          reply(0, stat),
		children:      reply(0, names),
		children2:     reply(0, names, stat),
		empty:         reply(0),
		unimplemented: reply(errUnimplemented),
	}
}

func reply(code int32, body ...[]byte) []byte {
	b := appendHeader(nil, 0, code)
	for _, part := range body {
		b = append(b, part...)
	}
	return closeFrame(b, 0)
}

// appendHeader begins a frame: length, xid, zxid, err.
func appendHeader(b []byte, xid uint32, code int32) []byte {
	b = order.AppendUint32(order.AppendUint32(b, 0), xid)
	return order.AppendUint32(order.AppendUint64(b, 1), uint32(code))
}

// closeFrame writes the length of the frame that began at.
func closeFrame(b []byte, at int) []byte {
	order.PutUint32(b[at:], uint32(len(b)-at-lengthSize))
	return b
}

func appendString(b []byte, s string) []byte {
	return append(order.AppendUint32(b, uint32(len(s))), s...)
}

// appendConnectResponse grants every client a session with the timeout it asked for.
func appendConnectResponse(out, request []byte) ([]byte, bool) {
	if len(request) < connectSize {
		return out, false
	}
	at := len(out)
	out = order.AppendUint64(out, 0)            // length, protocolVersion
	out = append(out, request[12:16]...)        // timeOut
	out = order.AppendUint64(out, 1)            // sessionId
	out = appendString(out, string(passwd[:]))  // passwd
	return closeFrame(append(out, 0), at), true // readOnly
}

var passwd [16]byte

// Append answers one request, a frame without its length, with a whole frame; false: it broke the protocol.
func (r *Replies) Append(out, request []byte) ([]byte, bool) {
	if len(request) < headerSize {
		return out, false
	}
	xid := order.Uint32(request)
	var fixed []byte
	switch int32(order.Uint32(request[4:])) {
	case opGetData:
		fixed = r.getData
	case opExists, opSetData:
		fixed = r.stat
	case opGetChildren:
		fixed = r.children
	case opGetChildren2:
		fixed = r.children2
	case opPing, opDelete, opCheck, opCloseSession:
		fixed = r.empty
	case opCreate, opCreate2, opSync, opMulti:
		return r.appendEcho(out, xid, request)
	default:
		fixed = r.unimplemented
	}
	at := len(out)
	out = append(out, fixed...)
	order.PutUint32(out[at+lengthSize:], xid)
	return out, true
}

// appendEcho answers what has a path, or several, in its reply.
func (r *Replies) appendEcho(out []byte, xid uint32, request []byte) ([]byte, bool) {
	at := len(out)
	out = appendHeader(out, xid, 0)
	op, body, ok := int32(order.Uint32(request[4:])), request[headerSize:], false
	if op == opMulti {
		out, ok = appendMulti(out, body)
	} else {
		out, _, ok = appendResult(out, op, body)
	}
	return closeFrame(out, at), ok
}

// appendMulti answers each operation of a multi.
func appendMulti(out, ops []byte) ([]byte, bool) {
	for len(ops) >= multiHeaderSize {
		op, done := int32(order.Uint32(ops)), ops[4] != 0
		ops = ops[multiHeaderSize:]
		out = order.AppendUint32(out, uint32(op))
		if done {
			return append(out, 1, 0xff, 0xff, 0xff, 0xff), true
		}
		out = append(out, 0, 0, 0, 0, 0)
		var ok bool
		if out, ops, ok = appendResult(out, op, ops); !ok {
			return out, false
		}
	}
	return out, false
}

// appendResult answers one record, on its own or in a multi, and returns what follows it.
func appendResult(out []byte, op int32, b []byte) (_, rest []byte, ok bool) {
	path, b, ok := cut(b)
	if !ok {
		return out, nil, false
	}
	switch op {
	case opSync:
		return appendString(out, string(path)), b, true
	case opDelete, opCheck:
		return out, b[min(len(b), 4):], true
	case opSetData:
		if _, b, ok = cut(b); !ok {
			return out, nil, false
		}
		return append(out, make([]byte, statSize)...), b[min(len(b), 4):], true
	}
	flags, b, ok := cutCreate(b)
	if !ok {
		return out, nil, false
	}
	if flags&sequential == 0 {
		out = append(order.AppendUint32(out, uint32(len(path))), path...)
	} else {
		out = append(order.AppendUint32(out, uint32(len(path)+len(digits))), path...)
		out = append(out, digits...)
	}
	if op == opCreate2 {
		out = append(out, make([]byte, statSize)...)
	}
	return out, b, true
}

// cutCreate passes over data and access list of a create, after its path, and returns its flags.
func cutCreate(b []byte) (flags int32, rest []byte, ok bool) {
	if _, b, ok = cut(b); !ok || len(b) < 4 {
		return 0, nil, false
	}
	entries := int32(order.Uint32(b))
	b = b[4:]
	for range entries {
		if len(b) < 4 {
			return 0, nil, false
		}
		if _, b, ok = cut(b[4:]); !ok {
			return 0, nil, false
		}
		if _, b, ok = cut(b); !ok {
			return 0, nil, false
		}
	}
	if len(b) < 4 {
		return 0, nil, false
	}
	return int32(order.Uint32(b)), b[4:], true
}

// cut takes a string or buffer, each behind its length; a null one is empty.
func cut(b []byte) (field, rest []byte, ok bool) {
	if len(b) < 4 {
		return nil, nil, false
	}
	n := max(int(int32(order.Uint32(b))), 0)
	if b = b[4:]; n > len(b) {
		return nil, nil, false
	}
	return b[:n], b[n:], true
}
