package oracle

import (
	"bytes"
	"container/heap"
	"fmt"
	"math"
	"time"

	"zkd/test/wire"
)

// Options say what a run allows to be demanded of it. The zero value demands what holds under every fault.
type Options struct {
	// Staleness is how old the state may be that a server shows, 0 for any age.
	Staleness time.Duration
	// Quiet says that no server was cut off or stopped, and how much later than after its timeout a session must have
	// ended whose client is silent. No session may then end sooner than its timeout after an answered request; otherwise
	// its server may not have been able to tell the leader of that. 0 is a run that was not quiet.
	Quiet time.Duration
	// Clock is the one by which a session must have its timeout from when a leader gave it a connection.
	Clock Clock
	// Ended says that every session has had the time to end.
	Ended bool
	// Strangers says that sessions without a log have written, too.
	Strangers bool
	// Second names the znodes whose operations Porcupine gives its opinion on; nil is none.
	Second func(path string) bool
}

// Clock says which clock can be believed.
type Clock uint8

// The clocks.
const (
	NoClock     Clock = iota
	SeenClock         // streams are heard of as they are applied
	LeaderClock       // no clock of a server is set to another time
)

// Stats are what was checked. Require demands at least so much of a run.
type Stats struct {
	Entries, Terms, Restores       int // of the sequence; servers that began from a snapshot
	Sessions, Connections, Expired int // Expired by a server
	Writes, Refused                int // acknowledged ones, and of them those with an error
	Unknown, UnknownApplied        int // writes without a reply, and those that were applied
	Reads, Syncs                   int
	Events, CatchUps, SetWatches   int
	EphemeralsEnded                int // with their sessions
	Reaped                         int // containers and TTL znodes
	Second                         int // operations that Porcupine has judged
}

// Checker compares a history with the committed sequence. It is not for concurrent use.
//
// Everything goes by zxid: an entry is applied to the model, then every session's items of that zxid are judged
// against it, so nothing is searched and what was judged can be forgotten.
type Checker struct {
	opts    Options
	history *History
	seq     *Sequence
	model   *model
	reader  reader
	tables  watchTables
	tracks  map[int64]*track // by session
	logs    map[*Log]*track
	ready   trackHeap
	faults  faults
	stats   Stats
	second  second
	time    timeline
	backlog []Entry // cannot be judged yet
	done    bool
}

// track is how far a session's log has been judged.
type track struct {
	log     *Log
	session int64
	timeout time.Duration
	items   []Item
	pos     int
	key     int64 // zxid at which the next item can be judged
	final   bool  // no item will be added

	zxid      int64 // of the last reply
	event     int64 // zxid of the last event
	watcher   *watcher
	begun     bool          // its session is in the sequence
	attached  time.Duration // when it last got a connection, by Options.Clock
	heard     time.Duration // when the last request was called that has been answered
	sent      time.Duration // when the last one was called
	applied   int32         // xid of the last request in the sequence
	committed map[int32]*Entry
	unknown   map[int32]*Item
	closed    bool
	closedAt  int64         // zxid
	gone      time.Duration // when that was, by Options.Clock
	refused   bool
	refusedAt time.Duration
}

// NewChecker returns a checker that has seen nothing.
func NewChecker(h *History, s *Sequence, o Options) *Checker {
	c := &Checker{
		opts: o, history: h, seq: s, model: newModel(), tables: newWatchTables(),
		tracks: map[int64]*track{}, logs: map[*Log]*track{}, second: newSecond(o.Second),
	}
	c.reader.m = c.model
	return c
}

// Verify judges a run that has ended.
func Verify(h *History, s *Sequence, o Options) ([]Fault, Stats) {
	c := NewChecker(h, s, o)
	return c.Finish(), c.Stats()
}

// Advance judges what is certain to be complete of a run that goes on: everything up to the lowest zxid that any
// session has reached. The log of a session that begins later must be one that History.Expect has opened before.
func (c *Checker) Advance() {
	// The mark first: whoever has reached it was told of nothing that the sequence does not have by now.
	low := c.history.low()
	c.run(c.seq.Take(false), low, false)
}

// Zxid is up to where Advance has judged.
func (c *Checker) Zxid() int64 { return c.model.zxid }

// Finish judges the rest and returns all broken promises.
func (c *Checker) Finish() []Fault {
	if !c.done {
		c.run(c.seq.Take(true), math.MaxInt64, true)
		c.finish()
		c.done = true
	}
	return c.Faults()
}

