package consensus

import (
	"testing"
	"time"

	"github.com/hashicorp/raft"

	"zkd/consensus/peer"
)

// A reconfiguration waits long for servers that copy, if it is possible with
// them, and only for those.
func TestMayDecide(t *testing.T) {
	want := []peer.Member{{ID: 1}, {ID: 2}, {ID: 3}, {ID: 4}, {ID: 5, Observer: true}}
	for name, tt := range map[string]struct {
		servers []raft.Server
		heard   []raft.ServerID
		asking  []raft.ServerID
		may     bool
	}{
		"newcomers copy":             {servers: []raft.Server{voter("1.1"), nonvoter("2.a"), nonvoter("3.a")}, heard: []raft.ServerID{"2.a", "3.a"}, may: true},
		"one asks":                   {servers: []raft.Server{voter("1.1"), nonvoter("2.a")}, heard: []raft.ServerID{"2.a"}, asking: []raft.ServerID{"3.a"}, may: true},
		"too few copy":               {servers: []raft.Server{voter("1.1"), nonvoter("2.a"), nonvoter("3.a")}, heard: []raft.ServerID{"2.a"}},
		"another incarnation copies": {servers: []raft.Server{voter("1.1"), nonvoter("2.a"), nonvoter("3.a")}, heard: []raft.ServerID{"2.b", "3.a"}},
		"an observer copies":         {servers: []raft.Server{voter("1.1"), nonvoter("2.a"), nonvoter("5.a")}, heard: []raft.ServerID{"2.a", "5.a"}},
		"a voter of before is there": {servers: []raft.Server{voter("1.1"), nonvoter("2.a"), voter("6.1")}, heard: []raft.ServerID{"2.a", "6.1"}},
		"nobody is to come":          {servers: []raft.Server{voter("1.1"), voter("2.1"), voter("3.1")}, heard: []raft.ServerID{"2.1", "3.1"}},
	} {
		t.Run(name, func(t *testing.T) {
			heard := map[raft.ServerID]uint64{}
			for _, id := range tt.heard {
				heard[id] = committed
			}
			if got := drivenBy(heard, tt.asking...).count(tt.servers, want).mayDecide(); got != tt.may {
				t.Errorf("may decide: %v", got)
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
