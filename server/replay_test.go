package server

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"zkd/conf"
	"zkd/consensus"
	"zkd/proto/jute"
	"zkd/session"
	"zkd/test/quick"
	"zkd/test/wire"
)

// logEntry is one entry of a log as machines get it.
type logEntry struct {
	term     uint64
	time     int64
	set      settings
	requests [][]byte
}

// logMaker makes a log at random, of all that changes a state.
type logMaker struct {
	rng      *rand.Rand
	entries  []logEntry
	sessions []session.Session
	ids      int64
}

func makeLog(seed uint64, entries int) []logEntry {
	g := &logMaker{rng: rand.New(rand.NewPCG(seed, 0))}
	e := logEntry{term: 2, time: 1_700_000_000_000}
	for range entries {
		if g.rng.IntN(40) == 0 { // another leader, whose settings are its own
			e.term += 1 + g.rng.Uint64N(3)
			e.set = settings{
				skipACL: g.rng.IntN(4) == 0, enforceQuota: g.rng.IntN(2) == 0, ttlNodes: g.rng.IntN(3) > 0,
				reconfig: g.rng.IntN(2) == 0, listLimit: []int{1 << 20, 200}[g.rng.IntN(2)],
			}
		}
		e.time += g.rng.Int64N(3) * g.rng.Int64N(5000)
		e.requests = nil
		for range 1 + g.rng.IntN(8) {
			e.requests = append(e.requests, g.request(e.term))
		}
		g.entries = append(g.entries, e)
	}
	return g.entries
}

func (g *logMaker) pick(v ...string) string { return v[g.rng.IntN(len(v))] }

func (g *logMaker) path() string {
	return g.pick("/a", "/a", "/b", "/a/a", "/a/a", "/a/b", "/b/a", "/a/a/a", "/a/s0000000001", "/zookeeper/quota/a", "/", "/a//", "",
		"/zookeeper/quota/a/zookeeper_limits", "/zookeeper/quota/a/zookeeper_stats")
}

func (g *logMaker) acl() []wire.ACL {
	digest := wire.ACL{Perms: int32(g.rng.IntN(32)), Scheme: "digest", ID: g.pick("u:p", "v:q")}
	return [][]wire.ACL{wire.OpenACL, wire.OpenACL, wire.OpenACL, {digest}, {{Perms: 1, Scheme: "world", ID: "anyone"}, digest}, {}, {{Perms: 31, Scheme: "auth"}}}[g.rng.IntN(7)]
}

func (g *logMaker) data() []byte {
	if g.rng.IntN(5) == 0 {
		return []byte(fmt.Sprintf("count=%d,bytes=%d=;byteHardLimit=%d;countHardLimit=%d", g.rng.IntN(5), g.rng.IntN(50), g.rng.IntN(60), g.rng.IntN(6)))
	}
	return bytes.Repeat([]byte{byte(g.rng.Uint32())}, g.rng.IntN(4)*g.rng.IntN(300))
}

func (g *logMaker) version() int32 { return []int32{-1, -1, -1, 0, 1}[g.rng.IntN(5)] }

// change is an operation that may also stand in a multi.
func (g *logMaker) change() (wire.Op, wire.Body) {
	create := wire.Create{Path: g.path(), Data: g.data(), ACL: g.acl(), Flags: int32(g.rng.IntN(5))}
	if create.Flags&2 != 0 {
		create.Path = g.pick("/a/s", "/s", "/b/")
	}
	switch g.rng.IntN(12) {
	case 0, 1, 2:
		return wire.OpCreate, create
	case 3:
		return wire.OpCreate2, create
	case 4:
		create.Flags = 4
		return wire.OpCreateContainer, create
	case 5:
		create.Flags = int32(5 + g.rng.IntN(2))
		return wire.OpCreateTTL, wire.CreateTTL{Create: create, TTL: 1 + g.rng.Int64N(100000)}
	case 6, 7:
		return wire.OpDelete, wire.PathVersion{Path: g.path(), Version: g.version()}
	case 8:
		return wire.OpCheck, wire.PathVersion{Path: g.path(), Version: g.version()}
	}
	return wire.OpSetData, wire.SetData{Path: g.path(), Data: g.data(), Version: g.version()}
}

func (g *logMaker) request(term uint64) []byte {
	if len(g.sessions) == 0 || g.rng.IntN(30) == 0 {
		g.ids++
		s := session.Session{ID: session.ID(g.ids<<40 | 7), Timeout: 30000, Generation: 1}
		g.sessions = append(g.sessions, s)
		body := jute.AppendInt32(nil, s.Timeout)
		return append(newTxnHead(s.ID, s.Generation, nil).with(jute.OpCreateSession, 0), append(body, make([]byte, 16)...)...)
	}
	at := g.rng.IntN(len(g.sessions))
	s := &g.sessions[at]
	var ids []jute.ID
	for range g.rng.IntN(3) {
		ids = append(ids, jute.ID{Scheme: "digest", ID: g.pick("u:p", "v:q")})
	}
	if g.rng.IntN(10) == 0 {
		ids = append(ids, jute.ID{Scheme: "super"})
	}
	generation := s.Generation
	if g.rng.IntN(40) == 0 {
		generation-- // of a connection that was replaced
	}
	write := func(op jute.Op, body []byte) []byte {
		return append(newTxnHead(s.ID, generation, ids).with(op, int32(g.rng.Uint32())), body...)
	}
	body := func(b wire.Body) []byte { return wire.Payload(0, 0, b)[8:] }
	switch g.rng.IntN(40) {
	case 0:
		s.Generation++
		return write(opAttach, jute.AppendInt32(nil, 20000))
	case 1: // its client, or a leader that is one no more
		b := write(jute.OpCloseSession, nil)
		if g.rng.IntN(2) == 0 {
			return binary.BigEndian.AppendUint64(b, term-g.rng.Uint64N(2))
		}
		g.sessions = append(g.sessions[:at], g.sessions[at+1:]...)
		return b
	case 2:
		return write(jute.OpDeleteContainer, jute.AppendInt64(jute.AppendString(nil, g.path()), g.rng.Int64N(1<<33)))
	case 3, 4:
		return write(jute.OpSetACL, body(wire.SetACL{Path: g.path(), ACL: g.acl(), Version: g.version()}))
	case 5:
		return write(jute.OpSync, body(wire.Path(g.path())))
	case 6, 7, 8, 9, 10:
		var m wire.Multi
		for range g.rng.IntN(5) {
			op, b := g.change()
			m.Ops = append(m.Ops, wire.SubOp{Op: op, Body: b})
		}
		return write(jute.OpMulti, body(m))
	}
	op, b := g.change()
	if op == wire.OpCheck {
		op, b = wire.OpSetData, wire.SetData{Path: "/a", Data: g.data(), Version: -1}
	}
	raw := body(b)
	if g.rng.IntN(50) == 0 {
		raw = raw[:g.rng.IntN(len(raw)+1)] // as a damaged client sends it
	}
	return write(jute.Op(op), raw)
}

