package peer

import (
	"bytes"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/raft"
)

// pipe is a pipeline between two servers without raft.
func pipe(t *testing.T) (p *pipeline, from, to *Transport) {
	t.Helper()
	from, to = pair(t)
	ap, err := from.AppendEntriesPipeline("3.1", "3.1")
	if err != nil {
		t.Fatal(err)
	}
	p = ap.(*pipeline)
	t.Cleanup(func() { _ = p.Close() })
	return p, from, to
}

// message is an AppendEntries with that many entries behind previous.
func message(term, previous, commit uint64, entries int) *raft.AppendEntriesRequest {
	req := &raft.AppendEntriesRequest{Term: term, PrevLogEntry: previous, PrevLogTerm: term, LeaderCommitIndex: commit}
	for i := range entries {
		req.Entries = append(req.Entries, &raft.Log{
			Index: previous + uint64(i) + 1, Term: term, Type: raft.LogCommand, AppendedAt: time.Unix(0, 42),
			Data: []byte(strings.Repeat("d", i*1000)), Extensions: []byte("seal"),
		})
	}
	return req
}

func sendTo(t *testing.T, p *pipeline, req *raft.AppendEntriesRequest) raft.AppendFuture {
	t.Helper()
	f, err := p.AppendEntries(req, &raft.AppendEntriesResponse{})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// received takes the next request that reaches raft.
func received(t *testing.T, to *Transport) (*raft.AppendEntriesRequest, raft.RPC) {
	t.Helper()
	select {
	case rpc := <-to.Consumer():
		return rpc.Command.(*raft.AppendEntriesRequest), rpc
	case <-time.After(patient):
		t.Fatal("nothing comes")
		return nil, raft.RPC{}
	}
}

func TestPipelineCarriesEntries(t *testing.T) {
	p, _, to := pipe(t)
	for i, want := range []*raft.AppendEntriesRequest{message(7, 4, 2, 70), message(7, 74, 2, 0), message(7, 74, 2, 1)} {
		sent := sendTo(t, p, want)
		if i == 0 {
			// What is committed comes first, as raft looks at it last.
			if got, _ := received(t, to); got.PrevLogEntry != 4 || got.PrevLogTerm != 7 || got.LeaderCommitIndex != 2 || got.Term != 7 || len(got.Entries) > 0 {
				t.Errorf("commit of message %d: %+v", i, got)
			}
		}
		got, rpc := received(t, to)
		if got.Term != 7 || got.PrevLogEntry != want.PrevLogEntry || got.PrevLogTerm != 7 || got.LeaderCommitIndex != 2 ||
			got.ProtocolVersion != raft.ProtocolVersionMax || string(got.ID) != "1.1" || string(got.Addr) != "1.1" {
			t.Errorf("message %d: %+v", i, got)
		}
		if !slices.EqualFunc(got.Entries, want.Entries, func(a, b *raft.Log) bool {
			return a.Index == b.Index && a.Term == b.Term && a.Type == b.Type && a.AppendedAt.Equal(b.AppendedAt) &&
				string(a.Data) == string(b.Data) && string(a.Extensions) == string(b.Extensions)
		}) {
			t.Errorf("message %d: the entries are others", i)
		}
		rpc.Respond(&raft.AppendEntriesResponse{Term: 7, LastLog: uint64(i), Success: i < 2, NoRetryBackoff: i == 2}, nil)
		done := <-p.Consumer()
		if r := done.Response(); done != sent || done.Error() != nil || done.Request() != want || r.Term != 7 || r.LastLog != uint64(i) || r.Success != (i < 2) || r.NoRetryBackoff != (i == 2) {
			t.Errorf("answer %d: %+v", i, r)
		}
	}
}

// A nudge of a follower that still has to get the entry reaches it behind that,
// and nobody answers it.
func TestNudgeGoesBehindTheEntry(t *testing.T) {
	p, from, to := pipe(t)
	peers := []raft.Server{raftServer(3, raft.Voter)}
	nudged := func(index uint64) {
		t.Helper()
		from.Nudge(peers, 7, index)
		if len(from.nudges.peers) > 0 {
			t.Error("a goroutine sees to what the pipeline carries")
		}
	}
	answer := func(index uint64, entries int) {
		t.Helper()
		req, rpc := received(t, to)
		if req.PrevLogEntry+uint64(len(req.Entries)) != index || len(req.Entries) != entries {
			t.Fatalf("got %d entries behind %d, want %d up to %d", len(req.Entries), req.PrevLogEntry, entries, index)
		}
		rpc.Respond(&raft.AppendEntriesResponse{Success: true}, nil)
		if entries > 0 {
			<-p.Consumer()
		}
	}
	sendTo(t, p, message(7, 0, 0, 1))
	answer(1, 1)
	nudged(2)
	sendTo(t, p, message(7, 1, 0, 1))
	answer(2, 1)
	if req, _ := received(t, to); len(req.Entries) > 0 || req.PrevLogEntry != 2 || req.PrevLogTerm != 7 || req.LeaderCommitIndex != 2 || req.Term != 7 {
		t.Errorf("nudge: %+v", req)
	}
	nudged(2) // known
	sendTo(t, p, message(7, 2, 2, 1))
	answer(3, 1)
	nudged(3)
	if req, _ := received(t, to); req.LeaderCommitIndex != 3 {
		t.Errorf("nudge at once: %+v", req)
	}
}

// A connection that does not take a nudge at once delays nobody: a goroutine
// writes the rest, and entries come behind it.
func TestNudgeOfASlowPeer(t *testing.T) {
	for _, takes := range []int{0, 5} {
		p, from, to := pipe(t)
		sendTo(t, p, message(7, 0, 0, 1))
		_, rpc := received(t, to)
		rpc.Respond(&raft.AppendEntriesResponse{Success: true}, nil)
		<-p.Consumer()
		p.now.writer = partly{p.conn.Conn, takes}
		from.Nudge([]raft.Server{raftServer(3, raft.Voter)}, 7, 1)
		if req, _ := received(t, to); req.LeaderCommitIndex != 1 || req.PrevLogEntry != 1 || req.PrevLogTerm != 7 {
			t.Errorf("nudge in parts: %+v", req)
		}
		sendTo(t, p, message(7, 1, 1, 1))
		if req, _ := received(t, to); len(req.Entries) != 1 {
			t.Errorf("entries behind it: %+v", req)
		}
	}
}

// partly is a connection that takes only so many bytes at once.
type partly struct {
	net.Conn
	most int
}

func (c partly) WriteNow(b []byte) (int, error) { return c.Conn.Write(b[:c.most]) }

// What is told while somebody writes is written by him.
func TestNudgeWhileEntriesAreWritten(t *testing.T) {
	p, from, to := pipe(t)
	sendTo(t, p, message(7, 0, 0, 1))
	_, rpc := received(t, to)
	rpc.Respond(&raft.AppendEntriesResponse{Success: true}, nil)
	<-p.Consumer()
	p.write.Lock()
	from.Nudge([]raft.Server{raftServer(3, raft.Voter)}, 7, 1)
	p.unlock()
	if req, _ := received(t, to); req.LeaderCommitIndex != 1 {
		t.Errorf("nudge: %+v", req)
	}
}

// A follower whose disk is still at an entry has not confirmed it, and hears that
// it is committed.
func TestNudgePassesAnAnswerThatWaits(t *testing.T) {
	p, from, to := pipe(t)
	synced := make(chan struct{})
	to.AnswerWhen(func() error { <-synced; return nil })
	told := make(chan uint64, 1)
	to.OnNudge(func(index uint64) { told <- index })
	sendTo(t, p, message(7, 0, 0, 1))
	_, rpc := received(t, to)
	rpc.Respond(&raft.AppendEntriesResponse{Success: true}, nil)
	from.Nudge([]raft.Server{raftServer(3, raft.Voter)}, 7, 1)
	if req, _ := received(t, to); req.LeaderCommitIndex != 1 || <-told != 1 {
		t.Errorf("nudge: %+v", req)
	}
	select {
	case <-p.Consumer():
		t.Error("it is confirmed before the sync")
	default:
	}
	close(synced)
	<-p.Consumer()
}

// Before a pipeline has sent anything, a nudge goes another way.
func TestNudgeBeforeThePipelineIsUsed(t *testing.T) {
	_, from, to := pipe(t)
	from.Nudge([]raft.Server{raftServer(3, raft.Voter)}, 7, 5)
	req, rpc := received(t, to)
	if req.LeaderCommitIndex != 5 {
		t.Errorf("nudge: %+v", req)
	}
	rpc.Respond(&raft.AppendEntriesResponse{Success: true}, nil)
}

func TestPipelineIsBounded(t *testing.T) {
	p, _, to := pipe(t)
	for i := range raftInFlight {
		sendTo(t, p, message(7, uint64(i), 0, 1))
	}
	third := make(chan error, 1)
	go func() {
		_, err := p.AppendEntries(message(7, raftInFlight, 0, 1), &raft.AppendEntriesResponse{})
		third <- err
	}()
	_, rpc := received(t, to)
	time.Sleep(10 * time.Millisecond) // it has the time to do what it must not
	select {
	case err := <-third:
		t.Fatalf("one too many on its way: %v", err)
	default:
	}
	rpc.Respond(&raft.AppendEntriesResponse{Success: true}, nil)
	if err := <-third; err != nil {
		t.Error(err)
	}
}

// Raft hears of the end of a pipeline by what is on its way, or by the next.
func TestPipelineOfADeadPeer(t *testing.T) {
	for _, idle := range []bool{false, true} {
		p, _, to := pipe(t)
		if !idle {
			sendTo(t, p, message(7, 0, 0, 1))
			received(t, to)
		}
		if err := to.Close(); err != nil {
			t.Fatal(err)
		}
		if !idle {
			if a := <-p.Consumer(); a.Error() == nil || a.Response().Success {
				t.Errorf("answer: %+v, %v", a.Response(), a.Error())
			}
		}
		eventually(t, "refused", func() bool {
			p.mu.Lock()
			defer p.mu.Unlock()
			return p.failed != nil
		})
		if _, err := p.AppendEntries(message(7, 1, 0, 1), &raft.AppendEntriesResponse{}); err == nil {
			t.Error("a dead pipeline takes entries")
		}
		if p.tell(7, 1) {
			t.Error("a dead pipeline tells of commits")
		}
		for range 2 {
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		}
		if _, err := p.AppendEntries(message(7, 1, 0, 1), &raft.AppendEntriesResponse{}); err == nil {
			t.Error("a closed pipeline takes entries")
		}
	}
}

// Who waits for room in a pipeline hears of its end.
func TestPipelineFailsWhileItIsFull(t *testing.T) {
	p, _, to := pipe(t)
	for i := range raftInFlight {
		sendTo(t, p, message(7, uint64(i), 0, 1))
	}
	third := make(chan error, 1)
	go func() {
		_, err := p.AppendEntries(message(7, raftInFlight, 0, 1), &raft.AppendEntriesResponse{})
		third <- err
	}()
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-third:
		if err == nil {
			t.Error("a dead pipeline takes entries")
		}
	case <-time.After(patient):
		t.Error("it waits for ever")
	}
}

