package ensemble

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"zkd/test/wire"
)

// What can become of a request, beside a reply.
var (
	// ErrLost says that the connection ended before the reply: nobody knows whether the request was applied.
	ErrLost = errors.New("the connection was lost before the reply")
	// ErrExpired says that the session is over.
	ErrExpired = errors.New("the session is over")
)

// Session is a client session that looks for another server when a connection breaks, as client libraries do. It
// repeats no request. It checks that zxids never fall. Safe for concurrent use; requests go one at a time.
type Session struct {
	t       testing.TB
	servers []*Server // in the order in which they are tried
	from    *Space    // where the client is; nil is beside the server that it connects to
	timeout time.Duration
	patient time.Duration // how long a connection is looked for; 0 is Patience

	mu       sync.Mutex
	conn     *wire.Conn
	at       int // in servers
	id       int64
	password []byte
	xid      int32
	zxid     int64
	used     time.Time // of the last request
	lost     int
	readOnly bool // also take a server that only reads
	over     bool
	events   []wire.Event
	errs     []error

	stop chan struct{}
	done sync.WaitGroup
}

// Open starts a session at the first of the servers.
func Open(t testing.TB, timeout time.Duration, servers ...*Server) *Session {
	t.Helper()
	s := newSession(t, timeout, servers...)
	s.mu.Lock()
	err := s.attach()
	s.mu.Unlock()
	if err != nil {
		t.Fatalf("no session at %s: %v", names(servers), err)
	}
	return s
}

func newSession(t testing.TB, timeout time.Duration, servers ...*Server) *Session {
	s := &Session{t: t, servers: servers, timeout: timeout, password: make([]byte, 16), stop: make(chan struct{})}
	s.done.Go(s.heartbeat)
	t.Cleanup(s.Abandon)
	return s
}

// heartbeat pings when nothing else is sent.
func (s *Session) heartbeat() {
	tick := time.NewTicker(s.timeout / 6)
	defer tick.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-tick.C:
		}
		s.mu.Lock()
		if !s.over && time.Since(s.used) > s.timeout/4 && (s.conn != nil || s.id != 0) {
			_, _ = s.call(wire.OpPing, nil) // the next request shows what is wrong
		}
		s.mu.Unlock()
	}
}

// ID is the session id.
func (s *Session) ID() int64 { s.mu.Lock(); defer s.mu.Unlock(); return s.id }

// Lost is how many connections have broken.
func (s *Session) Lost() int { s.mu.Lock(); defer s.mu.Unlock(); return s.lost }

// Zxid is the highest that the session has seen.
func (s *Session) Zxid() int64 { s.mu.Lock(); defer s.mu.Unlock(); return s.zxid }

// Over reports whether the session has ended.
func (s *Session) Over() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.over }

// Errs are the promises that were broken to this session.
func (s *Session) Errs() []error { s.mu.Lock(); defer s.mu.Unlock(); return s.errs }

// Home is the server that the session is connected to, or tries next.
func (s *Session) Home() *Server { s.mu.Lock(); defer s.mu.Unlock(); return s.servers[s.at] }

// Events returns the watch events that have come, and forgets them.
func (s *Session) Events() []wire.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.events
	s.events = nil
	return all
}

// Move drops the connection; the next request goes to another server.
func (s *Session) Move(to *Server) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop()
	s.servers, s.at = []*Server{to}, 0
}

// goHome drops a connection to any other server than home, between two requests, and tries home first.
func (s *Session) goHome(home *Server) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := slices.Index(s.servers, home)
	if at < 0 || at == s.at && s.conn != nil {
		return
	}
	s.drop()
	s.at = at
}

func (s *Session) drop() {
	if s.conn != nil {
		s.conn.Close()
		s.conn = nil
	}
}

// Abandon stops using the session without a word to the servers.
func (s *Session) Abandon() {
	select {
	case <-s.stop:
	default:
		close(s.stop)
	}
	s.done.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop()
}

// Close ends the session.
func (s *Session) Close() {
	s.Call(wire.OpClose, nil)
	s.Abandon()
}

// Call sends a request and waits for its reply. A request that could not be sent for want of a server is
// errNoServer; one whose connection broke afterwards is ErrLost.
func (s *Session) Call(op wire.Op, body wire.Body) (*wire.Reply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.call(op, body)
}

func (s *Session) call(op wire.Op, body wire.Body) (*wire.Reply, error) {
	if s.over {
		return nil, ErrExpired
	}
	if s.conn == nil {
		if err := s.attach(); err != nil {
			return nil, err
		}
	}
	s.used = time.Now()
	xid := int32(-2)
	if op != wire.OpPing {
		s.xid++
		xid = s.xid
	}
	if err := s.conn.Send(xid, op, body); err != nil {
		return nil, s.broken(err)
	}
	// A client library gives a silent server up after two thirds of the session's timeout.
	silence := s.timeout * 2 / 3
	for {
		event, reply, err := s.conn.Next(silence)
		switch {
		case err != nil:
			return nil, s.broken(err)
		case event != nil:
			s.events = append(s.events, *event)
			continue
		}
		s.see(reply.Zxid)
		if reply.Xid != xid {
			s.errs = append(s.errs, fmt.Errorf("session %#x: reply to %d where %d was due", s.id, reply.Xid, xid))
			return nil, s.broken(nil)
		}
		if reply.Err == wire.CodeSessionExpired {
			s.over = true
			return nil, ErrExpired
		}
		if reply.Err == wire.CodeSessionMoved {
			return nil, s.broken(nil)
		}
		return reply, nil
	}
}

