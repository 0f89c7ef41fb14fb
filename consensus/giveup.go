package consensus

import (
	"time"

	"github.com/hashicorp/raft"

	"zkd/consensus/peer"
)

// absentTime is how long a reconfiguration waits for servers that nobody has
// heard of, or for a majority to decide it. The client that asked hears nothing
// meanwhile, not even an answer to its pings, and most give up after 20 s.
const absentTime = 5 * time.Second

// patience is a leader's with a reconfiguration.
type patience struct {
	began time.Time
	hoped time.Time // when there was last reason to wait for longer than absentTime
}

func (p *patience) begin() {
	p.began = time.Now()
	p.hoped = p.began
}

// over tells whether a reconfiguration is to be given up: those who are coming
// have catchUp for it.
func (p *patience) over(coming bool, catchUp time.Duration) bool {
	now := time.Now()
	if coming {
		p.hoped = now
	}
	return now.Sub(p.began) > catchUp || now.Sub(p.hoped) > absentTime
}

// coming tells whether it is new members that a reconfiguration waits for, and
// all of them are there and copy.
func (n *Node) coming(servers []raft.Server, want []peer.Member) (some bool) {
	for _, m := range want {
		s := incarnationOf(servers, m.ID)
		switch {
		case m.Observer: // nobody waits for it
		case s == nil:
			return false
		case s.Suffrage != raft.Voter:
			if _, _, there := n.members.present(s.ID); !there {
				return false
			}
			some = true
		}
	}
	return some
}
