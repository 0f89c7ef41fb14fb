package peer

import (
	"bufio"
	"errors"
	"sync"

	"github.com/hashicorp/raft"
)

// followBuffer takes in a message of entries with few system calls.
const followBuffer = 64 << 10

// follow hands raft the messages of a connection for entries, one after the other,
// until it ends. An answer goes out when what it says is durable; what the leader
// tells meanwhile is known, also while raft waits for the disk.
func (t *Transport) follow(c *raftConn) error {
	defer c.Close()
	f := follower{t: t, leader: headerOf(c.peer), answers: make(chan (<-chan raft.RPCResponse), raftInFlight)}
	var answering sync.WaitGroup
	answering.Go(func() { f.confirm(c) })
	defer answering.Wait()
	defer c.Conn.Close()
	defer close(f.answers)
	r := bufio.NewReaderSize(c, followBuffer)
	for {
		if r.Buffered() == 0 {
			c.within = false // the next message may be long in coming
		}
		kind, err := r.ReadByte()
		if err != nil {
			return err
		}
		switch kind {
		case entriesMessage:
			req := &raft.AppendEntriesRequest{RPCHeader: f.leader}
			if err := readEntries(r, req); err != nil {
				return err
			}
			answer, err := f.append(req)
			if err != nil {
				return err
			}
			f.answers <- answer
		case commitMessage:
			term, index, err := readCommit(r)
			if nudged := t.nudged.Load(); err == nil && nudged != nil {
				(*nudged)(index)
			}
			if err == nil {
				err = f.commit(&raft.AppendEntriesRequest{Term: term, PrevLogEntry: index, PrevLogTerm: term}, index)
			}
			if err != nil {
				return err
			}
		default:
			return errEntries
		}
	}
}

// follower is one connection for entries, at its receiving end.
type follower struct {
	t      *Transport
	leader raft.RPCHeader
	told   uint64 // raft has been told that this entry is committed
	// answers are raft's to what it was handed, in that order.
	answers chan (<-chan raft.RPCResponse)
}

// confirm is the goroutine that passes on what raft answers.
func (f *follower) confirm(c *raftConn) {
	var err error
	for answer := range f.answers {
		if err == nil {
			err = f.pass(c, answer)
		}
		if err != nil {
			_ = c.Conn.Close() // there will be no more to read
		}
	}
}

func (f *follower) pass(c *raftConn, answer <-chan raft.RPCResponse) error {
	select {
	case a := <-answer:
		resp, ok := a.Response.(*raft.AppendEntriesResponse)
		if a.Error != nil {
			return a.Error
		}
		if !ok {
			return errors.New("peer: raft has not answered what it was asked")
		}
		ack := encodeAck(resp)
		_, err := c.confirm(ack[:])
		return err
	case <-f.t.stream.done:
		return ErrClosed
	}
}

// append hands raft an AppendEntries. Raft learns first of what is committed by
// then: by itself it would look at that only when the new entries are on disk.
func (f *follower) append(req *raft.AppendEntriesRequest) (<-chan raft.RPCResponse, error) {
	if len(req.Entries) > 0 {
		if err := f.commit(req, min(req.LeaderCommitIndex, req.PrevLogEntry)); err != nil {
			return nil, err
		}
	}
	f.told = max(f.told, req.LeaderCommitIndex)
	return f.hand(req)
}

// commit tells raft that what is in front of a message's entries is committed up
// to that index. It matters to nobody what raft answers.
func (f *follower) commit(req *raft.AppendEntriesRequest, index uint64) error {
	if index <= f.told {
		return nil
	}
	f.told = index
	_, err := f.hand(&raft.AppendEntriesRequest{
		RPCHeader: f.leader, Term: req.Term,
		PrevLogEntry: req.PrevLogEntry, PrevLogTerm: req.PrevLogTerm, LeaderCommitIndex: index,
	})
	return err
}

func (f *follower) hand(req *raft.AppendEntriesRequest) (<-chan raft.RPCResponse, error) {
	answer := make(chan raft.RPCResponse, 1)
	select {
	case f.t.rpcs <- raft.RPC{Command: req, RespChan: answer}:
		return answer, nil
	case <-f.t.stream.done:
		return nil, ErrClosed
	}
}
