package overload

import (
	"fmt"
	"net"
	"time"

	"zkd/test/wire"
)

// session is a client that waits for each reply.
type session struct {
	*wire.Conn
	nc       net.Conn
	id       int64
	password []byte
	xid      int32
}

// dialSession opens a new session.
func dialSession(addr string, timeout time.Duration) (*session, error) {
	return attach(addr, timeout, 0, make([]byte, 16))
}

// attach opens a session, or comes back to one.
func attach(addr string, timeout time.Duration, id int64, password []byte) (*session, error) {
	nc, err := net.DialTimeout("tcp", addr, honestPatience)
	if err != nil {
		return nil, err
	}
	s := &session{Conn: wire.NewConn(nc), nc: nc}
	r, err := s.Connect(wire.ConnectRequest{TimeoutMs: int32(timeout.Milliseconds()), Session: id, Password: password}, honestPatience)
	if err == nil && r.Session == 0 {
		err = fmt.Errorf("session %#x is over", id)
	}
	if err != nil {
		nc.Close()
		return nil, err
	}
	s.id, s.password = r.Session, r.Password
	return s, nil
}

// call sends a request and waits for its reply, past events.
func (s *session) call(op wire.Op, body wire.Body) (*wire.Reply, error) {
	s.xid++
	if err := s.Send(s.xid, op, body); err != nil {
		return nil, err
	}
	for {
		_, r, err := s.Next(honestPatience)
		if err != nil || r != nil {
			return r, err
		}
	}
}

// ok is call for what must succeed; a znode that is there already has been made.
func (s *session) ok(op wire.Op, body wire.Body) error {
	r, err := s.call(op, body)
	if err != nil {
		return fmt.Errorf("%v: %w", op, err)
	}
	if r.Err != 0 && !(op == wire.OpCreate && r.Err == wire.CodeNodeExists) {
		return fmt.Errorf("%v failed with code %d", op, r.Err)
	}
	return nil
}
