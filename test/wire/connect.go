package wire

import "fmt"

// ConnectRequest is the first frame of a connection; every field is free.
type ConnectRequest struct {
	Version   int32
	LastZxid  int64
	TimeoutMs int32
	Session   int64
	Password  []byte // nil is null
	ReadOnly  *bool  // nil leaves the byte out, as clients older than 3.4 do
	Extra     []byte // follows the record
}

// Payload returns the record's bytes, without the frame's length.
func (r ConnectRequest) Payload() []byte {
	b := appendLong(appendInt(nil, r.Version), r.LastZxid)
	b = appendBuffer(appendLong(appendInt(b, r.TimeoutMs), r.Session), r.Password)
	if r.ReadOnly != nil {
		b = appendBool(b, *r.ReadOnly)
	}
	return append(b, r.Extra...)
}

// ConnectResponse answers a ConnectRequest.
type ConnectResponse struct {
	Version   int32
	TimeoutMs int32
	Session   int64
	Password  []byte
	ReadOnly  *bool // nil: the byte was not there
	Size      int   // payload bytes
}

func decodeConnect(payload []byte) (*ConnectResponse, error) {
	r := &reader{b: payload}
	c := &ConnectResponse{Version: r.int(), TimeoutMs: r.int(), Session: r.long(), Password: r.buffer(), Size: len(payload)}
	if r.err == nil && len(r.b) > 0 {
		c.ReadOnly = ptr(r.bool())
	}
	if r.err == nil && len(r.b) > 0 {
		r.err = fmt.Errorf("%d bytes too many", len(r.b))
	}
	if r.err != nil {
		return nil, fmt.Errorf("connect response %x: %w", payload, r.err)
	}
	return c, nil
}