// Faults returns the broken promises so far.
func (c *Checker) Faults() []Fault {
	return append(c.faults.all(), c.seq.Faults()...)
}

// Stats is what was checked so far.
func (c *Checker) Stats() Stats {
	s := c.stats
	c.seq.mu.Lock()
	defer c.seq.mu.Unlock()
	s.Restores = c.seq.restores
	return s
}

// run applies entries one after the other, each behind what sessions were told before it.
func (c *Checker) run(entries []Entry, low int64, final bool) {
	c.load(final)
	c.backlog = append(c.backlog, entries...)
	n := 0
	for n < len(c.backlog) {
		e := &c.backlog[n]
		if e.Zxid > low && !final {
			break
		}
		c.consume(e.Zxid - 1)
		c.commit(e)
		n++
	}
	c.backlog = c.backlog[n:]
	if len(c.backlog) == 0 {
		c.backlog = nil
	}
	if final {
		c.consume(math.MaxInt64 - 1)
	} else {
		c.consume(min(low, c.model.zxid-1)) // of zxid itself there may be a sync to come
	}
	for _, t := range c.logs {
		t.log.take(t.pos)
		t.items, t.pos = nil, 0
	}
}

// load looks at what the logs have got.
func (c *Checker) load(final bool) {
	c.ready = c.ready[:0]
	for _, l := range c.history.Logs() {
		t := c.logs[l]
		if t == nil {
			session, timeout := l.Session()
			if session == 0 {
				continue
			}
			t = &track{log: l, session: session, timeout: timeout, watcher: newWatcher(), committed: map[int32]*Entry{}, unknown: map[int32]*Item{}}
			c.logs[l] = t
			if old := c.tracks[session]; old != nil {
				c.faults.say(Durable, "session %#x was given to %s, and to %s", session, old.log.Client, l.Client)
			}
			c.tracks[session] = t
			c.stats.Sessions++
		}
		_, t.final = l.state()
		t.final = t.final || final
		t.items, t.pos = l.Items(), 0
		t.next()
		c.ready = append(c.ready, t)
	}
	heap.Init(&c.ready)
}

// next finds at which zxid the next item can be judged.
func (t *track) next() {
	t.key = math.MaxInt64
	for i := t.pos; i < len(t.items); i++ {
		switch item := &t.items[i]; {
		case item.Kind == Notified && item.Zxid == -1:
			continue // comes with what is behind it
		case (item.Kind == Replied || item.Kind == Notified) && item.Zxid > 0:
			t.key = item.Zxid
			return
		}
		t.key = 0
		return
	}
	if t.final && t.pos < len(t.items) {
		t.key = 0
	}
}

// consume judges everything that sessions were told up to a zxid.
func (c *Checker) consume(zxid int64) {
	for len(c.ready) > 0 && c.ready[0].key <= zxid {
		t := c.ready[0]
		for t.key <= zxid {
			c.judge(t, &t.items[t.pos])
			t.pos++
			t.next()
		}
		heap.Fix(&c.ready, 0)
	}
}

// commit applies an entry to the model and compares what came of it.
func (c *Checker) commit(e *Entry) {
	m := c.model
	c.stats.Entries++
	if e.Term > m.term {
		c.stats.Terms++
	}
	if e.Time < m.time {
		c.faults.say(Replicas, "the time went back from %d: %v", m.time, e)
	}
	ended := 0
	if s := m.sessions[e.Session]; s != nil && e.Op == wire.OpClose {
		ended = len(s.ephemerals)
	}
	lived := m.sessions[e.Session] != nil
	if e.Op == wire.OpDeleteContainer {
		c.reaped(e)
	}
	r := m.apply(e)
	if r.known {
		c.compare(e, &r)
	}
	m.zxid = e.Zxid
	if e.Op == wire.OpClose && r.taken {
		c.stats.EphemeralsEnded += ended
		c.ended(e, lived)
	}
	for i := range m.changes {
		c.tables.fire(&m.changes[i], e.Zxid, e.Op == wire.OpClose)
	}
	if t := c.tracks[e.Session]; t != nil {
		c.requested(t, e, &r)
		if e.Op == opAttach || e.Op == wire.OpCreateSession {
			t.attached = c.when(e)
		}
		t.begun = t.begun || m.sessions[e.Session] != nil
	} else if !c.opts.Strangers && !r.void && e.Xid > 0 && r.taken {
		c.faults.say(AtMostOnce, "a session that nobody has was obeyed: %v", e)
	}
}

