package server

import (
	"bytes"
	"encoding/binary"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"zkd/proto/jute"
	"zkd/server/member"
	"zkd/session"
	"zkd/watch"
)

// reconfigBench is a state machine without a log: entries are applied one by
// one.
type reconfigBench struct {
	*machine
	t    *testing.T
	conn *conn
	ids  []jute.ID
	xid  int32
}

var super = []jute.ID{{Scheme: "super"}}

func newReconfigBench(t *testing.T, set settings) *reconfigBench {
	cfg := testConfig(t, t.TempDir(), nil)
	s := &Server{cfg: cfg, log: slog.New(slog.DiscardHandler), state: newState(), conns: newConns(), throttle: newThrottle(cfg), memory: newMemory()}
	s.dynamic = member.NewFile(cfg, s.log)
	s.sessions = newSessions(s)
	near, far := net.Pipe()
	t.Cleanup(func() { near.Close(); far.Close() })
	b := &reconfigBench{machine: newMachine(s), t: t, conn: newConn(s, near), ids: super}
	b.set = set
	b.state.zxid, b.state.now = 0x100000000, 50
	b.state.table.Create(session.Session{ID: 1, Timeout: 1000, Generation: 1})
	return b
}

// members applies the first list.
func (b *reconfigBench) members(version int64, text string) {
	b.apply(append(newTxnHead(0, 0, nil).with(opSetMembers, 0), jute.AppendString(jute.AppendInt64(nil, version), text)...), nil)
}

// ask applies a request of the connection.
func (b *reconfigBench) ask(r jute.ReconfigRequest) {
	b.xid++
	body := jute.AppendString(jute.AppendString(nil, r.Joining), r.Leaving)
	if r.NullMembers {
		body = jute.AppendBuffer(body, nil)
	} else {
		body = jute.AppendString(body, r.NewMembers)
	}
	b.conn.pending = append(b.conn.pending, pendingReply{op: jute.OpReconfig})
	b.srv.outstanding.Add(1)
	b.apply(append(newTxnHead(1, 1, b.ids).with(jute.OpReconfig, b.xid), jute.AppendInt64(body, r.ConfigID)...), b.conn)
}

// done applies the end of a change.
func (b *reconfigBench) done(change int64, ok bool) {
	b.apply(append(newTxnHead(0, 0, nil).with(opReconfigDone, 0), jute.AppendBool(jute.AppendInt64(nil, change), ok)...), nil)
}

// reply returns what the connection has got since: nil if nothing.
func (b *reconfigBench) reply() *jute.Reader {
	frame := b.conn.out.buf
	b.conn.out.buf, b.conn.dirty = nil, false
	if len(frame) == 0 {
		return nil
	}
	if n := int(binary.BigEndian.Uint32(frame)); n != len(frame)-4 {
		b.t.Fatalf("not one frame: %d of %d bytes", n, len(frame)-4)
	}
	r := jute.NewReader(frame[4:])
	return &r
}

// wantCode checks that the reply is an error, and nothing else.
func (b *reconfigBench) wantCode(code jute.Code) {
	b.t.Helper()
	r := b.reply()
	if r == nil {
		b.t.Fatalf("no reply, want %s", code)
	}
	if xid, zxid, got := r.Int32(), r.Int64(), jute.Code(r.Int32()); xid != b.xid || zxid != b.state.zxid || got != code || r.Len() > 0 {
		b.t.Errorf("xid %d, zxid %#x, %s, %d bytes more; want %d, %#x, %s", xid, zxid, got, r.Len(), b.xid, b.state.zxid, code)
	}
}

func incremental(joining, leaving string, id int64) jute.ReconfigRequest {
	return jute.ReconfigRequest{Joining: joining, Leaving: leaving, ConfigID: id, NullMembers: true}
}

