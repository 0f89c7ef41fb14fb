package peer

import (
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"zkd/internal/mutant"
)

const (
	raftTimeout  = 10 * time.Second
	raftPool     = 6
	raftInFlight = 2 // more only adds latency, hashicorp/raft#541
)

// Transport is raft's way to its peers. The address of a member is its raft ID.
type Transport struct {
	*raft.NetworkTransport
	stream *stream
	rpcs   chan raft.RPC
	self   chan raft.RPC // of this process, for its own raft
	nudges nudges
	// settled is what AnswerWhen was given.
	settled atomic.Pointer[func() error]
	// nudged is what OnNudge was given.
	nudged atomic.Pointer[func(index uint64)]
	// applied is what SkipSnapshots was given.
	applied atomic.Pointer[func() (term, index uint64)]
	passer  sync.WaitGroup
	once    sync.Once
	err     error
}

var (
	_ raft.Transport   = (*Transport)(nil)
	_ raft.WithPreVote = (*Transport)(nil)
	_ raft.WithClose   = (*Transport)(nil)
)

// Transport begins to take raft's connections, for the member with that ID,
// which is this server's from now on. There is one at a time; raft closes it,
// or Close of the Network does.
func (n *Network) Transport(id string) *Transport {
	s := newStream(n, id)
	t := &Transport{stream: s, rpcs: make(chan raft.RPC), self: make(chan raft.RPC, 1)}
	t.nudges.init(t)
	s.transport = t
	t.NetworkTransport = raft.NewNetworkTransportWithConfig(&raft.NetworkTransportConfig{
		// What it would log are errors that raft logs too.
		Logger: hclog.NewNullLogger(), Stream: s,
		MaxPool: raftPool, MaxRPCsInFlight: raftInFlight, Timeout: raftTimeout, // to connect; see raftConn for the rest
	})
	t.passer.Go(t.pass)
	n.mu.Lock()
	closed := n.closed
	if !closed {
		n.stream = s
	}
	n.mu.Unlock()
	if closed {
		_ = t.Close()
	}
	return t
}

// pass hands over the requests of peers and of this process, as one.
func (t *Transport) pass() {
	for {
		var rpc raft.RPC
		select {
		case rpc = <-t.NetworkTransport.Consumer():
		case rpc = <-t.self:
		case <-t.stream.done:
			return
		}
		if t.outdated(&rpc) {
			continue
		}
		select {
		case t.rpcs <- rpc:
		case <-t.stream.done:
			return
		}
	}
}

// AnswerWhen has every answer to a peer wait for settled, which is called for
// each: it may be about entries that are not durable yet. Where settled fails
// there is no answer.
func (t *Transport) AnswerWhen(settled func() error) { t.settled.Store(&settled) }

// OnNudge has nudged called when a leader's Nudge comes, before raft learns of it.
func (t *Transport) OnNudge(nudged func(index uint64)) { t.nudged.Store(&nudged) }

func (t *Transport) settle() error {
	if f := t.settled.Load(); f != nil {
		return (*f)()
	}
	return nil
}

// SkipSnapshots has the snapshots confirmed, and not installed, that this server
// has applied already. One may be sent twice, and raft would go back to it and
// forget what it has acknowledged since. applied returns raft's term and the
// last entry applied.
func (t *Transport) SkipSnapshots(applied func() (term, index uint64)) { t.applied.Store(&applied) }

// outdated answers an RPC that is not to reach raft.
func (t *Transport) outdated(rpc *raft.RPC) bool {
	req, ok := rpc.Command.(*raft.InstallSnapshotRequest)
	applied := t.applied.Load()
	if !ok || applied == nil {
		return false
	}
	term, index := (*applied)()
	if req.Term != term || req.LastLogIndex > index {
		return false
	}
	resp := &raft.InstallSnapshotResponse{RPCHeader: t.header(), Term: term, Success: true}
	t.passer.Go(func() {
		// The sender waits for an answer only behind its last byte.
		_, err := io.Copy(io.Discard, rpc.Reader)
		rpc.Respond(resp, err)
	})
	return true
}

// Consumer implements raft.Transport.
func (t *Transport) Consumer() <-chan raft.RPC { return t.rpcs }

// LocalAddr implements raft.Transport.
func (t *Transport) LocalAddr() raft.ServerAddress { return raft.ServerAddress(t.stream.id) }

// SetHeartbeatHandler implements raft.Transport, and does nothing: a heartbeat
// that is handled beside raft's main loop races with it, and a leader of the
// past may then write its own entries under a later term (hashicorp/raft#695).
func (t *Transport) SetHeartbeatHandler(handle func(raft.RPC)) {
	if mutant.Is(mutant.Heartbeat) {
		t.NetworkTransport.SetHeartbeatHandler(handle)
	}
}

// StandForElection makes the local raft a candidate without a pre-vote, as the
// leader's TimeoutNow does (Raft dissertation §3.10). It does not wait for it.
func (t *Transport) StandForElection() {
	rpc := raft.RPC{
		Command:  &raft.TimeoutNowRequest{RPCHeader: t.header()},
		RespChan: make(chan raft.RPCResponse, 1),
	}
	select {
	case t.self <- rpc:
	default: // one is on its way
	}
}

func (t *Transport) header() raft.RPCHeader { return headerOf(t.stream.id) }

func headerOf(raftID string) raft.RPCHeader {
	id := []byte(raftID)
	return raft.RPCHeader{ProtocolVersion: raft.ProtocolVersionMax, ID: id, Addr: id}
}

// again calls an RPC until it was not the fault of a connection that had ended
// while it lay in the pool. Such RPCs may be received twice.
func again(rpc func() error) (err error) {
	for range raftPool + 1 {
		if err = rpc(); err != io.EOF {
			return err
		}
	}
	return err
}

// AppendEntries implements raft.Transport.
func (t *Transport) AppendEntries(id raft.ServerID, to raft.ServerAddress, req *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	return again(func() error { return t.NetworkTransport.AppendEntries(id, to, req, resp) })
}

// RequestVote implements raft.Transport.
func (t *Transport) RequestVote(id raft.ServerID, to raft.ServerAddress, req *raft.RequestVoteRequest, resp *raft.RequestVoteResponse) error {
	return again(func() error { return t.NetworkTransport.RequestVote(id, to, req, resp) })
}

// RequestPreVote implements raft.WithPreVote.
func (t *Transport) RequestPreVote(id raft.ServerID, to raft.ServerAddress, req *raft.RequestPreVoteRequest, resp *raft.RequestPreVoteResponse) error {
	return again(func() error { return t.NetworkTransport.RequestPreVote(id, to, req, resp) })
}

// InstallSnapshot implements raft.Transport. It goes on as long as the peer
// takes something, and gives it time to take over the whole.
func (t *Transport) InstallSnapshot(id raft.ServerID, to raft.ServerAddress, req *raft.InstallSnapshotRequest, resp *raft.InstallSnapshotResponse, data io.Reader) error {
	return t.NetworkTransport.InstallSnapshot(id, to+forSnapshot, req, resp, data)
}

// Close implements raft.WithClose. When it returns, raft hears of nobody any
// more, and no goroutine of the transport is left but those of calls to peers,
// which fail.
func (t *Transport) Close() error {
	t.once.Do(func() {
		t.err = t.NetworkTransport.Close()
		t.nudges.close()
		t.passer.Wait()
		t.stream.handlers.Wait()
	})
	return t.err
}
