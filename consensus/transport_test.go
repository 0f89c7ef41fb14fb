package consensus

import (
	"math"
	"testing"

	"github.com/hashicorp/raft"
)

// What a message says of commits may be neither ahead of this leader's disk nor
// of the entries that the message vouches for: a follower may have another
// leader's behind them, and raft would commit those.
func TestHeldCommits(t *testing.T) {
	for _, c := range []struct{ commit, durable, prev, want uint64 }{
		{commit: 7, durable: math.MaxUint64, prev: 9, want: 7},
		{commit: 7, durable: 5, prev: 9, want: 5},
		{commit: 7, durable: math.MaxUint64, prev: 4, want: 6}, // read between raft's looks at its log and its commits
		{commit: 7, durable: math.MaxUint64, prev: 5, want: 7},
	} {
		args := raft.AppendEntriesRequest{PrevLogEntry: c.prev, Entries: make([]*raft.Log, 2), LeaderCommitIndex: c.commit}
		transport{durable: func() uint64 { return c.durable }}.hold(&args)
		if args.LeaderCommitIndex != c.want {
			t.Errorf("%+v: told %d", c, args.LeaderCommitIndex)
		}
	}
}