// TestReconfigChecks has in each row all faults of those below it: the first
// one counts.
func TestReconfigChecks(t *testing.T) {
	on, anybody := settings{reconfig: true}, []jute.ID{{Scheme: "ip", ID: "::1"}}
	for _, tt := range []struct {
		name    string
		set     settings
		alone   bool // it never was an ensemble
		pending bool
		r       jute.ReconfigRequest
		want    jute.Code
	}{
		{name: "disabled", alone: true, pending: true, r: incremental("foo", "x", 9), want: jute.ErrReconfigDisabled},
		{name: "standalone", set: on, alone: true, r: incremental("foo", "x", 9), want: jute.ErrUnimplemented},
		{name: "in progress", set: on, pending: true, r: incremental("foo", "x", 9), want: jute.ErrReconfigInProgress},
		{name: "other version", set: on, r: incremental("foo", "x", 9), want: jute.ErrBadVersion},
		{name: "leaving", set: on, r: incremental("foo", "x", -1), want: jute.ErrMarshalling},
		{name: "joining", set: on, r: incremental("foo", "1,2,3", 0x100000000), want: jute.ErrBadArguments},
		{name: "voters", set: on, r: incremental("", "1,2", -1), want: jute.ErrBadArguments},
		{name: "permission", set: on, r: incremental("", "3", -1), want: jute.ErrNoAuth},
		{name: "skipACL", set: settings{reconfig: true, skipACL: true}, r: incremental("", "3", -1)},
		{name: "one voter is enough", set: settings{reconfig: true, loneVoter: true, skipACL: true}, r: incremental("", "2,3", -1)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newReconfigBench(t, tt.set)
			b.ids = anybody
			if !tt.alone {
				b.members(0x100000000, three)
			}
			if tt.pending {
				b.state.members.want(mustParse(t, three), 8)
			}
			before := b.state.zxid
			b.ask(tt.r)
			if tt.want != jute.OK {
				b.wantCode(tt.want)
				if b.state.zxid != before+1 {
					t.Errorf("zxid %#x, want the next", b.state.zxid)
				}
				return
			}
			if r := b.reply(); r != nil || b.state.members.wanted == nil || b.state.zxid != before {
				t.Errorf("reply %v, wanted %v, zxid %#x", r, b.state.members.wanted, b.state.zxid)
			}
		})
	}
}

func TestReconfigMalformed(t *testing.T) {
	b := newReconfigBench(t, settings{reconfig: true})
	b.members(0, three)
	before := b.state.zxid
	b.conn.pending = append(b.conn.pending, pendingReply{op: jute.OpReconfig})
	b.apply(append(newTxnHead(1, 1, super).with(jute.OpReconfig, 0), 0, 0, 0), b.conn)
	b.wantCode(jute.ErrMarshalling)
	if b.state.zxid != before {
		t.Errorf("zxid %#x, want none taken", b.state.zxid)
	}
}

func TestSetMembers(t *testing.T) {
	for _, tt := range []struct {
		name          string
		reconfig      bool
		version, want int64
	}{
		{name: "static", want: 0},
		{name: "static, to be reconfigured", reconfig: true, want: 0x100000000},
		{name: "dynamic file", version: 0xab, want: 0xab},
		{name: "dynamic file, to be reconfigured", reconfig: true, version: 0xab, want: 0xab},
		{name: "dynamic file of an older ensemble", version: 0x700000005, want: 0x100000000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newReconfigBench(t, settings{reconfig: tt.reconfig})
			b.members(tt.version, three)
			b.members(5, "server.1=z:1:2:participant") // too late
			stat, _ := b.state.tree.Stat("/zookeeper/config")
			text := mustParse(t, three).Text(tt.want)
			want := jute.Stat{Mzxid: tt.want, Mtime: 50, Version: -1, Aversion: -1, DataLength: int32(len(text))}
			if stat != want || b.state.zxid != 0x100000000 || b.state.members.version != tt.want {
				t.Errorf("stat %+v, zxid %#x; want %+v", stat, b.state.zxid, want)
			}
			if data := b.config(); data != text {
				t.Errorf("shows %q, want %q", data, text)
			}
		})
	}
}

// config is what /zookeeper/config holds.
func (b *reconfigBench) config() string {
	reply, code := b.state.tree.AppendData(nil, "/zookeeper/config", b.conn.who.Load())
	if code != jute.OK {
		b.t.Fatal(code)
	}
	r := jute.NewReader(reply)
	return string(r.Buffer())
}

func TestReconfigDone(t *testing.T) {
	b := newReconfigBench(t, settings{reconfig: true})
	b.members(0, three)
	before := b.state.zxid
	b.state.watches.Add(b.conn, watch.Data, "/zookeeper/config", watch.Standard)
	b.ask(incremental("", "3", -1))
	change := b.state.members.change
	b.done(change+1, true) // of a change there is not
	if b.reply() != nil || b.state.zxid != before {
		t.Fatal("another change has ended this one")
	}
	b.done(change, true)
	want := mustParse(t, three)[:2].Text(before + 1)
	frames := b.conn.out.buf
	event := jute.AppendEvent(nil, before+1, jute.EventNodeDataChanged, "/zookeeper/config")
	if !bytes.HasPrefix(frames, event) {
		t.Fatalf("the event does not come first: %x", frames)
	}
	b.conn.out.buf = frames[len(event):]
	r := b.reply()
	if xid, zxid, code := r.Int32(), r.Int64(), jute.Code(r.Int32()); xid != b.xid || zxid != before+1 || code != jute.OK {
		t.Fatalf("xid %d, zxid %#x, %s", xid, zxid, code)
	}
	stat := jute.Stat{Mzxid: before + 1, Mtime: 50, Version: -1, Aversion: -1, DataLength: int32(len(want))}
	if data := string(r.Buffer()); data != want || !bytes.Equal(r.Rest(), jute.AppendStat(nil, &stat)) {
		t.Errorf("data %q, stat %x", data, r.Rest())
	}
	if b.config() != want || b.state.members.wanted != nil || b.state.members.version != before+1 {
		t.Errorf("shows %q, state %+v", b.config(), b.state.members)
	}
	b.done(change, true)
	b.done(change, false)
	if b.reply() != nil || b.state.zxid != before+1 || b.srv.outstanding.Load() != 0 {
		t.Error("the end counted again")
	}
}

