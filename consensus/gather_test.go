package consensus

import (
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/raft"

	"zkd/consensus/peer"
)

// The first clients wait for those voters that are there, and for no others.
func TestWhoIsWaitedForBeforeTheFirstClients(t *testing.T) {
	three := []raft.Server{voter("1.1"), voter("2.1"), voter("3.1")}
	want := []peer.Member{{ID: 1}, {ID: 2}, {ID: 3}, {ID: 4, Observer: true}}
	for name, tt := range map[string]struct {
		servers []raft.Server
		two     *probeAnswer
		three   *probeAnswer
		soon    bool // the leadership has just begun, and nobody was asked since
		late    []uint64
	}{
		"all have their votes":           {servers: three, two: &probeAnswer{RaftID: "2.1"}, three: &probeAnswer{RaftID: "3.1"}},
		"one does not answer":            {servers: three, two: &probeAnswer{RaftID: "2.1"}},
		"one has not been asked":         {servers: three, two: &probeAnswer{RaftID: "2.1"}, soon: true, late: []uint64{3}},
		"one is there and blank":         {servers: three, two: &probeAnswer{RaftID: "2.1"}, three: &probeAnswer{Blank: true}, late: []uint64{3}},
		"one is there as another":        {servers: three, two: &probeAnswer{RaftID: "2.1"}, three: &probeAnswer{RaftID: "3.a"}, late: []uint64{3}},
		"one is to be added":             {servers: three[:2], two: &probeAnswer{RaftID: "2.1"}, three: &probeAnswer{RaftID: "3.a"}, late: []uint64{3}},
		"one has no vote":                {servers: []raft.Server{three[0], three[1], nonvoter("3.a")}, two: &probeAnswer{RaftID: "2.1"}, three: &probeAnswer{RaftID: "3.a"}, late: []uint64{3}},
		"who was alone waits for nobody": {servers: three[:1], two: &probeAnswer{Blank: true}, three: &probeAnswer{Blank: true}},
	} {
		t.Run(name, func(t *testing.T) {
			d := drivenBy(nil)
			d.n.cfg.ServerID = 1
			if tt.soon {
				d.began = time.Now().Add(time.Second)
			}
			for id, a := range map[uint64]*probeAnswer{2: tt.two, 3: tt.three} {
				d.n.census.note(id, a, errors.New("not there"))
			}
			if got := d.late(tt.servers, want); !slices.Equal(got, tt.late) {
				t.Errorf("late: %v, not %v", got, tt.late)
			}
		})
	}
}

// That servers which are there do not become members is said once, not at each
// step until there is a list.
func TestWhoComesLateIsNamedOnce(t *testing.T) {
	var log strings.Builder
	d := drivenBy(nil)
	d.n.log = slog.New(slog.NewTextHandler(&log, nil))
	d.began = time.Now()
	if d.goesOnWithout([]uint64{3}) || log.Len() > 0 {
		t.Errorf("at once: %s", &log)
	}
	d.began = time.Time{}
	for range 3 {
		if !d.goesOnWithout([]uint64{3}) {
			t.Error("it waits for ever")
		}
	}
	if lines := strings.Count(log.String(), "serving without"); lines != 1 {
		t.Errorf("said %d times: %s", lines, &log)
	}
}

// A server that forms an ensemble with one that has begun to may be there for the
// second time, on another disk: it does not vote where it may have voted before.
func TestNoSecondVoteByWhoFormsAnEnsemble(t *testing.T) {
	e := newTrio(t, 3)
	e.launch(2, e.members)
	seen := &e.nodes[2].census
	seen.note(1, &probeAnswer{Blank: true, Term: 7, Raft: []raft.ServerID{"1.1", "2.1", "3.1"}}, nil)
	seen.note(1, nil, errors.New("it does not answer any more"))
	if err := e.nodes[2].form(); err != nil {
		t.Fatal(err)
	}
	if term := e.nodes[2].raft.Load().CurrentTerm(); term < 8 {
		t.Errorf("it begins in term %d", term)
	}
}

// Who runs under an id now is replaced for no second that it was not heard from, and
// whatever was last heard from it.
func TestReplacedAtOnceWhenItAnswersAsAnother(t *testing.T) {
	three := []raft.Server{voter("1.1"), voter("2.1"), voter("3.1")}
	want := []peer.Member{{ID: 1}, {ID: 2}, {ID: 3}}
	for name, tt := range map[string]struct {
		now  *probeAnswer
		next change
	}{
		"it is the one that asks":   {&probeAnswer{RaftID: "3.a"}, change{remove, "3.1"}},
		"the former one is there":   {&probeAnswer{RaftID: "3.1"}, change{}},
		"nobody answers":            {nil, change{}},
		"a third one answers there": {&probeAnswer{RaftID: "3.b"}, change{}},
	} {
		t.Run(name, func(t *testing.T) {
			d := drivenBy(map[raft.ServerID]uint64{"2.1": committed, "3.1": committed}, "3.a")
			d.began = time.Now()
			d.n.census.note(3, tt.now, nil)
			if got := d.next(three, want); got != tt.next {
				t.Errorf("next change %q, not %q", got, tt.next)
			}
		})
	}
}
