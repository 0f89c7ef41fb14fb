package oracle

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"zkd/test/wire"
)

// History is what the clients of a run were told, session by session. Safe for concurrent use.
type History struct {
	began time.Time
	stamp atomic.Int64

	mu    sync.Mutex
	logs  []*Log
	floor int64 // zxid up to which all is judged
}

// NewHistory returns a history that begins now.
func NewHistory() *History { return &History{began: time.Now()} }

// Stamp returns a number larger than any that was returned before: it orders what happens at one instant of a
// simulation's clock, too.
func (h *History) Stamp() int64 { return h.stamp.Add(1) }

// Now is the time since the history began.
func (h *History) Now() time.Duration { return time.Since(h.began) }

// Began is when the history began, by the wall clock.
func (h *History) Began() time.Time { return h.began }

// Open adds the log of a session.
func (h *History) Open(client string, session int64, timeout time.Duration) *Log {
	l := h.Expect(client)
	l.Begin(session, timeout)
	return l
}

// Expect adds the log of a client that has no session yet. Nothing above the log's floor is judged before it has.
func (h *History) Expect(client string) *Log {
	l := &Log{Client: client, history: h}
	h.mu.Lock()
	defer h.mu.Unlock()
	l.zxid = h.floor
	h.logs = append(h.logs, l)
	return l
}

// Logs returns the logs so far.
func (h *History) Logs() []*Log {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.logs)
}

// low returns the lowest zxid that any session that goes on may still be shown, and lets nobody begin below it.
func (h *History) low() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	low := int64(math.MaxInt64)
	for _, l := range h.logs {
		if zxid, ended := l.state(); !ended {
			low = min(low, zxid)
		}
	}
	if low != math.MaxInt64 {
		h.floor = max(h.floor, low)
	}
	return low
}

// Log is what one session was told, in the order in which it came. Its client alone adds to it.
type Log struct {
	Client  string
	history *History

	mu      sync.Mutex
	session int64
	timeout time.Duration // as granted when the session began
	items   []Item
	zxid    int64 // the highest of a reply; nothing below it is added
	ended   bool
}

// Floor returns the zxid that the client must ask of a server that is to give it a session: what is below may be
// judged and forgotten by now.
func (l *Log) Floor() int64 {
	l.history.mu.Lock()
	defer l.history.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.zxid = max(l.zxid, l.history.floor)
	return l.zxid
}

// Begin says which session the log is of.
func (l *Log) Begin(session int64, timeout time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.session, l.timeout = session, timeout
}

// Session returns the session and its timeout, 0 if there is none yet.
func (l *Log) Session() (id int64, timeout time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.session, l.timeout
}

// Add appends to the log.
func (l *Log) Add(items ...Item) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.items = append(l.items, items...)
	for i := range items {
		if items[i].Kind == Replied {
			l.zxid = max(l.zxid, items[i].Zxid)
		}
	}
}

// End says that nothing more will be added.
func (l *Log) End() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
}

// Items returns what is in the log and has not been taken. The caller must not change it.
func (l *Log) Items() []Item {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.items[:len(l.items):len(l.items)]
}

// take removes the first n items.
func (l *Log) take(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n == len(l.items) {
		l.items = nil
		return
	}
	if l.items = l.items[n:]; n > len(l.items) {
		l.items = slices.Clone(l.items) // so that what was taken can be collected
	}
}

// state returns the highest zxid of a reply, and whether the log is complete.
func (l *Log) state() (zxid int64, ended bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.zxid, l.ended
}

// Kind is what an Item is.
type Kind uint8

// The kinds of items.
const (
	// Replied is a request with its reply. Replies come in the order of the requests.
	Replied Kind = iota
	// Unanswered is a request whose connection ended before its reply. It stands behind everything that the
	// connection brought.
	Unanswered
	// Notified is a watch event.
	Notified
	// Connected says that a server took the session.
	Connected
	// Disconnected says that a connection is over.
	Disconnected
	// Expired says that the session was refused: it is over.
	Expired
	// Garbled is a frame that could not be what a server should have sent; Path says why.
	Garbled
)

// Item is one thing that happened to a session.
type Item struct {
	Kind Kind
	Code wire.Code      // of a reply
	Type wire.EventType // of an event
	Op   wire.Op
	Xid  int32 // never used twice by a session, except those below 0
	Zxid int64 // of the reply or event

	Called, Returned     int64         // stamps; Returned is 0 if there was no reply
	CalledAt, ReturnedAt time.Duration // since the history began

	Body  wire.Body // of the request
	Reply []byte    // what followed the reply's header
	Path  string    // of an event; of Connected the server's address
}
