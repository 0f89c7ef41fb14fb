package consensus

import (
	"fmt"
	"io"
	"time"

	"github.com/hashicorp/raft"

	"zkd/consensus/peer"
)

// pacedTransport sends snapshots no faster than they are written: the leader
// reads them from the disk on which its log is.
type pacedTransport struct {
	*peer.Transport
	stop <-chan struct{}
}

// InstallSnapshot implements raft.Transport.
func (t pacedTransport) InstallSnapshot(id raft.ServerID, at raft.ServerAddress, args *raft.InstallSnapshotRequest,
	resp *raft.InstallSnapshotResponse, data io.Reader) error {
	r := &pacedReader{r: data, pace: pace{stop: t.stop, began: time.Now()}}
	return t.Transport.InstallSnapshot(id, at, args, resp, r)
}

// timeoutNowTime bounds the message by which a leader hands over. Raft takes no
// entries until it is answered.
const timeoutNowTime = time.Second

// TimeoutNow implements raft.Transport.
func (t pacedTransport) TimeoutNow(id raft.ServerID, at raft.ServerAddress, args *raft.TimeoutNowRequest, resp *raft.TimeoutNowResponse) error {
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