// reaped judges that a TTL znode had its time.
func (c *Checker) reaped(e *Entry) {
	n := c.model.unneeded(e.Body)
	if n == nil {
		return
	}
	c.stats.Reaped++
	if lived := e.Time - n.mtime; c.opts.Clock == LeaderClock && n.ttl > 0 && lived <= n.ttl {
		c.faults.say(Ephemerals, "%s was taken away after %d ms; its TTL is %d ms: %v", n.path, lived, n.ttl, e)
	}
}

// compare judges a server's result by the model's.
func (c *Checker) compare(e *Entry, r *result) {
	switch m := c.model; {
	case r.void != e.Void:
		c.faults.say(Replicas, "void is %t, should be %t: %v", e.Void, r.void, e)
	case e.Zxid != m.zxid:
		c.faults.say(Replicas, "zxid %#x, should be %#x: %v", e.Zxid, m.zxid, e)
	case !e.Op.Takes() || e.Op == wire.OpClose || e.Op == wire.OpDeleteContainer:
	case e.Code != r.code:
		c.faults.say(Replicas, "%s: %s", c.describe(e), unexpected(e.Code, r.code))
	case !bytes.Equal(e.Reply, r.reply):
		c.faults.say(Replicas, "%s: result %x, should be %x", c.describe(e), e.Reply, r.reply)
	}
}

// describe shows a request.
func (c *Checker) describe(e *Entry) string {
	body, _ := wire.DecodeRequest(e.Op, e.Body)
	return fmt.Sprintf("op %d %.200s of session %#x, zxid %#x", e.Op, fmt.Sprintf("%+v", body), e.Session, e.Zxid)
}

// ofClient tells whether a request came from a client, and could have been acknowledged to it.
func ofClient(e *Entry) bool {
	switch e.Op {
	case wire.OpSync:
		return true
	case wire.OpClose:
		return len(e.Body) == 0
	case wire.OpDeleteContainer:
		return false
	}
	return e.Op.Takes()
}

// requested notes a request of a known session that is in the sequence.
func (c *Checker) requested(t *track, e *Entry, r *result) {
	if r.void || !ofClient(e) {
		return
	}
	if e.Xid <= t.applied {
		c.faults.say(AtMostOnce, "%s: request %d was applied behind request %d: %s", t, e.Xid, t.applied, c.describe(e))
	}
	t.applied = max(t.applied, e.Xid)
	unknown := t.unknown[e.Xid]
	for xid := range t.unknown {
		if xid <= t.applied {
			delete(t.unknown, xid) // now it must not be applied any more
		}
	}
	if unknown != nil {
		c.unknownApplied(t, unknown, e)
		return
	}
	if old := t.committed[e.Xid]; old != nil {
		c.faults.say(AtMostOnce, "%s: request %d was applied twice: %s and %s", t, e.Xid, c.describe(old), c.describe(e))
		return
	}
	kept := *e
	t.committed[e.Xid] = &kept
}

// unknownApplied is for a write that was not acknowledged and turns up in the sequence.
func (c *Checker) unknownApplied(t *track, i *Item, e *Entry) {
	c.stats.UnknownApplied++
	c.sameRequest(t, i, e)
}

// sameRequest judges that what was committed is what was sent.
func (c *Checker) sameRequest(t *track, i *Item, e *Entry) {
	if i.Op != e.Op || e.Op != wire.OpClose && !bytes.Equal(wire.Payload(i.Xid, i.Op, i.Body)[8:], e.Body) {
		c.faults.say(Durable, "%s: request %d is op %d %+v and was committed as %s", t, i.Xid, i.Op, i.Body, c.describe(e))
	}
}

func (t *track) String() string { return fmt.Sprintf("%s (session %#x)", t.log.Client, t.session) }

// judge judges the next item of a session.
func (c *Checker) judge(t *track, i *Item) {
	switch i.Kind {
	case Connected:
		c.stats.Connections++
		c.disconnect(t)
		t.heard, t.sent = max(t.heard, i.CalledAt), max(t.sent, i.CalledAt)
	case Disconnected:
		c.disconnect(t)
	case Expired:
		if !t.refused {
			t.refused, t.refusedAt = true, i.ReturnedAt
		}
	case Garbled:
		c.faults.say(SessionView, "%s: %s", t, i.Path)
	case Notified:
		c.notified(t, i)
	case Unanswered:
		c.unanswered(t, i)
	case Replied:
		c.replied(t, i)
	}
}

// disconnect forgets the watches of a session's connection.
func (c *Checker) disconnect(t *track) {
	c.tables.drop(t.watcher)
	t.watcher = newWatcher()
}

