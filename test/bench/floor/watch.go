package floor

// watches is all that this server remembers: who asked to be told of a path's next write. It serves to
// measure what telling thousands of clients costs at the least.
type watches struct {
	byPath map[string][]*conn
	told   []*conn // have events to be sent
}

// The event of a write: NodeDataChanged, seen by a connected client (WatcherEvent, zookeeper.jute).
const (
	xidNotification = 0xffffffff
	dataChanged     = 3
	syncConnected   = 3
)

// note looks at a request for what concerns watches: a getData with its flag set, or a setData.
func (w *watches) note(c *conn, request []byte) {
	if len(request) < headerSize+lengthSize {
		return
	}
	switch int32(order.Uint32(request[4:])) {
	case opGetData:
		if path, ok := pathOf(request); ok && request[len(request)-1] != 0 {
			if w.byPath == nil {
				w.byPath = make(map[string][]*conn)
			}
			w.byPath[string(path)] = append(w.byPath[string(path)], c)
		}
	case opSetData:
		if len(w.byPath) == 0 {
			return
		}
		if path, ok := pathOf(request); ok && len(w.byPath[string(path)]) > 0 {
			w.fire(string(path))
		}
	}
}

func pathOf(request []byte) ([]byte, bool) {
	body := request[headerSize:]
	n := int(order.Uint32(body))
	if n > len(body)-lengthSize {
		return nil, false
	}
	return body[lengthSize : lengthSize+n], true
}

func (w *watches) fire(path string) {
	for _, c := range w.byPath[path] {
		if len(c.events) == 0 {
			w.told = append(w.told, c)
		}
		at := len(c.events)
		c.events = appendHeader(c.events, xidNotification, 0)
		c.events = order.AppendUint32(order.AppendUint32(c.events, dataChanged), syncConnected)
		c.events = closeFrame(appendString(c.events, path), at)
	}
	w.byPath[path] = w.byPath[path][:0]
}

// sendEvents sends every connection what it is to be told, in one write each.
func (s *Server) sendEvents() {
	for _, c := range s.watches.told {
		events := c.events
		c.events = c.events[:0]
		switch {
		case s.conns[c.fd] != c: // it has gone since it asked
		case len(c.unsent) > 0:
			c.unsent = append(c.unsent, events...)
		case !s.write(c, events):
			s.drop(c)
		}
	}
	s.watches.told = s.watches.told[:0]
}
