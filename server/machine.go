package server

import (
	"encoding/binary"
	"io"
	"time"

	"zkd/consensus"
	"zkd/internal/mutant"
	"zkd/proto/jute"
	"zkd/session"
	"zkd/watch"
	"zkd/znode"
)

// machine applies what is committed. Everything in it belongs to the apply
// goroutine.
//
// For each transaction it changes the tree, queues the events of those who
// watch, and then, where the request began on this server, queues the reply:
// all while the state cannot be read, so that no reply that shows a change
// overtakes its event.
type machine struct {
	srv   *Server
	state *state

	txn    txn
	set    settings
	tree   znode.Txn
	reply  []byte
	multi  []multiOp
	dirty  []*conn // have something to be sent
	run    int     // requests since readers had a turn
	event  watch.Event
	frame  []byte // event, encoded once for all who get it; never changed
	fired  int    // of dirty, how many before the change under way
	change znode.Change
	notify func(*conn, watch.Event) // deliverEvent
	told   [2]notice                // by kind
	asker  asker                    // of the reconfiguration under way

	outcome outcome // of the request under way, for a Witness
}

func newMachine(srv *Server) *machine {
	m := &machine{srv: srv, state: srv.state}
	m.notify = m.deliverEvent
	return m
}

var _ consensus.StateMachine = (*machine)(nil)

// lockedRun is how many requests are applied, and parked reads answered, before
// other readers get a turn.
const lockedRun = 32

// Apply implements consensus.StateMachine.
func (m *machine) Apply(b *consensus.Batch) {
	set, ok := decodeSettings(b.Preamble)
	if !ok {
		panic("server: batch without settings")
	}
	m.set = set
	s := m.state
	s.mu.Lock()
	s.enterTerm(b.Term)
	s.now = b.Time
	if mutant.Is(mutant.LeaderClock) {
		s.now = time.Now().UnixMilli()
	}
	size := 0
	for ahead := 0; ; ahead-- {
		if ahead == 0 {
			m.warmWrites(b, lockedRun)
			ahead = lockedRun
		}
		request, waiter, ok := b.Next()
		if !ok {
			break
		}
		c, _ := waiter.(*conn)
		if m.srv.world.Witness == nil {
			m.apply(request, c)
		} else {
			m.applyWitnessed(b.Index, b.Term, request, c)
		}
		size += len(request)
		if m.run++; m.run >= lockedRun {
			s.mu.Unlock()
			s.mu.Lock()
			m.run = 0
		}
	}
	s.mu.Unlock()
	m.run = 0
	if size > 0 {
		m.srv.leadership.proposed(size)
	}
}

// Applied implements consensus.StateMachine: it sends what was queued.
func (m *machine) Applied() {
	if len(m.dirty) == 1 {
		// To wake a flusher takes as long as to send this.
		m.dirty[0].flushQueued()
		m.dirty[0], m.dirty = nil, m.dirty[:0]
		return
	}
	m.handOver(0)
}

// handOver gives the dirty connections from the given one on to the flushers.
func (m *machine) handOver(from int) {
	m.srv.flushers.add(m.dirty[from:])
	clear(m.dirty[from:])
	m.dirty = m.dirty[:from]
}

// Snapshot implements consensus.StateMachine.
func (m *machine) Snapshot() (consensus.State, error) { return m.state.snapshot(), nil }

// Restore implements consensus.StateMachine. What has changed between the old
// state and the new one nobody can tell, so all watches go with their
// connections, before any of these could show it; clients come back and
// compare (setWatches).
func (m *machine) Restore(r io.Reader) error {
	dropAll := func() { m.srv.conns.drop(func(*conn) bool { return !mutant.Is(mutant.Install) }) }
	before := m.state.members.version
	if err := m.state.restore(r, dropAll); err != nil {
		return err
	}
	m.forgetAsker()
	if w := m.srv.world.Witness; w != nil {
		w.Restored(m.state.zxid)
	}
	if now := &m.state.members; now.servers != nil && now.version != before {
		m.srv.membersChanged(now.servers, now.version)
	}
	return nil
}

// Dropped implements consensus.StateMachine.
func (m *machine) Dropped(w consensus.Waiter) {
	if c, ok := w.(*conn); ok && c != nil {
		c.drop()
	}
}

// Digest implements consensus.StateMachine.
func (m *machine) Digest() uint64 { return m.state.digest() }

// Membership implements consensus.StateMachine.
func (m *machine) Membership() *consensus.Membership { return m.state.members.show() }