func (c *Checker) notified(t *track, i *Item) {
	c.stats.Events++
	if i.Zxid == -1 {
		c.stats.CatchUps++
	}
	t.event = max(t.event, i.Zxid)
	if complaint := t.watcher.notified(i); complaint != "" {
		c.faults.say(Watches, "%s: %s", t, complaint)
	}
}

func (c *Checker) unanswered(t *track, i *Item) {
	t.sent = max(t.sent, i.CalledAt)
	if !i.Op.Takes() && i.Op != wire.OpSync {
		return
	}
	c.stats.Unknown++
	c.second.unanswered(i)
	if e := t.committed[i.Xid]; e != nil {
		delete(t.committed, i.Xid)
		c.unknownApplied(t, i, e)
		return
	}
	if i.Xid > t.applied && !t.closed {
		kept := *i
		t.unknown[i.Xid] = &kept
	}
}

// replied judges a reply.
func (c *Checker) replied(t *track, i *Item) {
	m := c.model
	t.heard, t.sent = max(t.heard, i.CalledAt), max(t.sent, i.CalledAt)
	switch {
	case i.Zxid > 0:
		if i.Zxid < t.zxid {
			c.faults.say(SessionView, "%s: zxid %#x after %#x, in the reply to %s", t, i.Zxid, t.zxid, showItem(i))
		}
		if i.Zxid < t.event {
			c.faults.say(SessionView, "%s: zxid %#x after an event of zxid %#x, in the reply to %s", t, i.Zxid, t.event, showItem(i))
		}
		if t.closed && i.Zxid > t.closedAt {
			c.faults.say(Ephemerals, "%s was answered at zxid %#x, after its end at %#x: %s", t, i.Zxid, t.closedAt, showItem(i))
		}
		for _, complaint := range t.watcher.replied(i.Zxid, i.Op) {
			c.faults.say(Watches, "%s: %s, to %s", t, complaint, showItem(i))
		}
		for _, complaint := range c.time.replied(i, c.opts.Staleness) {
			c.faults.say(Linear, "%s: %s", t, complaint)
		}
	case i.Op != wire.OpAuth && i.Op != wire.OpSASL: // whose replies have none in ZooKeeper, either
		c.faults.say(SessionView, "%s: the reply to %s has zxid %d, which is that of no state", t, showItem(i), i.Zxid)
	}
	before := t.zxid
	t.zxid = max(t.zxid, i.Zxid)
	switch {
	case i.Op.Takes() || i.Op == wire.OpSync:
		c.acknowledged(t, i, before)
	case i.Zxid <= 0:
	case i.Zxid > m.zxid && i.Zxid&(1<<32-1) != 0:
		c.faults.say(Durable, "%s: the reply to %s is of zxid %#x, which was never committed; the last one is %#x", t, showItem(i), i.Zxid, m.zxid)
	case i.Zxid < m.zxid:
		// Judged too late, as its session fell behind: there is a fault already, or the session began with less
		// than what was checked by then.
		if i.Zxid >= before {
			c.faults.say(NotVacuous, "%s: the reply to %s, of zxid %#x, cannot be judged any more", t, showItem(i), i.Zxid)
		}
	default:
		c.read(t, i)
	}
	if i.Op == wire.OpSetWatches || i.Op == wire.OpSetWatches2 {
		c.stats.SetWatches++
	}
}

// read judges a read, or a request about watches, by the state of its zxid.
func (c *Checker) read(t *track, i *Item) {
	if complaint, judged := c.reader.wrong(t.session, i); complaint != "" && judged {
		check := SessionView
		if c.reader.ephemeral(i) {
			check = Ephemerals
		}
		c.faults.say(check, "%s: %s at zxid %#x gave %s", t, showItem(i), i.Zxid, complaint)
	} else if judged {
		c.stats.Reads++
	}
	c.second.read(t, i)
	if complaint := c.tables.register(t.watcher, i, c.model); complaint != "" {
		c.faults.say(Watches, "%s: %s", t, complaint)
	}
}

