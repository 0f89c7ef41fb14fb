package consensus

import (
	"testing"
	"time"

	"github.com/hashicorp/raft"

	"zkd/consensus/peer"
)

// A reconfiguration waits long for servers that copy, and only for those.
func TestComing(t *testing.T) {
	voter := func(id raft.ServerID) raft.Server { return raft.Server{ID: id, Suffrage: raft.Voter} }
	other := func(id raft.ServerID) raft.Server { return raft.Server{ID: id, Suffrage: raft.Nonvoter} }
	want := []peer.Member{{ID: 1}, {ID: 2}, {ID: 3, Observer: true}}
	for name, tt := range map[string]struct {
		servers []raft.Server
		heard   raft.ServerID
		coming  bool
	}{
		"a newcomer copies":          {[]raft.Server{voter("1.1"), other("2.a"), other("3.a")}, "2.a", true},
		"a newcomer is silent":       {[]raft.Server{voter("1.1"), other("2.a"), other("3.a")}, "", false},
		"another incarnation copies": {[]raft.Server{voter("1.1"), other("2.a"), other("3.a")}, "2.b", false},
		"an observer is not there":   {[]raft.Server{voter("1.1"), other("2.a")}, "2.a", true},
		"one is not there":           {[]raft.Server{voter("1.1"), other("3.a")}, "3.a", false},
		"all have come":              {[]raft.Server{voter("1.1"), voter("2.a"), other("3.a"), voter("4.1")}, "2.a", false},
	} {
		t.Run(name, func(t *testing.T) {
			var n Node
			if tt.heard != "" {
				n.members.reported(tt.heard, 7, unknownDigest)
			}
			if got := n.coming(tt.servers, want); got != tt.coming {
				t.Errorf("coming: %v", got)
			}
		})
	}
}

func TestPatience(t *testing.T) {
	var p patience
	p.begin()
	if p.over(false, time.Hour) {
		t.Error("over at once")
	}
	p.hoped = p.hoped.Add(-2 * absentTime)
	if p.over(true, time.Hour) || p.over(false, time.Hour) {
		t.Error("over while somebody comes, or has just")
	}
	p.hoped = p.hoped.Add(-2 * absentTime)
	if !p.over(false, time.Hour) {
		t.Error("not over though nobody comes")
	}
	p.began = p.began.Add(-2 * time.Hour)
	if !p.over(true, time.Hour) {
		t.Error("never over")
	}
}