func TestReconfigFails(t *testing.T) {
	b := newReconfigBench(t, settings{reconfig: true})
	b.members(0, three)
	shows := b.config()
	b.ask(incremental("", "3", -1))
	first := b.state.members.change
	b.done(first, false)
	b.wantCode(jute.ErrNewConfigNoQuorum)
	if b.config() != shows || b.state.members.wanted != nil || b.state.members.servers.String() != three {
		t.Errorf("shows %q, state %+v", b.config(), b.state.members)
	}
	b.ask(incremental("", "3", -1))
	if b.state.members.change <= first {
		t.Errorf("change %d after %d", b.state.members.change, first)
	}
}

// A server that did not ask has nobody to answer.
func TestReconfigElsewhere(t *testing.T) {
	b := newReconfigBench(t, settings{reconfig: true})
	b.members(0, three)
	body := jute.AppendInt64(jute.AppendBuffer(jute.AppendString(jute.AppendString(nil, ""), "3"), nil), -1)
	b.apply(append(newTxnHead(1, 1, super).with(jute.OpReconfig, 7), body...), nil)
	b.done(b.state.members.change, true)
	if b.reply() != nil || len(b.state.members.servers) != 2 {
		t.Errorf("reply, or members %v", b.state.members.servers)
	}
}

// Who waits while another state is installed gets no answer, and holds up
// nothing.
func TestReconfigForgotten(t *testing.T) {
	b := newReconfigBench(t, settings{reconfig: true})
	b.members(0, three)
	b.ask(incremental("", "3", -1))
	image := persisted(t, b.state)
	if err := b.Restore(bytes.NewReader(image)); err != nil {
		t.Fatal(err)
	}
	if !b.conn.gone || b.srv.outstanding.Load() != 0 || b.asker.conn != nil {
		t.Error("somebody still waits")
	}
	b.done(b.state.members.change, true)
	if len(b.state.members.servers) != 2 {
		t.Errorf("members %v", b.state.members.servers)
	}
	_ = b.conn.nc.SetReadDeadline(time.Now().Add(patience))
	if _, err := b.conn.nc.Read(make([]byte, 1)); err != io.ErrClosedPipe {
		t.Errorf("the connection is open: %v", err)
	}
}

// wantMembers applies what a leader proposes in the place of the list with that
// version.
func (b *reconfigBench) wantMembers(version int64, text string) {
	b.apply(append(newTxnHead(0, 0, nil).with(opWantMembers, 0), jute.AppendString(jute.AppendInt64(nil, version), text)...), nil)
}

func TestWantMembers(t *testing.T) {
	const two = "server.1=a:2888:3888:participant;a:2181\nserver.2=b:2888:3888:participant;0.0.0.0:2181"
	b := newReconfigBench(t, settings{}) // nobody may reconfigure
	b.wantMembers(0, two)
	if b.state.members.wanted != nil || b.state.members.servers != nil {
		t.Fatal("members where there is no ensemble")
	}
	b.members(0, three)
	before := b.state.zxid
	b.wantMembers(7, two) // another version has been seen
	b.wantMembers(0, "server.1=a:2888:3888:observer")
	if b.state.members.wanted != nil {
		t.Fatalf("wanted: %v", b.state.members.wanted)
	}
	b.wantMembers(0, two)
	change := b.state.members.change
	b.wantMembers(0, three) // while a change is under way
	if got := b.state.members.wanted.String(); got != two || b.state.zxid != before {
		t.Fatalf("wanted: %s, zxid %#x", got, b.state.zxid)
	}
	b.done(change, true)
	if m := &b.state.members; m.servers.String() != two || m.version != before+1 || m.wanted != nil {
		t.Errorf("members %+v", m)
	}
	b.wantMembers(0, three) // proposed before that
	if b.state.members.wanted != nil {
		t.Error("an old proposal counts")
	}
}
