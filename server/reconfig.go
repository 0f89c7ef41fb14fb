package server

import (
	"strings"

	"zkd/proto/jute"
	"zkd/server/member"
)

// A reconfiguration has two entries in the log. The first is the client's
// request: it is judged, and if nothing speaks against it, it is noted as what
// is wanted. The leader then makes raft's members so (package consensus), and
// the second entry, opReconfigDone, says that they are, or that they cannot
// become so. Only then the znode changes and the client gets its reply.
//
// Whoever leads goes on with what is wanted, so a reconfiguration survives
// leaders and restarts; the client's reply does not survive its server.

const (
	// opSetMembers gives an ensemble its first list, that of somebody's
	// zoo.cfg.
	opSetMembers jute.Op = -101
	// opReconfigDone ends a reconfiguration.
	opReconfigDone jute.Op = -102
)

// asker is who waits for a reconfiguration on this server.
type asker struct {
	conn *conn
	xid  int32
}

// proposeMembers gives the ensemble the list of zoo.cfg unless it has one. It
// implements consensus.Ensemble.Founded.
func (s *Server) proposeMembers() {
	<-s.opened // closed as soon as Open returns
	s.state.mu.RLock()
	known := s.state.members.servers != nil
	s.state.mu.RUnlock()
	if known || !s.cfg.EnsembleMode() {
		return
	}
	list, err := s.firstList()
	if err != nil {
		s.unplaced(err)
		return
	}
	body := jute.AppendInt64(nil, s.cfg.DynamicVersion)
	body = jute.AppendString(body, list.String())
	s.node.Submit(nil, newTxnHead(0, 0, nil).with(opSetMembers, 0), body)
}

// reconfigured implements consensus.Ensemble.Reconfigured.
func (s *Server) reconfigured(change uint64, ok bool) {
	<-s.opened // closed as soon as Open returns
	body := jute.AppendBool(jute.AppendInt64(nil, int64(change)), ok)
	s.node.Submit(nil, newTxnHead(0, 0, nil).with(opReconfigDone, 0), body)
}

// setMembers applies opSetMembers, the first one.
func (m *machine) setMembers() {
	version := m.txn.body.Int64()
	servers, err := member.Parse(strings.Clone(m.txn.body.String()))
	if m.txn.body.Err() != nil || err != nil || len(servers) == 0 {
		panic("server: malformed members in the log")
	}
	s := m.state
	if s.members.servers != nil {
		return // two servers have led since the first proposed it
	}
	// No version may lie ahead of the zxids, or the next one would be smaller.
	// As in ZooKeeper it is 0 where there is neither a dynamic file nor
	// anybody who could reconfigure.
	if version > s.zxid || version == 0 && m.set.reconfig {
		version = s.zxid
	}
	m.install(servers, version)
}

// install makes servers the members and shows them in their znode.
func (m *machine) install(servers member.List, version int64) jute.Stat {
	m.begin(version)
	m.state.members.set(servers, version)
	stat := m.state.tree.SetConfig([]byte(servers.Text(version)))
	m.fire()
	m.srv.membersChanged(servers, version)
	return stat
}

// reconfig applies a client's request for other members. It does not take a
// zxid if something comes of it: that is for opReconfigDone.
func (m *machine) reconfig(c *conn) {
	t, s := &m.txn, m.state
	r := jute.DecodeReconfig(&t.body)
	if t.body.Err() == nil {
		m.begin(s.zxid + 1)
		wanted, code := m.judgeReconfig(&r)
		if code == jute.OK {
			s.members.want(wanted, s.zxid+1)
			m.asker = asker{c, t.xid}
			return
		}
		s.zxid++
		m.answer(c, code)
		return
	}
	m.answer(c, jute.ErrMarshalling)
}

// judgeReconfig decides about a request in the order of ZooKeeper's checks. That
// the new members are there and up to date is the leader's to find out; unlike
// in ZooKeeper that comes after the permission.
func (m *machine) judgeReconfig(r *jute.ReconfigRequest) (member.List, jute.Code) {
	have := &m.state.members
	switch {
	case !m.set.reconfig:
		return nil, jute.ErrReconfigDisabled
	case have.servers == nil:
		return nil, jute.ErrUnimplemented // what a standalone ZooKeeper says
	case have.wanted != nil:
		return nil, jute.ErrReconfigInProgress
	case r.ConfigID != -1 && r.ConfigID != have.version:
		return nil, jute.ErrBadVersion
	}
	least := 2
	if m.set.loneVoter {
		least = 1
	}
	// The strings of a request are parts of the log's memory.
	own := jute.ReconfigRequest{
		Joining: strings.Clone(r.Joining), Leaving: r.Leaving, NewMembers: strings.Clone(r.NewMembers), NullMembers: r.NullMembers,
	}
	wanted, code := have.servers.Change(&own, least)
	if code == jute.OK && !m.state.tree.MayWriteConfig() {
		code = jute.ErrNoAuth
	}
	return wanted, code
}

// reconfigDone applies the end of a reconfiguration. It may come twice.
func (m *machine) reconfigDone() {
	change, ok := m.txn.body.Int64(), m.txn.body.Bool()
	s := m.state
	if s.members.wanted == nil || s.members.change != change {
		return
	}
	s.zxid++
	m.reply = jute.BeginReply(m.reply[:0], m.asker.xid, 0, jute.OK)
	code := jute.ErrNewConfigNoQuorum
	if ok {
		stat := m.install(s.members.wanted, s.zxid)
		m.reply = jute.AppendBuffer(m.reply, []byte(s.members.servers.Text(s.zxid)))
		m.reply, code = jute.AppendStat(m.reply, &stat), jute.OK
	} else {
		s.members.want(nil, 0)
	}
	a := m.asker
	m.asker = asker{}
	if a.conn != nil {
		m.txn.xid = a.xid
		m.deliver(a.conn, code)
	}
}

// forgetAsker ends the wait of whoever asked for a reconfiguration: what came
// of it nobody can tell any more.
func (m *machine) forgetAsker() {
	if m.asker.conn != nil {
		m.asker.conn.drop()
		m.asker = asker{}
	}
}

// answer queues a reply without a body, if somebody waits for it.
func (m *machine) answer(c *conn, code jute.Code) {
	if c == nil {
		return
	}
	m.reply = jute.BeginReply(m.reply[:0], m.txn.xid, 0, jute.OK)
	m.deliver(c, code)
}