// A follower that is sent garbage hangs up.
func TestGarbageForAFollower(t *testing.T) {
	from, to := pair(t)
	for name, b := range map[string][]byte{
		"unknown kind":     {99},
		"too many entries": append(append([]byte{entriesMessage}, make([]byte, 32)...), 0xff, 0xff),
	} {
		c, err := from.stream.dial("3.1", forEntries, patient)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Conn.Write(b); err != nil {
			t.Error(err)
		}
		if _, err := c.Conn.Read(make([]byte, 1)); err == nil {
			t.Errorf("%s is answered", name)
		}
		_ = c.Close()
	}
	eventually(t, "complaint", func() bool { return to.stream.n.Figures().Garbage > 0 })
	var big raft.AppendEntriesRequest
	big.Entries = make([]*raft.Log, maxEntries+1)
	p := &pipeline{}
	if err := writeEntries(p.w, &big); err == nil {
		t.Error("too many entries are sent")
	}
	var ack [entriesAck]byte
	ack[17] = 2
	if err := decodeAck(&ack, &raft.AppendEntriesResponse{}); !errors.Is(err, errEntries) {
		t.Errorf("malformed answer: %v", err)
	}
}

// A peer may take a second for each takeOverRate bytes it was sent, on top.
func TestLargeMessageMayTakeItsTime(t *testing.T) {
	p, from, to := pipe(t)
	from.stream.n.patience.write = 300 * time.Millisecond
	req := message(7, 0, 0, 1)
	req.Entries[0].Data = bytes.Repeat([]byte{1}, 5*takeOverRate)
	sendTo(t, p, req)
	_, rpc := received(t, to)
	time.Sleep(time.Second) // longer than the patience for a short message
	rpc.Respond(&raft.AppendEntriesResponse{Term: 7, Success: true}, nil)
	if a := <-p.Consumer(); a.Error() != nil || !a.Response().Success {
		t.Errorf("answer: %+v, %v", a.Response(), a.Error())
	}
}

