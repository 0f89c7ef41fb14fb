package jute

// HeaderSize is the length of a RequestHeader: xid and type.
const HeaderSize = 8

// ReplyHeaderSize is the length of a ReplyHeader: xid, zxid and err.
const ReplyHeaderSize = 16

// BeginReply appends the length (to be filled in by EndReply) and the header
// of a reply frame.
func BeginReply(dst []byte, xid int32, zxid int64, err Code) []byte {
	dst = AppendInt32(dst, ReplyHeaderSize)
	dst = AppendInt32(dst, xid)
	dst = AppendInt64(dst, zxid)
	return AppendInt32(dst, int32(err))
}

// EndReply fills in the length of the frame that begins at offset start.
func EndReply(dst []byte, start int) []byte {
	PutInt32(dst[start:], int32(len(dst)-start-4))
	return dst
}

// EventSize is the length of the frame that AppendEvent appends.
func EventSize(path string) int { return 4 + ReplyHeaderSize + 12 + len(path) }

// AppendEvent appends a notification: a whole frame of ReplyHeader and
// WatcherEvent.
func AppendEvent(dst []byte, zxid int64, typ EventType, path string) []byte {
	start := len(dst)
	dst = BeginReply(dst, XidNotification, zxid, OK)
	dst = AppendInt32(dst, int32(typ))
	dst = AppendInt32(dst, StateSyncConnected)
	dst = AppendString(dst, path)
	return EndReply(dst, start)
}
