package main

import "encoding/binary"

// Opcodes the generator sends (ZooDefs.OpCode).
const (
	opCreate       int32 = 1
	opDelete       int32 = 2
	opExists       int32 = 3
	opGetData      int32 = 4
	opSetData      int32 = 5
	opGetChildren  int32 = 8
	opSync         int32 = 9
	opPing         int32 = 11
	opMulti        int32 = 14
	opCloseSession int32 = -11
)

// Xids with a meaning of their own (ClientCnxn).
const (
	xidNotification int32 = -1
	xidPing         int32 = -2
)

const (
	errNoNode     int32 = -101
	errNodeExists int32 = -110

	flagPersistent          int32 = 0
	flagEphemeralSequential int32 = 3

	statSize        = 68 // Stat, zookeeper.jute
	replyHeaderSize = 16 // xid, zxid, err
	lengthSize      = 4
	xidOffset       = lengthSize // where a frame's xid lies
	anyVersion      = int32(-1)
)

func appendInt(b []byte, v int32) []byte  { return binary.BigEndian.AppendUint32(b, uint32(v)) }
func appendLong(b []byte, v int64) []byte { return binary.BigEndian.AppendUint64(b, uint64(v)) }
func appendString(b []byte, s string) []byte {
	return append(appendInt(b, int32(len(s))), s...)
}
func appendBuffer(b, data []byte) []byte {
	return append(appendInt(b, int32(len(data))), data...)
}
func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

func getInt(b []byte) int32  { return int32(binary.BigEndian.Uint32(b)) }
func getLong(b []byte) int64 { return int64(binary.BigEndian.Uint64(b)) }

// frame closes a frame whose body build appends: length, xid 0 (patched when sent), opcode, body.
func frame(op int32, build func([]byte) []byte) []byte { return frameInto(nil, op, build) }

// frameInto is frame into a buffer to be reused, which must be empty.
func frameInto(b []byte, op int32, build func([]byte) []byte) []byte {
	b = appendInt(appendInt(appendInt(b, 0), 0), op)
	if build != nil {
		b = build(b)
	}
	binary.BigEndian.PutUint32(b, uint32(len(b)-lengthSize))
	return b
}

// appendFrame copies a prepared frame to dst under a new xid. It is the hot path: one copy, one store.
func appendFrame(dst, tmpl []byte, xid int32) []byte {
	at := len(dst)
	dst = append(dst, tmpl...)
	binary.BigEndian.PutUint32(dst[at+xidOffset:], uint32(xid))
	return dst
}

// appendOpenACL appends world:anyone with all permissions.
func appendOpenACL(b []byte) []byte {
	b = appendInt(b, 1)
	b = appendInt(b, 31)
	b = appendString(b, "world")
	return appendString(b, "anyone")
}

func createBody(b []byte, path string, data []byte, flags int32) []byte {
	b = appendString(b, path)
	b = appendBuffer(b, data)
	b = appendOpenACL(b)
	return appendInt(b, flags)
}

func createFrame(path string, data []byte, flags int32) []byte {
	return frame(opCreate, func(b []byte) []byte { return createBody(b, path, data, flags) })
}

func deleteFrame(path string) []byte {
	return frame(opDelete, func(b []byte) []byte { return appendInt(appendString(b, path), anyVersion) })
}

// readFrame is getData, exists or getChildren: path and watch flag.
func readFrame(op int32, path string, watch bool) []byte {
	return frame(op, func(b []byte) []byte { return appendBool(appendString(b, path), watch) })
}

func setBody(b []byte, path string, data []byte) []byte {
	return appendInt(appendBuffer(appendString(b, path), data), anyVersion)
}

func syncFrame(path string) []byte {
	return frame(opSync, func(b []byte) []byte { return appendString(b, path) })
}

func setFrame(path string, data []byte) []byte {
	return frame(opSetData, func(b []byte) []byte { return setBody(b, path, data) })
}

// appendMultiHeader appends a MultiHeader in front of one op of a multi, or with done at its end.
func appendMultiHeader(b []byte, op int32, done bool) []byte {
	return appendInt(appendBool(appendInt(b, op), done), -1)
}

// connectRequest asks for a session: a new one or, with id and password, one that exists.
type connectRequest struct {
	timeoutMs int32
	lastZxid  int64
	session   int64
	passwd    []byte
}

func (r connectRequest) frame() []byte {
	passwd := make([]byte, 16)
	copy(passwd, r.passwd)
	b := appendInt(nil, 45)
	b = appendInt(b, 0) // protocolVersion
	b = appendLong(b, r.lastZxid)
	b = appendInt(b, r.timeoutMs)
	b = appendLong(b, r.session)
	b = appendBuffer(b, passwd)
	return appendBool(b, false) // readOnly
}