// Raft reads no further answer once one was no success; whoever sends must not
// wait for room for ever.
func TestPipelineAfterARefusal(t *testing.T) {
	p, _, to := pipe(t)
	go func() {
		for rpc := range to.Consumer() {
			rpc.Respond(&raft.AppendEntriesResponse{Term: 8}, nil)
		}
	}()
	// It may fail by itself, if it is refused before it returns.
	_, _ = p.AppendEntries(message(7, 0, 0, 1), &raft.AppendEntriesResponse{})
	<-p.Consumer() // no success: raft's decoder is gone
	ended := make(chan error, 1)
	go func() {
		for i := range 8 {
			if _, err := p.AppendEntries(message(7, uint64(i+1), 0, 1), &raft.AppendEntriesResponse{}); err != nil {
				ended <- err
				return
			}
		}
		ended <- nil
	}()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("a pipeline that was refused takes more")
		}
	case <-time.After(patient):
		t.Error("it waits for ever")
	}
}

// Raft sends one message on a pipeline for each entry that comes in, and else
// one every CommitTimeout, however many entries wait: a follower that comes back
// while nobody writes would need half a minute for a thousand. So a pipeline ends
// when raft leaves it alone behind a message as long as they get, and raft goes on
// without.
func TestPipelineEndsWhenRaftLeavesItBehind(t *testing.T) {
	p, _, to := pipe(t)
	go func() {
		for rpc := range to.Consumer() {
			rpc.Respond(&raft.AppendEntriesResponse{Term: 7, Success: true}, nil)
		}
	}()
	sendTo(t, p, message(7, 4, 0, 1))
	if a := <-p.Consumer(); !a.Response().Success {
		t.Fatalf("a short message: %+v", a.Response())
	}
	sendTo(t, p, message(7, 5, 0, MaxEntries))
	if a := <-p.Consumer(); !a.Response().Success || a.Request().PrevLogEntry != 5 {
		t.Fatalf("a long message: %+v", a.Response())
	}
	select {
	case a := <-p.Consumer():
		if a.Response().Success || a.Response().Term > a.Request().Term {
			t.Errorf("raft is told %+v", a.Response())
		}
	case <-time.After(patient):
		t.Fatal("raft is told nothing")
	}
	if _, err := p.AppendEntries(message(7, 5+MaxEntries, 0, 1), &raft.AppendEntriesResponse{}); !errors.Is(err, errBehind) {
		t.Errorf("then: %v", err)
	}
}