// effect is what one request has done.
type effect struct {
	zxid   int64
	code   jute.Code
	void   bool
	reply  string
	digest uint64
}

// recorder is a Witness that keeps everything.
type recorder struct{ steps []effect }

func (r *recorder) Applied(a *Applied) {
	r.steps = append(r.steps, effect{a.Zxid, a.Code, a.Void, string(a.Reply), a.Digest})
}

func (r *recorder) Restored(int64) {}

// replica is a machine with what it has applied.
type replica struct {
	*machine
	recorder
	applied int // entries
}

func newReplica(t *testing.T, change func(*conf.Config)) *replica {
	r := &replica{}
	srv := newServer(testConfig(t, t.TempDir(), change), quietLog(), World{Witness: &r.recorder})
	r.machine = newMachine(srv)
	return r
}

// play applies what follows in a log, up to an entry.
func (r *replica) play(log []logEntry, to int) {
	for ; r.applied < to; r.applied++ {
		e := log[r.applied]
		r.Apply(consensus.NewBatch(uint64(r.applied+1), e.term, e.time, e.set.encode(), e.requests...))
		r.Applied()
	}
}

func (r *replica) Applied() { r.machine.Applied() }

// replaySettings differ in all that a configuration file can say about results, and in what it says about resources.
var replaySettings = []func(*conf.Config){
	nil,
	func(c *conf.Config) { c.SkipACL, c.EnforceQuota, c.ReconfigEnabled = true, true, true },
	func(c *conf.Config) {
		c.ExtendedTypesEnabled, c.TickTime, c.JuteMaxBuffer = false, 10*time.Millisecond, 4096
	},
}

// Machines that apply the same entries do and answer the same at every request: whatever their own settings, on any
// number of processors, from the first entry on or from a snapshot of any of them, one that was written while entries
// went on being applied.
func TestReplay(t *testing.T) {
	quick.Skip(t)
	const entries, every = 600, 23
	for seed := range uint64(3) {
		log := makeLog(seed, entries)
		first := newReplica(t, nil)
		first.play(log, entries)
		same := func(what string, r *replica, want []effect) {
			t.Helper()
			if len(r.steps) != len(want) {
				t.Fatalf("seed %d: %s has done %d requests, not %d", seed, what, len(r.steps), len(want))
			}
			for i, s := range r.steps {
				if s != want[i] {
					t.Fatalf("seed %d: %s differs at request %d of %d: %+v, not %+v", seed, what, i, len(want), s, want[i])
				}
			}
		}
		for i, change := range replaySettings {
			for _, processors := range []int{1, 4} {
				before := runtime.GOMAXPROCS(processors)
				whole := newReplica(t, change)
				for at := every; at <= entries; at += every {
					whole.play(log, at)
					var image bytes.Buffer
					state, err := whole.Snapshot()
					if err != nil {
						t.Fatal(err)
					}
					written := make(chan error)
					go func() { written <- state.Persist(&image) }()
					whole.play(log, min(at+every/2, entries)) // meanwhile
					if err := <-written; err != nil {
						t.Fatal(err)
					}
					state.Release()
					tail := newReplica(t, replaySettings[(i+at)%len(replaySettings)])
					if err := tail.Restore(&image); err != nil {
						t.Fatal(err)
					}
					tail.applied = at
					done := 0
					for _, e := range log[:at] {
						done += len(e.requests)
					}
					if at < entries && tail.Digest() != first.steps[done-1].digest {
						t.Fatalf("seed %d: the snapshot of entry %d has another digest", seed, at)
					}
					tail.play(log, entries)
					same(fmt.Sprintf("a snapshot of entry %d with settings %d", at, i), tail, first.steps[done:])
				}
				whole.play(log, entries)
				same(fmt.Sprintf("the whole log with settings %d on %d processors", i, processors), whole, first.steps)
				runtime.GOMAXPROCS(before)
			}
		}
		ok, digests := 0, map[uint64]bool{}
		for _, s := range first.steps {
			digests[s.digest] = true
			if s.code == jute.OK && !s.void {
				ok++
			}
		}
		if ok < len(first.steps)/4 || len(digests) < len(first.steps)/3 {
			t.Errorf("seed %d: %d of %d requests went well, with %d digests", seed, ok, len(first.steps), len(digests))
		}
	}
}