// apply applies one request. c is who asked, nil if the request did not begin
// here or nobody waits.
func (m *machine) apply(request []byte, c *conn) {
	t := &m.txn
	if !t.decode(request) {
		panic("server: malformed request in the log")
	}
	switch t.op {
	case jute.OpCreateSession, opUpgrade:
		m.createSession(c)
		return
	case opAttach:
		m.attachSession(c)
		return
	case jute.OpDeleteContainer:
		m.deleteContainer()
		return
	case opSetMembers:
		m.setMembers()
		return
	case opWantMembers:
		m.wantMembers()
		return
	case opReconfigDone:
		m.reconfigDone()
		return
	}
	s, ok := m.state.table.Get(t.session)
	if m.void(s, ok) {
		// The session has ended, or goes on over another connection. What is
		// still underway from this one must change nothing.
		m.outcome.void = true
		if c != nil {
			c.drop()
		}
		return
	}
	switch t.op {
	case jute.OpCloseSession:
		m.closeSession(c)
	case jute.OpSync:
		m.sync(c)
	case jute.OpReconfig:
		m.reconfig(c)
	default:
		m.write(c)
	}
}

// void tells whether a request of session s, which may not exist, changes nothing.
func (m *machine) void(s session.Session, exists bool) bool {
	t := &m.txn
	if local := t.generation == localGeneration; local == exists {
		return local || !mutant.Is(mutant.Ended)
	}
	return exists && s.Generation != t.generation && !mutant.Is(mutant.Generation)
}

// write applies a request that changes the tree, or would.
func (m *machine) write(c *conn) {
	t := &m.txn
	m.reply = jute.BeginReply(m.reply[:0], t.xid, 0, jute.OK)
	body := len(m.reply)
	m.begin(m.state.zxid + 1)
	code, taken := m.execute()
	if taken {
		m.state.zxid++
	}
	m.outcome.code = code
	if !mutant.Is(mutant.EventFirst) {
		m.fire()
	}
	for _, n := range m.state.tree.Notices() {
		m.tell(n)
	}
	if c == nil {
		return
	}
	if code != jute.OK {
		m.reply = m.reply[:body]
	}
	m.deliver(c, code)
	if mutant.Is(mutant.EventFirst) {
		m.fire()
	}
}

// tell logs what an operator may want to know of a write.
func (m *machine) tell(n znode.Notice) {
	if !m.srv.serving.Load() || !m.told[n.Kind].due(m.srv.now()) {
		return // replay tells nothing again, and a client cannot flood the log
	}
	switch n.Kind {
	case znode.ListGrown:
		m.srv.log.Warn("this znode's child list has outgrown jute.maxbuffer: clients with that limit cannot list it",
			"path", n.Path, "limit", m.srv.cfg.JuteMaxBuffer)
	case znode.OverQuota:
		m.srv.log.Warn("quota exceeded", "path", n.Path)
	}
}

// begin starts a transaction of the tree.
func (m *machine) begin(zxid int64) {
	m.tree = znode.Txn{
		Zxid: zxid, Time: m.state.now, Session: int64(m.txn.session), Local: m.txn.generation == localGeneration,
		Actor: znode.Actor{IDs: m.txn.ids, SkipACL: m.set.skipACL},
		Settings: znode.Settings{
			EnforceQuota: m.set.enforceQuota, TTLNodes: m.set.ttlNodes,
			ListLimit: m.set.listLimit, ListWarn: m.srv.cfg.JuteMaxBuffer,
		},
	}
	if m.txn.op == jute.OpMulti {
		m.state.tree.BeginMulti(&m.tree)
	} else {
		m.state.tree.Begin(&m.tree)
	}
}

// execute runs the request and appends the reply's body. taken tells whether
// it uses up a zxid: as in ZooKeeper also requests that fail do, except those
// that could not even be read.
func (m *machine) execute() (code jute.Code, taken bool) {
	t, tree := &m.txn, m.state.tree
	switch t.op {
	case jute.OpCreate, jute.OpCreate2, jute.OpCreateContainer, jute.OpCreateTTL:
		c := jute.DecodeCreate(&t.body, t.op)
		if t.body.Err() != nil {
			return jute.ErrMarshalling, false
		}
		path, stat, code := tree.Create(t.op, &c)
		m.reply = jute.AppendString(m.reply, path)
		if t.op != jute.OpCreate {
			m.reply = jute.AppendStat(m.reply, &stat)
		}
		return code, true
	case jute.OpDelete:
		d := jute.DecodePathVersion(&t.body)
		switch {
		case t.body.Err() != nil:
			return jute.ErrMarshalling, false
		case d.NullPath:
			return jute.ErrMarshalling, true
		}
		return tree.Delete(d.Path, d.Version), true
	case jute.OpSetData:
		d := jute.DecodeSetData(&t.body)
		if t.body.Err() != nil {
			return jute.ErrMarshalling, false
		}
		stat, code := tree.SetData(d.Path, d.Data, d.Version)
		m.reply = jute.AppendStat(m.reply, &stat)
		return code, true
	case jute.OpSetACL:
		a := jute.DecodeSetACL(&t.body)
		if t.body.Err() != nil {
			return jute.ErrMarshalling, false
		}
		stat, code := tree.SetACL(&a)
		m.reply = jute.AppendStat(m.reply, &stat)
		return code, true
	case jute.OpMulti:
		return m.applyMulti()
	}
	panic("server: unknown request in the log")
}

