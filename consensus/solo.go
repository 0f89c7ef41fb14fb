package consensus

import (
	"errors"
	"io"

	"github.com/hashicorp/raft"
)

// soloTransport is the raft transport of a server without peers: it reaches
// nobody, and nobody reaches it but timeoutNow.
type soloTransport struct {
	addr raft.ServerAddress
	rpcs chan raft.RPC
}

var errNoPeers = errors.New("consensus: this server has no peers")

func newSoloTransport(addr raft.ServerAddress) *soloTransport {
	return &soloTransport{addr: addr, rpcs: make(chan raft.RPC, 1)}
}

// timeoutNow makes the local raft stand for election without waiting for the
// heartbeats of a leader that cannot exist (TimeoutNow, Raft dissertation §3.10).
func (t *soloTransport) timeoutNow(version raft.ProtocolVersion) {
	t.rpcs <- raft.RPC{
		Command:  &raft.TimeoutNowRequest{RPCHeader: raft.RPCHeader{ProtocolVersion: version}},
		RespChan: make(chan raft.RPCResponse, 1),
	}
}

func (t *soloTransport) Consumer() <-chan raft.RPC                               { return t.rpcs }
func (t *soloTransport) LocalAddr() raft.ServerAddress                           { return t.addr }
func (t *soloTransport) SetHeartbeatHandler(func(raft.RPC))                      {}
func (t *soloTransport) DecodePeer(b []byte) raft.ServerAddress                  { return raft.ServerAddress(b) }
func (t *soloTransport) EncodePeer(_ raft.ServerID, a raft.ServerAddress) []byte { return []byte(a) }

func (t *soloTransport) AppendEntriesPipeline(raft.ServerID, raft.ServerAddress) (raft.AppendPipeline, error) {
	return nil, errNoPeers
}

func (t *soloTransport) AppendEntries(raft.ServerID, raft.ServerAddress, *raft.AppendEntriesRequest, *raft.AppendEntriesResponse) error {
	return errNoPeers
}

func (t *soloTransport) RequestVote(raft.ServerID, raft.ServerAddress, *raft.RequestVoteRequest, *raft.RequestVoteResponse) error {
	return errNoPeers
}

func (t *soloTransport) InstallSnapshot(raft.ServerID, raft.ServerAddress, *raft.InstallSnapshotRequest, *raft.InstallSnapshotResponse, io.Reader) error {
	return errNoPeers
}

func (t *soloTransport) TimeoutNow(raft.ServerID, raft.ServerAddress, *raft.TimeoutNowRequest, *raft.TimeoutNowResponse) error {
	return errNoPeers
}
