package peer

import (
	"bytes"
	"errors"
	"io"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/raft"
)

// pair is two servers with transports and no raft.
func pair(t *testing.T, change ...func(*Options, *patience)) (from, to *Transport) {
	t.Helper()
	a, d := serve(t, 3, "3.1", nil, change...), serve(t, 1, "1.1", nil, change...)
	introduce(a, d)
	return d.Transport("1.1"), a.Transport("3.1")
}

// answering has AppendEntries answered until stop is called.
func answering(t *Transport) (stop func()) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case rpc := <-t.Consumer():
				rpc.Respond(&raft.AppendEntriesResponse{Success: true}, nil)
			case <-done:
				return
			}
		}
	})
	return sync.OnceFunc(func() { close(done); wg.Wait() })
}

func appendTo(t *Transport, entries ...*raft.Log) error {
	req := raft.AppendEntriesRequest{RPCHeader: t.header(), Term: 1, Entries: entries}
	var resp raft.AppendEntriesResponse
	return t.AppendEntries("3.1", "3.1", &req, &resp)
}

func TestHeartbeatsGoTheWayOfAllRequests(t *testing.T) {
	from, to := pair(t)
	to.SetHeartbeatHandler(func(rpc raft.RPC) {
		t.Error("a heartbeat was handled beside raft's main loop")
		rpc.Respond(&raft.AppendEntriesResponse{Success: true}, nil)
	})
	defer answering(to)()
	if err := appendTo(from); err != nil {
		t.Error(err)
	}
}

func TestNudgesAreCoalesced(t *testing.T) {
	from, to := pair(t)
	peers := []raft.Server{raftServer(1, raft.Voter), raftServer(3, raft.Voter)}
	from.Nudge(nil, 1, 1)
	from.Nudge(peers[:1], 1, 1) // this server alone
	if len(from.nudges.peers) != 0 {
		t.Errorf("%d peers are nudged", len(from.nudges.peers))
	}
	from.Nudge(peers, 7, 1)
	first := <-to.Consumer()
	for i := range 1000 {
		from.Nudge(peers, 7, uint64(i+2))
	}
	for i, rpc := range []raft.RPC{first, {}} {
		if i == 1 {
			rpc = <-to.Consumer()
		}
		req := rpc.Command.(*raft.AppendEntriesRequest)
		index := []uint64{1, 1001}[i]
		if req.Term != 7 || req.PrevLogTerm != 7 || req.PrevLogEntry != index || req.LeaderCommitIndex != index || len(req.Entries) > 0 ||
			string(req.ID) != "1.1" || string(req.Addr) != "1.1" {
			t.Errorf("nudge %d: %+v", i, req)
		}
		rpc.Respond(&raft.AppendEntriesResponse{Success: i == 1}, nil)
	}
}

// A nudge to a peer that cannot be reached is not tried again and again.
func TestNudgesLeaveDeadPeersAlone(t *testing.T) {
	d := serve(t, 1, "1.1", nil)
	d.SetMembers([]Member{{ID: 3, Raft: []string{refusing(t)}}})
	from := d.Transport("1.1")
	peers := []raft.Server{raftServer(3, raft.Voter)}
	resting := func() bool {
		from.nudges.mu.Lock()
		defer from.nudges.mu.Unlock()
		p := from.nudges.peers["3.1"]
		return !p.busy && !p.rest.IsZero()
	}
	from.Nudge(peers, 1, 1)
	eventually(t, "left alone", resting)
	from.nudges.mu.Lock()
	from.nudges.peers["3.1"].rest = time.Now().Add(time.Hour)
	from.nudges.mu.Unlock()
	from.Nudge(peers, 1, 2)
	if !resting() {
		t.Error("it is tried again")
	}
	for i := range 100 {
		from.Nudge([]raft.Server{raftServer(uint64(i+10), raft.Voter)}, 1, 1)
	}
	if err := from.Close(); err != nil {
		t.Error(err)
	}
	from.Nudge([]raft.Server{raftServer(500, raft.Voter)}, 1, 1)
	if n := len(from.nudges.peers); n > 100 {
		t.Errorf("%d peers are remembered", n)
	}
}

func TestStandForElection(t *testing.T) {
	from, _ := pair(t)
	for range 5 {
		from.StandForElection() // nobody listens yet
	}
	rpc := <-from.Consumer()
	if _, ok := rpc.Command.(*raft.TimeoutNowRequest); !ok {
		t.Errorf("got %T", rpc.Command)
	}
	if from.LocalAddr() != "1.1" || string(from.EncodePeer("3.1", "3.1")) != "3.1" {
		t.Errorf("address %q", from.LocalAddr())
	}
}

