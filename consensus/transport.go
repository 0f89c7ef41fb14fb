package consensus

import (
	"fmt"
	"io"
	"time"

	"github.com/hashicorp/raft"

	"zkd/consensus/peer"
	"zkd/internal/mutant"
)

// transport is raft's way to its peers. It sends snapshots no faster than they
// are written, since the leader reads them from the disk on which its log is,
// and tells of no commit that is not durable here.
type transport struct {
	*peer.Transport
	durable func() uint64 // the entry up to which the log is
	stop    <-chan struct{}
}

// hold lowers the commit index of a message to what is durable. Raft has counted
// this leader's own copy when it was written; the others shall act on a commit
// only when a majority has it on disk. A nudge tells them of the rest.
func (t transport) hold(args *raft.AppendEntriesRequest) {
	if !mutant.Is(mutant.Commit) {
		args.LeaderCommitIndex = min(args.LeaderCommitIndex, t.durable())
	}
	// A follower of raft's commits whatever it has up to there, and what it has
	// behind the entries of this message may be another leader's. Raft has looked
	// at its commit index later than at its log.
	if !mutant.Is(mutant.OwnTail) {
		args.LeaderCommitIndex = min(args.LeaderCommitIndex, args.PrevLogEntry+uint64(len(args.Entries)))
	}
}

// AppendEntries implements raft.Transport.
func (t transport) AppendEntries(id raft.ServerID, at raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	t.hold(args)
	return t.Transport.AppendEntries(id, at, args, resp)
}

// AppendEntriesPipeline implements raft.Transport.
func (t transport) AppendEntriesPipeline(id raft.ServerID, at raft.ServerAddress) (raft.AppendPipeline, error) {
	p, err := t.Transport.AppendEntriesPipeline(id, at)
	if err != nil {
		return nil, err
	}
	return pipeline{p, t}, nil
}

// pipeline is transport's word on commits for the entries that go in a row.
type pipeline struct {
	raft.AppendPipeline
	t transport
}

// AppendEntries implements raft.AppendPipeline.
func (p pipeline) AppendEntries(args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) (raft.AppendFuture, error) {
	p.t.hold(args)
	return p.AppendPipeline.AppendEntries(args, resp)
}

// InstallSnapshot implements raft.Transport.
func (t transport) InstallSnapshot(id raft.ServerID, at raft.ServerAddress, args *raft.InstallSnapshotRequest,
	resp *raft.InstallSnapshotResponse, data io.Reader) error {
	r := &pacedReader{r: data, pace: pace{stop: t.stop, began: time.Now()}}
	return t.Transport.InstallSnapshot(id, at, args, resp, r)
}

// timeoutNowTime bounds the message by which a leader hands over. Raft takes no
// entries until it is answered.
const timeoutNowTime = time.Second

// TimeoutNow implements raft.Transport.
func (t transport) TimeoutNow(id raft.ServerID, at raft.ServerAddress, args *raft.TimeoutNowRequest, resp *raft.TimeoutNowResponse) error {
	type result struct {
		resp raft.TimeoutNowResponse
		err  error
	}
	answer := make(chan result, 1)
	go func() {
		var r result
		r.err = t.Transport.TimeoutNow(id, at, args, &r.resp)
		answer <- r
	}()
	select {
	case r := <-answer:
		*resp = r.resp
		return r.err
	case <-time.After(timeoutNowTime):
		return fmt.Errorf("consensus: %s does not answer that it takes over", id)
	}
}