// acknowledged judges the reply to a write or sync by its entry.
func (c *Checker) acknowledged(t *track, i *Item, before int64) {
	e := t.committed[i.Xid]
	delete(t.committed, i.Xid)
	if i.Op == wire.OpSync {
		c.stats.Syncs++
	} else {
		c.stats.Writes++
		if i.Code != 0 {
			c.stats.Refused++
		}
	}
	switch {
	case i.Op == wire.OpReconfig:
	case e == nil:
		c.faults.say(Durable, "%s: %s was acknowledged with zxid %#x, and is not in the sequence up to there", t, showItem(i), i.Zxid)
	case e.Zxid != i.Zxid:
		c.faults.say(Durable, "%s: %s was acknowledged with zxid %#x, and has %#x", t, showItem(i), i.Zxid, e.Zxid)
	case i.Op == wire.OpSync, i.Op == wire.OpClose:
		c.sameRequest(t, i, e)
	case e.Code != i.Code || !bytes.Equal(e.Reply, i.Reply):
		c.faults.say(Durable, "%s: %s, zxid %#x, was acknowledged with %v %x, and gave %v %x", t, showItem(i), i.Zxid, i.Code, i.Reply, e.Code, e.Reply)
	default:
		c.sameRequest(t, i, e)
		if i.Zxid <= before && i.Code != wire.CodeMarshalling {
			c.faults.say(SessionView, "%s: the write %s has zxid %#x; before it came a reply of zxid %#x", t, showItem(i), i.Zxid, before)
		}
	}
	c.second.acknowledged(t, i)
}

func showItem(i *Item) string {
	return fmt.Sprintf("request %d, op %d %.160s", i.Xid, i.Op, fmt.Sprintf("%+v", i.Body))
}

// ended judges the end of a session.
func (c *Checker) ended(e *Entry, lived bool) {
	t := c.tracks[e.Session]
	if t == nil {
		return
	}
	if !lived {
		return
	}
	t.closed, t.closedAt, t.gone = true, e.Zxid, c.when(e)
	if e.Xid == 0 {
		clear(t.unknown)
	}
	if len(e.Body) != 8 {
		return
	}
	c.stats.Expired++
	if early := t.attached + t.timeout - c.when(e); c.opts.Clock != NoClock && early > time.Millisecond {
		c.faults.say(Ephemerals, "%s expired %v too early, after it had a new connection: %v", t, early, e)
	}
	at := e.Seen.Sub(c.history.began)
	if early := t.heard + t.timeout - at; c.opts.Quiet > 0 && early > time.Millisecond {
		c.faults.say(Ephemerals, "%s expired at %v, though a request of %v was answered: %v too early", t, at, t.heard, early)
	}
	if late := at - t.sent - t.timeout; c.opts.Quiet > 0 && late > c.opts.Quiet {
		c.faults.say(Ephemerals, "%s expired at %v, though its client was last heard at %v: %v too late", t, at, t.sent, late)
	}
}

// when is the time of an entry by the clock that expiry is judged by.
func (c *Checker) when(e *Entry) time.Duration {
	if c.opts.Clock == LeaderClock {
		return time.UnixMilli(e.Time).Sub(c.history.began)
	}
	return e.Seen.Sub(c.history.began)
}

// finish judges what must be so in the end.
func (c *Checker) finish() {
	for _, t := range c.logs {
		for xid, e := range t.committed {
			if e.Op == wire.OpReconfig {
				continue
			}
			c.faults.say(AtMostOnce, "%s: request %d was applied, and was never sent, or answered before it was committed: %s", t, xid, c.describe(e))
		}
		switch early := t.gone - t.refusedAt; {
		case !t.begun:
			c.faults.say(Durable, "%s: nobody has committed that there is such a session", t)
		case t.refused && !t.closed:
			c.faults.say(Ephemerals, "%s was told that its session is over, and it is not", t)
		case t.refused && c.opts.Clock != NoClock && early > time.Millisecond:
			// The client is gone then, so that the session ends all the same.
			c.faults.say(Ephemerals, "%s was told that its session is over, %v before it was", t, early)
		}
		if t.pos < len(t.items) {
			c.faults.say(NotVacuous, "%s: %d items of its log were not judged", t, len(t.items)-t.pos)
		}
	}
	if c.opts.Ended {
		for id, s := range c.model.sessions {
			c.faults.say(Ephemerals, "session %#x should have ended, and has %d ephemerals", id, len(s.ephemerals))
		}
	}
	for _, complaint := range c.second.judge(&c.stats) {
		c.faults.say(Linear, "%s", complaint)
	}
}

// trackHeap is sessions by what they were told next.
type trackHeap []*track

func (h trackHeap) Len() int           { return len(h) }
func (h trackHeap) Less(i, j int) bool { return h[i].key < h[j].key }
func (h trackHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push implements heap.Interface; nothing is pushed.
func (h *trackHeap) Push(x any) { *h = append(*h, x.(*track)) }

// Pop implements heap.Interface; nothing is popped.
func (h *trackHeap) Pop() any { panic("oracle: nothing is popped") }