// see checks that zxids never fall within a session (D5).
func (s *Session) see(zxid int64) {
	if zxid <= 0 {
		return
	}
	if zxid < s.zxid {
		s.errs = append(s.errs, fmt.Errorf("session %#x at %v: zxid %#x after %#x", s.id, s.servers[s.at], zxid, s.zxid))
	}
	s.zxid = max(s.zxid, zxid)
}

func (s *Session) broken(err error) error {
	s.drop()
	s.lost++
	s.at = (s.at + 1) % len(s.servers)
	return fmt.Errorf("%w (%v)", ErrLost, err)
}

// attach looks for a server that takes the session.
func (s *Session) attach() error {
	patient := s.patient
	if patient == 0 {
		patient = Patience
	}
	var last error
	for end := time.Now().Add(patient); time.Now().Before(end); {
		for range s.servers {
			if last = s.try(s.servers[s.at]); last == nil || errors.Is(last, ErrExpired) {
				return last
			}
			s.at = (s.at + 1) % len(s.servers)
		}
		select {
		case <-s.stop:
			return errNoServer
		case <-time.After(10 * time.Millisecond):
		}
	}
	return fmt.Errorf("%w in %v: %v", errNoServer, patient, last)
}

func (s *Session) try(server *Server) error {
	// As the Java client divides its patience, but no more than 2 s: a server that is cut off is not what is measured.
	wait := min(max(s.timeout/time.Duration(len(s.servers)), time.Second), 2*time.Second)
	from := s.from
	if from == nil {
		from = server.space
	}
	nc, err := from.Dial(server.Addr(), wait)
	if err != nil {
		return err
	}
	conn := wire.NewConn(nc)
	r, err := conn.Connect(wire.ConnectRequest{
		LastZxid: s.zxid, TimeoutMs: int32(s.timeout.Milliseconds()), Session: s.id, Password: s.password, ReadOnly: &s.readOnly,
	}, wait)
	if err != nil {
		conn.Close()
		return err
	}
	if r.Session == 0 || r.TimeoutMs <= 0 {
		conn.Close()
		s.over = true
		return ErrExpired
	}
	if r.ReadOnly == nil || !*r.ReadOnly { // the id that a server which only reads invents is worth nothing
		s.id, s.password = r.Session, r.Password
	}
	s.conn, s.used = conn, time.Now()
	return nil
}

// Must repeats a request until it is answered, and fails the test on any code but 0. It is for requests that do no
// harm when they are applied twice.
func (s *Session) Must(op wire.Op, body wire.Body) *wire.Reply {
	s.t.Helper()
	for {
		r, err := s.Call(op, body)
		switch {
		case errors.Is(err, ErrLost):
			continue
		case err != nil:
			s.t.Fatalf("op %d %+v: %v", op, body, err)
		case r.Err != 0:
			s.t.Fatalf("op %d %+v: %v", op, body, r.Err)
		}
		return r
	}
}

// Create makes a persistent znode if it is not there.
func (s *Session) Create(path string, data []byte) {
	s.t.Helper()
	s.create(path, data, 0)
}

// CreateEphemeral makes an ephemeral znode if it is not there.
func (s *Session) CreateEphemeral(path string, data []byte) {
	s.t.Helper()
	s.create(path, data, 1)
}

func (s *Session) create(path string, data []byte, flags int32) {
	s.t.Helper()
	for {
		r, err := s.Call(wire.OpCreate, wire.Create{Path: path, Data: data, ACL: wire.OpenACL, Flags: flags})
		switch {
		case errors.Is(err, ErrLost):
			continue
		case err != nil:
			s.t.Fatalf("create %s: %v", path, err)
		case r.Err != 0 && r.Err != wire.CodeNodeExists:
			s.t.Fatalf("create %s: %v", path, r.Err)
		}
		return
	}
}

// Exists returns the stat of a znode, nil when there is none. It looks at the server it is connected to.
func (s *Session) Exists(path string) *wire.Stat {
	s.t.Helper()
	for {
		r, err := s.Call(wire.OpExists, wire.PathWatch{Path: path})
		switch {
		case errors.Is(err, ErrLost):
			continue
		case err != nil:
			s.t.Fatalf("exists %s: %v", path, err)
		case r.Err == wire.CodeNoNode:
			return nil
		case r.Err != 0:
			s.t.Fatalf("exists %s: %v", path, r.Err)
		}
		return r.Stat
	}
}

// Get reads a znode where the session is connected.
func (s *Session) Get(path string) ([]byte, *wire.Stat) {
	s.t.Helper()
	r := s.Must(wire.OpGetData, wire.PathWatch{Path: path})
	return r.Data, r.Stat
}

// Sync returns when the server has everything that was written before.
func (s *Session) Sync() {
	s.t.Helper()
	s.Must(wire.OpSync, wire.Path("/"))
}

// Set writes a znode without regard to its version.
func (s *Session) Set(path string, data []byte) {
	s.t.Helper()
	s.Must(wire.OpSetData, wire.SetData{Path: path, Data: data, Version: -1})
}
