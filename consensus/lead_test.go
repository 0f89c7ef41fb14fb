package consensus

import (
	"testing"

	"github.com/hashicorp/raft"
)

func TestForemost(t *testing.T) {
	type answers = map[uint64]probeAnswer
	says := func(id raft.ServerID, last uint64) probeAnswer {
		return probeAnswer{RaftID: id, Last: last, Raft: []raft.ServerID{"1.1", "2.1", "3.1"}}
	}
	three := []raft.Server{voter("1.1"), voter("2.1"), voter("3.1"), nonvoter("4.a")}
	for name, tt := range map[string]struct {
		own     raft.ServerID
		answers answers
		stands  bool
	}{
		"the longest log":              {"2.1", answers{1: says("1.1", 9), 3: says("3.1", 9)}, true},
		"a longer log":                 {"2.1", answers{1: says("1.1", 9), 3: says("3.1", 11)}, false},
		"as long, and a lower id":      {"1.1", answers{2: says("2.1", 10), 3: says("3.1", 10)}, true},
		"as long, and a higher id":     {"2.1", answers{1: says("1.1", 10), 3: says("3.1", 10)}, false},
		"a majority is enough":         {"2.1", answers{3: says("3.1", 10)}, true},
		"nobody answers":               {"2.1", nil, false},
		"another incarnation answers":  {"2.1", answers{3: says("3.b", 10)}, false},
		"an observer answers":          {"2.1", answers{4: says("4.a", 99)}, false},
		"one hears of a leader":        {"2.1", answers{1: says("1.1", 9), 3: {RaftID: "3.1", Last: 9, Leader: "1.1"}}, false},
		"one has not begun":            {"2.1", answers{3: {RaftID: "3.1"}}, false},
		"an observer does not stand":   {"4.a", answers{1: says("1.1", 9), 2: says("2.1", 9), 3: says("3.1", 9)}, false},
		"who was removed stands never": {"5.1", answers{1: says("1.1", 9), 2: says("2.1", 9), 3: says("3.1", 9)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := foremost(three, tt.own, 10, tt.answers); got != tt.stands {
				t.Errorf("stands for election: %v", got)
			}
		})
	}
}

func TestRank(t *testing.T) {
	servers := []raft.Server{voter("3.1"), voter("1.1"), voter("2.1"), nonvoter("4.a")}
	for own, want := range map[raft.ServerID]int{"1.1": 0, "2.1": -1, "3.1": 1, "4.a": -1, "5.1": -1} {
		if got := rank(servers, own, "2.1"); got != want {
			t.Errorf("rank of %s: %d, not %d", own, got, want)
		}
	}
}
