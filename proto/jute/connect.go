package jute

// PasswordSize is the length of a session's password on the wire. The C
// client reads exactly this many bytes.
const PasswordSize = 16

// ConnectRequest opens a connection; no RequestHeader stands before it.
type ConnectRequest struct {
	ProtocolVersion int32
	LastZxidSeen    int64
	Timeout         int32 // ms
	SessionID       int64 // 0 asks for a new session
	Password        []byte
	ReadOnly        bool
	HasReadOnly     bool // clients before 3.4 and go-zookeeper end before the field
}

// DecodeConnect reads a ConnectRequest.
func DecodeConnect(r *Reader) (c ConnectRequest) {
	c.ProtocolVersion = r.Int32()
	c.LastZxidSeen = r.Int64()
	c.Timeout = r.Int32()
	c.SessionID = r.Int64()
	c.Password = r.Buffer()
	if r.err == nil && r.Len() > 0 {
		c.ReadOnly, c.HasReadOnly = r.Bool(), true
	}
	return c
}

// ConnectResponse answers a ConnectRequest; no ReplyHeader stands before it.
// The zero value is the refusal: clients test Timeout or SessionID for 0.
type ConnectResponse struct {
	Timeout     int32
	SessionID   int64
	Password    [PasswordSize]byte
	ReadOnly    bool
	HasReadOnly bool // sent only to clients that sent theirs
}

// AppendConnectResponse appends c as a whole frame.
func AppendConnectResponse(dst []byte, c *ConnectResponse) []byte {
	n := int32(4 + 4 + 8 + 4 + PasswordSize)
	if c.HasReadOnly {
		n++
	}
	dst = AppendInt32(dst, n)
	dst = AppendInt32(dst, 0)
	dst = AppendInt32(dst, c.Timeout)
	dst = AppendInt64(dst, c.SessionID)
	dst = AppendBuffer(dst, c.Password[:])
	if c.HasReadOnly {
		dst = AppendBool(dst, c.ReadOnly)
	}
	return dst
}
