package ensemble

import (
	"fmt"

	"zkd/test/wire"
)

// Fill makes znodes with data below a parent, many requests at a time. The session must not lose its connection.
func (s *Session) Fill(parent string, from, to int, data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	const together = 256
	due := 0
	take := func() error {
		r, err := s.next()
		if err == nil && r.Err != 0 {
			err = fmt.Errorf("create below %s: %v", parent, r.Err)
		}
		due--
		return err
	}
	for at := from; at < to; {
		var b []byte
		for due < together && at < to {
			b = s.enqueue(b, wire.OpCreate, wire.Create{Path: fmt.Sprintf("%s/%d", parent, at), Data: data, ACL: wire.OpenACL})
			at, due = at+1, due+1
		}
		if err := s.conn.Write(b); err != nil {
			return s.broken(err)
		}
		for due > together/2 {
			if err := take(); err != nil {
				return err
			}
		}
	}
	for due > 0 {
		if err := take(); err != nil {
			return err
		}
	}
	return nil
}