// fire queues the events of the transaction just applied.
func (m *machine) fire() {
	if m.state.watches.Total() == 0 {
		return
	}
	for _, m.change = range m.state.tree.Changes() {
		m.frame, m.fired = nil, len(m.dirty)
		m.state.watches.Fire(m.change.Type, m.change.Path, m.notify)
	}
}

// deliverEvent queues an event, unless the receiver may not read the znode
// that it is about. Its one-shot watch is used up all the same, as in ZooKeeper.
func (m *machine) deliverEvent(c *conn, e watch.Event) {
	acl := m.change.ACL
	if e.Type == jute.EventNodeChildrenChanged {
		acl = m.change.ParentACL
	}
	if !m.state.tree.Readable(acl, c.who.Load()) {
		return
	}
	if m.frame == nil || m.event != e {
		m.event = e
		m.frame = jute.AppendEvent(make([]byte, 0, jute.EventSize(e.Path)), m.tree.Zxid, e.Type, e.Path)
	}
	if !c.queueEvent(m.frame) {
		return
	}
	if m.dirty = append(m.dirty, c); len(m.dirty)-m.fired == m.srv.flushers.share() {
		m.handOver(m.fired) // the first have their event before the last is found
	}
}

// deliver completes and queues the reply in m.reply.
func (m *machine) deliver(c *conn, code jute.Code) {
	m.reply = jute.EndReply(m.reply, 0)
	zxid := m.state.zxid
	if mutant.Is(mutant.Zxid) && code != jute.OK {
		zxid--
	}
	patchReply(m.reply, zxid, code)
	dirty, reads := c.answer(m.txn.xid, m.state.zxid, m.reply)
	if m.run += reads; dirty {
		m.dirty = append(m.dirty, c)
	}
}

// patchReply sets zxid and error code of an encoded reply.
func patchReply(frame []byte, zxid int64, code jute.Code) {
	jute.AppendInt32(jute.AppendInt64(frame[:8], zxid), int32(code))
}

func (m *machine) sync(c *conn) {
	t := &m.txn
	if c == nil {
		return
	}
	m.reply = jute.BeginReply(m.reply[:0], t.xid, 0, jute.OK)
	path, null := t.body.NullString()
	if t.body.Err() != nil {
		m.deliver(c, jute.ErrMarshalling)
		return
	}
	if null {
		m.reply = jute.AppendBuffer(m.reply, nil)
	} else {
		m.reply = jute.AppendString(m.reply, path)
	}
	m.deliver(c, jute.OK)
}

func (m *machine) createSession(c *conn) {
	t := &m.txn
	s := session.Session{ID: t.session, Timeout: t.body.Int32(), Generation: t.generation}
	copy(s.Password[:], t.body.Rest())
	m.state.zxid++
	if !m.state.table.Create(s) {
		if c != nil {
			c.drop() // the id is taken; the client tries again and gets another
		}
		return
	}
	if old := m.srv.locals.forget(s.ID); old != nil && old != c {
		old.abandon()
	}
	m.srv.sessions.attached(s, c, milliseconds(s.Timeout))
	switch {
	case c == nil:
	case t.op == opUpgrade:
		c.settle()
	case c.welcome(s):
		m.dirty = append(m.dirty, c)
	}
}

// attachSession makes c, or one on another server, the only connection whose
// requests count for the session. It takes no zxid.
func (m *machine) attachSession(c *conn) {
	s, ok := m.state.table.Attach(m.txn.session)
	if !ok {
		if c != nil && c.refuse() {
			m.dirty = append(m.dirty, c)
		}
		return
	}
	timeout := m.txn.body.Int32()
	if m.txn.body.Err() != nil {
		timeout = s.Timeout // of a release that did not say
	}
	m.srv.sessions.attached(s, c, milliseconds(timeout))
	if c != nil && c.welcome(s) {
		m.dirty = append(m.dirty, c)
	}
}

// closeSession ends a session: by its client, who gets a reply, or because it
// has expired.
func (m *machine) closeSession(c *conn) {
	t := &m.txn
	if b := t.body.Rest(); len(b) == 8 && binary.BigEndian.Uint64(b) != m.state.term && !mutant.Is(mutant.Deposed) {
		return // who judged it silent does not lead any more
	}
	m.state.zxid++
	m.begin(m.state.zxid)
	m.state.tree.CloseSession(int64(t.session))
	m.state.table.Remove(t.session)
	if !mutant.Is(mutant.CloseEvents) {
		m.fire()
	}
	if owner := m.srv.sessions.ended(t.session); owner != nil && owner != c {
		owner.abandon()
	}
	if c == nil {
		return
	}
	m.state.watches.Drop(c)
	c.closeAfterReply()
	m.reply = jute.BeginReply(m.reply[:0], t.xid, 0, jute.OK)
	m.deliver(c, jute.OK)
}

func (m *machine) deleteContainer() {
	path := m.txn.body.String()
	mzxid := m.txn.body.Int64()
	m.state.zxid++
	m.begin(m.state.zxid)
	m.state.tree.DeleteContainer(path, mzxid)
	m.fire()
}
