package consensus

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"zkd/consensus/peer"
)

func at(id uint64, host string) peer.Member {
	return peer.Member{ID: id, Raft: []string{host + ":2888"}, Link: []string{host + ":3888"}}
}

// Where a server is, is what others have in their files; what has proved true goes first.
func TestPlace(t *testing.T) {
	gone := errors.New("not there")
	says := func(host string, reached ...uint64) *probeAnswer {
		return &probeAnswer{Listed: []peer.Member{at(1, host), at(9, "z")}, Reached: reached}
	}
	for name, tt := range map[string]struct {
		answers map[uint64]*probeAnswer
		want    string
		differ  bool
		nowhere bool
		early   bool
		err     string
	}{
		"both say the same":         {answers: map[uint64]*probeAnswer{2: says("a", 1), 3: says("a", 1)}, want: "a:2888"},
		"one says so":               {answers: map[uint64]*probeAnswer{2: says("a", 1), 3: nil}, want: "a:2888"},
		"the agreed list has it":    {answers: map[uint64]*probeAnswer{2: {Members: []peer.Member{at(1, "a")}, Reached: []uint64{1}}, 3: nil}, want: "a:2888"},
		"who has reached it":        {answers: map[uint64]*probeAnswer{2: says("wrong"), 3: says("a", 1)}, want: "a:2888", differ: true},
		"two that differ":           {answers: map[uint64]*probeAnswer{2: says("a", 1), 3: says("b", 1)}, want: "a:2888", differ: true},
		"the others agree":          {answers: map[uint64]*probeAnswer{2: says("b", 1), 3: says("a", 1), 4: says("a", 1)}, want: "a:2888", differ: true},
		"nobody has reached it yet": {answers: map[uint64]*probeAnswer{2: says("a"), 3: says("a")}, early: true, err: "waiting for a server to reach this one"},
		"nobody has reached it":     {answers: map[uint64]*probeAnswer{2: says("a"), 3: says("a")}, want: "a:2888"},
		"nobody answers":            {answers: map[uint64]*probeAnswer{2: nil, 3: nil}, err: "waiting for a server whose file has an address of this one: server 2: not there; server 3: not there"},
		"wildcards":                 {answers: map[uint64]*probeAnswer{2: says("0.0.0.0"), 3: says("[::]")}, nowhere: true, err: "no address of this server is in the files of the others: 2, 3"},
		"no line":                   {answers: map[uint64]*probeAnswer{2: {}, 3: {Listed: []peer.Member{{ID: 1}}}}, nowhere: true, err: "no address of this server"},
		"no line, one is missing":   {answers: map[uint64]*probeAnswer{2: {}, 3: nil}, err: "waiting for a server whose file"},
	} {
		t.Run(name, func(t *testing.T) {
			n := &Node{cfg: Config{ServerID: 1, Ensemble: &Ensemble{}}, began: time.Now().Add(-time.Hour)}
			if tt.early {
				n.began = time.Now()
			}
			n.census.init()
			n.cfg.Ensemble.Members = []peer.Member{at(1, "0.0.0.0")}
			for id, a := range tt.answers {
				n.cfg.Ensemble.Members = append(n.cfg.Ensemble.Members, at(id, "x"))
				n.census.note(id, a, gone)
			}
			place, agreed, err := n.Place()
			var nowhere *NoPlaceError
			switch {
			case (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) || errors.As(err, &nowhere) != tt.nowhere:
				t.Errorf("error %v", err)
			case err == nil && (place.Raft[0] != tt.want || agreed == tt.differ):
				t.Errorf("%v, agreed: %v", place, agreed)
			}
		})
	}
}

// A name that means only this machine here is none to listen on.
func TestBinding(t *testing.T) {
	lookup := func(_ context.Context, host string) (ips []netip.Addr, err error) {
		switch host {
		case "debian":
			return []netip.Addr{netip.MustParseAddr("127.0.1.1")}, nil
		case "wild":
			return []netip.Addr{netip.MustParseAddr("::ffff:0.0.0.0")}, nil
		case "real":
			return []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("10.1.2.3")}, nil
		}
		return nil, errors.New("no such host")
	}
	for _, tt := range []struct {
		host, other string
		all         bool
		want        string
	}{
		{"debian", "zk2", false, ":2888"},
		{"wild", "zk2", false, ":2888"},
		{"real", "zk2", false, "real:2888"},
		{"unknown", "zk2", false, "unknown:2888"},
		{"10.0.0.1", "zk2", false, "10.0.0.1:2888"},
		{"0.0.0.0", "zk2", true, ":2888"},
		{"[::]", "zk2", true, ":2888"},
		{"localhost", "127.0.0.1", false, "localhost:2888"},
	} {
		own := at(1, tt.host)
		n := &Node{life: t.Context(), cfg: Config{ServerID: 1, Ensemble: &Ensemble{ListenAll: tt.all, Lookup: lookup, Members: []peer.Member{own, at(2, tt.other)}}}}
		raft, link, why := n.binding(&own)
		if !slices.Equal(raft, []string{tt.want}) || !slices.Equal(link, []string{strings.Replace(tt.want, "2888", "3888", 1)}) || (why != "") != (tt.want == ":2888") {
			t.Errorf("%s: %v, %v, %q", tt.host, raft, link, why)
		}
	}
}