// Connections in the pool end when the peer starts anew. What is said to it
// next must not fail for that: it may be the vote that counts.
func TestPooledConnectionsOfAPeerThatStartedAnew(t *testing.T) {
	from, to := pair(t)
	stop := answering(to)
	var wg sync.WaitGroup
	for range raftPool {
		wg.Go(func() {
			if err := appendTo(from); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	raftAddrs, _ := to.stream.n.Addrs()
	if err := to.stream.n.Close(); err != nil {
		t.Fatal(err)
	}
	stop()
	if err := appendTo(from); err == nil {
		t.Error("a dead peer answers")
	}
	next := serve(t, 3, "3.1", nil, func(o *Options, _ *patience) { o.RaftAddrs = raftAddrs }).Transport("3.1")
	defer answering(next)()
	if err := appendTo(from); err != nil {
		t.Errorf("after its start: %v", err)
	}
}

func TestOneTransportAfterTheOther(t *testing.T) {
	from, to := pair(t)
	if err := to.Close(); err != nil {
		t.Error(err)
	}
	var r *Refusal
	if err := appendTo(from); !errors.As(err, &r) || r.Reason != NotReady {
		t.Errorf("got %v", err)
	}
	next := to.stream.n.Transport("3.1")
	defer answering(next)()
	if err := appendTo(from); err != nil {
		t.Error(err)
	}
}

// A peer that does not get to what it was sent does not pile up connections.
func TestConnectionsOfOnePeerAreBounded(t *testing.T) {
	from, to := pair(t)
	for range maxRaftConns {
		c, err := from.stream.Dial("3.1", patient)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	held := func() int {
		to.stream.mu.Lock()
		defer to.stream.mu.Unlock()
		return len(to.stream.conns)
	}
	eventually(t, "all held", func() bool { return held() == maxRaftConns })
	var r *Refusal
	if _, err := from.stream.Dial("3.1", patient); !errors.As(err, &r) || r.Reason != NotReady {
		t.Errorf("one more: %v", err)
	}
	if err := from.Close(); err != nil {
		t.Error(err)
	}
	eventually(t, "none held", func() bool { return held() == 0 })
	to.stream.mu.Lock()
	defer to.stream.mu.Unlock()
	if len(to.stream.held) != 0 {
		t.Errorf("still counted: %v", to.stream.held)
	}
}

// snapshotTo sends data as a snapshot that claims to have size bytes.
func snapshotTo(t *Transport, data io.Reader, size int64) error {
	req := raft.InstallSnapshotRequest{RPCHeader: t.header(), Term: 1, Size: size, SnapshotVersion: 1}
	var resp raft.InstallSnapshotResponse
	return t.InstallSnapshot("3.1", "3.1", &req, &resp, data)
}

func TestSnapshotArrives(t *testing.T) {
	from, to := pair(t)
	want := bytes.Repeat([]byte("zkd"), 1<<20)
	got := make(chan []byte, 1)
	go func() {
		rpc := <-to.Consumer()
		b, _ := io.ReadAll(rpc.Reader)
		rpc.Respond(&raft.InstallSnapshotResponse{Success: true}, nil)
		got <- b
	}()
	if err := snapshotTo(from, bytes.NewReader(want), int64(len(want))); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(<-got, want) {
		t.Error("it arrives changed")
	}
}

// The deadline that raft's transport sets once for all of a request is not
// what counts.
func TestDeadlinesForAWholeRequestDoNotCount(t *testing.T) {
	from, _ := pair(t)
	for _, address := range []raft.ServerAddress{"3.1", "3.1" + forSnapshot} {
		c, err := from.stream.Dial(address, patient)
		if err != nil {
			t.Fatal(err)
		}
		past := time.Unix(1, 0)
		if err := errors.Join(c.SetDeadline(past), c.SetReadDeadline(past), c.SetWriteDeadline(past)); err != nil {
			t.Error(err)
		}
		if _, err := c.Write([]byte{99}); err != nil { // no request of raft's: it hangs up
			t.Error(err)
		}
		if _, err := c.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("read: %v", err)
		}
		c.Close()
	}
}

// A peer that stops taking a snapshot, or sending one, is given up.
func TestSnapshotOfADeadPeer(t *testing.T) {
	from, to := pair(t, func(_ *Options, p *patience) {
		*p = patience{hello: patient, write: patient, stall: 50 * time.Millisecond, answer: patient}
	})
	const size = 256 << 20
	taken := make(chan raft.RPC, 1)
	go func() { taken <- <-to.Consumer() }()
	err := snapshotTo(from, io.LimitReader(zeros{}, size), size)
	if e := net.Error(nil); !errors.As(err, &e) || !e.Timeout() {
		t.Errorf("sender: %v", err)
	}
	rpc := <-taken
	if n, err := io.Copy(io.Discard, rpc.Reader); n == size {
		t.Errorf("receiver of all: %v", err)
	}
	rpc.Respond(&raft.InstallSnapshotResponse{}, nil)

	silent := make(chan struct{})
	sent := make(chan error, 1)
	go func() { sent <- snapshotTo(from, io.MultiReader(io.LimitReader(zeros{}, 1000), until(silent)), size) }()
	rpc = <-to.Consumer()
	n, err := io.Copy(io.Discard, rpc.Reader)
	if e := net.Error(nil); !errors.As(err, &e) || !e.Timeout() {
		t.Errorf("receiver of %d bytes: %v", n, err)
	}
	rpc.Respond(&raft.InstallSnapshotResponse{}, err)
	close(silent)
	if err := <-sent; err == nil {
		t.Error("sender: no error")
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }

// until reads as nothing once it is closed.
type until chan struct{}

func (u until) Read([]byte) (int, error) { <-u; return 0, io.EOF }

// The time that a peer has for an answer grows with what it was sent.
func TestPatienceGrowsWithWhatWasSent(t *testing.T) {
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	rec := &deadlines{Conn: near}
	n := &Network{patience: patience{write: time.Second, answer: time.Minute}}
	c := &raftConn{Conn: rec, s: &stream{n: n}}
	const hour = 3600
	for _, snapshot := range []bool{false, true} {
		c.snapshot = snapshot
		c.sent.Store(hour * takeOverRate)
		if err := c.awaitAnswer(); err != nil {
			t.Fatal(err)
		}
		if left := time.Until(rec.read); left < time.Hour {
			t.Errorf("snapshot %v: %v left", snapshot, left)
		}
	}
	go func() { _, _ = far.Write([]byte{1}) }()
	if _, err := c.Read(make([]byte, 1)); err != nil || c.sent.Load() != 0 {
		t.Errorf("after the answer: %d, %v", c.sent.Load(), err)
	}
}

type deadlines struct {
	net.Conn
	read time.Time
}

func (d *deadlines) SetReadDeadline(t time.Time) error { d.read = t; return nil }

func TestInstallSnapshotOnANewMember(t *testing.T) {
	nodes := cluster(t, 3, 20*time.Millisecond)
	leader := nodes[0]
	const fat = 4 << 20
	leader.fsm.fat = fat
	for range 20 {
		leader.raft.Apply([]byte("x"), patient)
	}
	if err := leader.raft.Barrier(patient).Error(); err != nil {
		t.Fatal(err)
	}
	if err := leader.raft.Snapshot().Error(); err != nil {
		t.Fatal(err)
	}
	next := &node{testNet: serve(t, 4, "4.1", nil)}
	hosts := []*testNet{next.testNet}
	for _, n := range nodes {
		hosts = append(hosts, n.testNet)
	}
	introduce(hosts...)
	next.startRaft(t, 20*time.Millisecond, nil)
	if err := leader.raft.AddNonvoter("4.1", "4.1", 0, patient).Error(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "snapshot installed", func() bool { _, n := next.fsm.count(); return n == fat })
	leader.raft.Apply([]byte("x"), patient)
	eventually(t, "the log goes on", func() bool { n, _ := next.fsm.count(); return n > 0 })
}

// Followers hear at once that the leader's process is gone.
func TestLostLeader(t *testing.T) {
	nodes := cluster(t, 3, 20*time.Millisecond)
	leader := nodes[0]
	gone := id(leader.o.ServerID)
	// Whoever has less of the log than another is not elected.
	eventually(t, "equal logs", func() bool {
		last := leader.raft.LastIndex()
		return nodes[1].raft.LastIndex() == last && nodes[2].raft.LastIndex() == last
	})
	if err := leader.Close(); err != nil {
		t.Fatal(err)
	}
	for _, n := range nodes[1:] {
		for who := range n.Lost() {
			if who == gone {
				break
			}
			t.Errorf("%s is lost", who)
		}
	}
	nodes[1].lead(t)
}

func TestNoGoroutineIsLeft(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("cluster", func(t *testing.T) {
		nodes := cluster(t, 3, 20*time.Millisecond)
		nodes[0].raft.Apply([]byte("x"), patient)
		l, err := nodes[0].Dial(testContext(t), id(nodes[1].o.ServerID))
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Send(1, []byte("x")); err != nil {
			t.Error(err)
		}
	})
	eventually(t, "all goroutines ended", func() bool { return runtime.NumGoroutine() <= before })
}

func TestVotes(t *testing.T) {
	from, to := pair(t)
	go func() {
		for range 2 {
			rpc := <-to.Consumer()
			switch req := rpc.Command.(type) {
			case *raft.RequestPreVoteRequest:
				rpc.Respond(&raft.RequestPreVoteResponse{Term: req.Term, Granted: true}, nil)
			case *raft.RequestVoteRequest:
				rpc.Respond(&raft.RequestVoteResponse{Term: req.Term}, nil)
			}
		}
	}()
	var pre raft.RequestPreVoteResponse
	if err := from.RequestPreVote("3.1", "3.1", &raft.RequestPreVoteRequest{RPCHeader: from.header(), Term: 5}, &pre); err != nil || !pre.Granted || pre.Term != 5 {
		t.Errorf("pre-vote: %+v, %v", pre, err)
	}
	var vote raft.RequestVoteResponse
	if err := from.RequestVote("3.1", "3.1", &raft.RequestVoteRequest{RPCHeader: from.header(), Term: 6}, &vote); err != nil || vote.Granted || vote.Term != 6 {
		t.Errorf("vote: %+v, %v", vote, err)
	}
}
