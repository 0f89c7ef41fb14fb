package consensus

import (
	"encoding/binary"
	"time"

	"github.com/hashicorp/raft"

	"zkd/consensus/peer"
)

// Messages of a link. The server that follows opens it.
const (
	linkBatch    = 1 // to the leader: a batch (stream.go)
	linkReport   = 2 // to the leader: u64 applied, u64 index, u64 digest, then Ensemble.Report's
	linkDiverged = 3 // from the leader: your state is not ours
	linkRemoved  = 4 // from the leader: you are no member any more
)

// linkQueue is how many batches of one server may wait for raft to take them.
// It has fewer under way.
const linkQueue = 2 * maxInFlight

// serveLink takes a follower's messages while this server leads.
func (n *Node) serveLink(l *peer.Link) {
	defer l.Close()
	term, ok := n.leadsNow()
	if !ok {
		return
	}
	from := raft.ServerID(l.Peer().RaftID)
	defer n.members.opened(from, l)()
	var queued int
	for {
		kind, body, err := l.Recv(n.stream.room())
		if err != nil {
			return
		}
		switch kind {
		case linkBatch:
			server, _ := serverOf(from)
			if origin, ok := n.stream.adopt(body, n.clock.now()); !ok || origin != server {
				n.log.Warn("malformed batch of a peer, closing its link", "peer", from)
				return
			}
			if !n.intake.add(arrival{body, l, &queued}) {
				n.log.Warn("a peer sends more than it may, closing its link", "peer", from)
				return
			}
			n.stream.signal()
		case linkReport:
			if !n.takeReport(from, body[n.stream.room():]) {
				n.log.Warn("malformed report of a peer, closing its link", "peer", from)
				return
			}
		}
		if now, ok := n.leadsNow(); !ok || now != term {
			return // the follower looks for the new leader
		}
	}
}

// leadsNow tells whether raft leads, and in which term.
func (n *Node) leadsNow() (term uint64, ok bool) {
	r := n.raft.Load()
	if r == nil || r.State() != raft.Leader {
		return 0, false
	}
	return r.CurrentTerm(), true
}

// heedLeader takes the leader's messages until the link ends.
func (n *Node) heedLeader(l *peer.Link) {
	for {
		kind, _, err := l.Recv(0)
		if err != nil {
			return
		}
		switch kind {
		case linkDiverged:
			n.rejoin("its state differs from that of the other servers, the leader says")
			return
		case linkRemoved:
			n.rejoin(removed)
			return
		}
	}
}

const reportHeader = 8 + 8 + 8

func (s *sender) report() error {
	n := s.n
	be := binary.BigEndian
	index, digest := n.fsm.newest()
	head := be.AppendUint64(make([]byte, 0, reportHeader), n.raft.Load().AppliedIndex())
	head = be.AppendUint64(be.AppendUint64(head, index), digest)
	var body []byte
	if ask := n.cfg.Ensemble.Report; ask != nil {
		body = ask()
	}
	return s.link.Send(linkReport, head, body)
}

func (n *Node) takeReport(from raft.ServerID, b []byte) bool {
	if len(b) < reportHeader {
		return false
	}
	be := binary.BigEndian
	applied, index, digest := be.Uint64(b), be.Uint64(b[8:]), be.Uint64(b[16:])
	verdict := unknownDigest
	if ours, ok := n.fsm.digestAt(index); ok && ours == digest {
		verdict = sameDigest
	} else if ok {
		verdict = otherDigest
	}
	var last uint64
	if r := n.raft.Load(); r != nil {
		last = r.LastIndex()
	}
	n.members.reported(from, applied, last, verdict)
	if verdict == otherDigest {
		n.log.Error("the state of a server differs from this one's", "server", from, "index", index)
		n.judge()
	}
	if hear := n.cfg.Ensemble.Reported; hear != nil {
		server, _ := serverOf(from)
		hear(server, b[reportHeader:])
	}
	return true
}

// mostBetweenReports bounds ReportEvery: who is in contact must show it.
const mostBetweenReports = time.Second

func (n *Node) reportEvery() time.Duration {
	if e := n.cfg.Ensemble; e != nil {
		return min(max(e.ReportEvery, 10*time.Millisecond), mostBetweenReports)
	}
	return mostBetweenReports
}
