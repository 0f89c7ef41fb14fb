package consensus

import (
	"slices"
	"testing"

	"zkd/consensus/peer"
)

func TestWhoIsMissing(t *testing.T) {
	type answers = map[uint64]probeAnswer
	blank := probeAnswer{Blank: true}
	full := probeAnswer{} // has data and no cluster to join
	three := []peer.Member{{ID: 1}, {ID: 2}, {ID: 3}, {ID: 4, Observer: true}}
	for name, tt := range map[string]struct {
		own     uint64
		cluster clusterID
		answers answers
		missing []uint64
		may     bool
	}{
		"alone":                      {own: 1, missing: []uint64{2, 3}},
		"a majority":                 {own: 1, answers: answers{2: blank}, missing: []uint64{3}, may: true},
		"all":                        {own: 1, answers: answers{2: blank, 3: blank, 4: blank}, may: true},
		"an observer is no majority": {own: 1, answers: answers{4: blank}, missing: []uint64{2, 3}},
		"one has data":               {own: 1, answers: answers{2: full}, missing: []uint64{2, 3}},
		"one of three has data":      {own: 1, answers: answers{2: blank, 3: full}, missing: []uint64{3}},
		"one is said to have data":   {own: 1, answers: answers{2: {Blank: true, Seen: []uint64{3}}}, missing: []uint64{3}},
		"an observer has data":       {own: 1, answers: answers{2: blank, 3: blank, 4: full}, missing: []uint64{4}},
		"said of itself":             {own: 1, answers: answers{2: {Blank: true, Seen: []uint64{1}}}, missing: []uint64{3}, may: true},
		"an observer forms none":     {own: 4, answers: answers{1: blank, 2: blank, 3: blank}, missing: []uint64{4}},
		"of a cluster, to join only": {own: 1, cluster: clusterID{1}, answers: answers{2: blank}, missing: []uint64{3}},
		"of a cluster, with all":     {own: 1, cluster: clusterID{1}, answers: answers{2: blank, 3: blank}, missing: []uint64{1}},
	} {
		t.Run(name, func(t *testing.T) {
			n := &Node{id: identity{Cluster: tt.cluster}, cfg: Config{ServerID: tt.own, Ensemble: &Ensemble{Members: three}}}
			missing, may := n.missing(tt.answers)
			if may != tt.may || !slices.Equal(missing, tt.missing) {
				t.Errorf("may form one: %t, missing %v; not %t, %v", may, missing, tt.may, tt.missing)
			}
		})
	}
}

func TestHome(t *testing.T) {
	type answers = map[uint64]probeAnswer
	a, b := clusterID{1}, clusterID{2}
	for name, tt := range map[string]struct {
		own     clusterID
		answers answers
		home    uint64 // who is asked, 0 for nobody
	}{
		"all are blank":        {answers: answers{2: {ServerID: 2, Blank: true}}},
		"one belongs":          {answers: answers{2: {ServerID: 2, Blank: true}, 3: {ServerID: 3, Cluster: a, Last: 7}}, home: 3},
		"the leader knows":     {answers: answers{2: {ServerID: 2, Cluster: a, Last: 7}, 3: {ServerID: 3, Cluster: a, Last: 7, Leads: true}, 4: {ServerID: 4, Cluster: a, Last: 7}}, home: 3},
		"to its own":           {own: b, answers: answers{2: {ServerID: 2, Cluster: a, Last: 7, Leads: true}, 3: {ServerID: 3, Cluster: b, Last: 7}}, home: 3},
		"to no other":          {own: b, answers: answers{2: {ServerID: 2, Cluster: a, Last: 7, Leads: true}}},
		"nothing is left":      {answers: answers{2: {ServerID: 2, Cluster: a}}},
		"nobody is to be seen": {own: b},
	} {
		t.Run(name, func(t *testing.T) {
			n := &Node{id: identity{Cluster: tt.own}}
			var got uint64
			if home := n.home(tt.answers); home != nil {
				got = home.ServerID
			}
			if got != tt.home {
				t.Errorf("home by server %d, not %d", got, tt.home)
			}
		})
	}
}
