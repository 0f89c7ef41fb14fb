package consensus

import (
	"slices"
	"testing"
	"time"

	"github.com/hashicorp/raft"

	"zkd/consensus/peer"
)

func TestRosterForgetsWhoHasNoLink(t *testing.T) {
	var r roster
	first, second := &peer.Link{}, &peer.Link{}
	endFirst := r.opened("2.1", first)
	if _, _, ok := r.present("2.1"); ok {
		t.Error("in contact before its first report")
	}
	r.reported("2.1", 7, 7, unknownDigest)
	endSecond := r.opened("2.1", second)
	endFirst()
	if applied, _, ok := r.present("2.1"); !ok || applied != 7 {
		t.Errorf("with one link left: %d, %v", applied, ok)
	}
	endSecond()
	if _, _, ok := r.present("2.1"); ok || len(r.all) != 0 {
		t.Errorf("without links: %v", r.all)
	}
}

func TestRosterContactEnds(t *testing.T) {
	var r roster
	r.reported("2.1", 7, 7, otherDigest)
	r.all["2.1"].at = time.Now().Add(-inContact)
	if _, _, ok := r.present("2.1"); ok {
		t.Error("still in contact")
	}
	if same, open, other := r.verdicts([]raft.ServerID{"2.1"}); same+open+len(other) != 0 {
		t.Errorf("its digest counts: %d, %d, %v", same, open, other)
	}
}

// A member is in step when it has applied what the leader had by its last
// report but one: what came since is under way.
func TestRosterCaughtUp(t *testing.T) {
	type report struct{ applied, last uint64 }
	for name, tt := range map[string]struct {
		reports []report
		ok      bool
	}{
		"none":                        {},
		"nothing but its first":       {[]report{{0, 1000}}, false},
		"close enough at its first":   {[]report{{1000 - caughtUp, 1000}}, true},
		"as far as the leader was":    {[]report{{1000, 1000}, {5000 - caughtUp, 5000}, {5000, 9000}}, true},
		"one that copies a snapshot":  {[]report{{0, 1000}, {0, 1001}, {0, 1002}}, false},
		"one that falls behind":       {[]report{{1000, 1000}, {1000, 5000}, {1100, 9000}}, false},
		"one that falls behind again": {[]report{{0, 1000}, {1000, 1000}, {1000, 5000}, {1000, 5000}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			var r roster
			for _, is := range tt.reports {
				r.reported("2.1", is.applied, is.last, unknownDigest)
			}
			if got := r.caughtUp("2.1"); got != tt.ok {
				t.Errorf("caught up: %t", got)
			}
			if len(tt.reports) > 0 {
				r.all["2.1"].at = time.Now().Add(-inContact)
				if r.caughtUp("2.1") {
					t.Error("caught up, and not in contact")
				}
				r.reported("2.1", 1000, 20_000, unknownDigest)
				if r.caughtUp("2.1") {
					t.Error("measured by the log from before it was away")
				}
			}
		})
	}
}

func TestVerdicts(t *testing.T) {
	var r roster
	links := map[raft.ServerID]*peer.Link{}
	for id, reports := range map[raft.ServerID][]verdict{
		"2.1": {sameDigest},
		"3.1": {otherDigest},
		"4.1": {unknownDigest},
		"5.1": {sameDigest, unknownDigest},  // what is known stays
		"6.1": {otherDigest, unknownDigest}, // that as well
		"7.1": {otherDigest, sameDigest},
		"8.1": {},
	} {
		links[id] = &peer.Link{}
		r.opened(id, links[id])
		for _, v := range reports {
			r.reported(id, 1, 1, v)
		}
	}
	same, open, other := r.verdicts([]raft.ServerID{"2.1", "3.1", "4.1", "5.1", "6.1", "7.1", "8.1", "9.1"})
	if same != 3 || open != 1 || !slices.Equal(other, []*peer.Link{links["3.1"], links["6.1"]}) {
		t.Errorf("same %d, open %d, other %d", same, open, len(other))
	}
	if same, open, other := r.verdicts([]raft.ServerID{"2.1"}); same != 1 || open != 0 || other != nil {
		t.Errorf("of one: same %d, open %d, other %d", same, open, len(other))
	}
}

func TestJudge(t *testing.T) {
	for name, tt := range map[string]struct {
		voters   []verdict
		observer verdict
		wrong    int
		self     bool
	}{
		"one of three differs":             {voters: []verdict{sameDigest, otherDigest}, wrong: 1},
		"one of two differs":               {voters: []verdict{otherDigest}, wrong: 1},
		"an observer differs":              {voters: []verdict{sameDigest, sameDigest}, observer: otherDigest, wrong: 1},
		"observers do not outvote":         {voters: []verdict{otherDigest}, observer: otherDigest, wrong: 2},
		"an observer is not waited for":    {voters: []verdict{sameDigest, otherDigest}, wrong: 1},
		"the leader differs":               {voters: []verdict{otherDigest, otherDigest}, self: true},
		"the leader and one other differ":  {voters: []verdict{sameDigest, otherDigest, otherDigest, otherDigest}, self: true},
		"two against two":                  {voters: []verdict{sameDigest, otherDigest, otherDigest}, wrong: 2},
		"one has not said yet":             {voters: []verdict{otherDigest, unknownDigest}},
		"nobody differs":                   {voters: []verdict{sameDigest, sameDigest}},
		"the observer's word alone is one": {voters: nil, observer: otherDigest, wrong: 1},
	} {
		t.Run(name, func(t *testing.T) {
			var r roster
			ids := []raft.ServerID{"2.1", "3.1", "4.1", "5.1"}[:len(tt.voters)]
			all := append(slices.Clone(ids), "9.a")
			for i, v := range append(slices.Clone(tt.voters), tt.observer) {
				r.opened(all[i], &peer.Link{})
				r.reported(all[i], 1, 1, v)
			}
			wrong, self := r.judge(ids, all)
			if len(wrong) != tt.wrong || self != tt.self {
				t.Errorf("wrong: %d others, self %v", len(wrong), self)
			}
		})
	}
}
