package consensus

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"zkd/consensus/peer"
)

// A server that was a cluster of its own does not serve while servers of its new
// list have formed another one; it joins nobody and nobody joins it.
func TestTwoClustersUnderOneList(t *testing.T) {
	e := newTrio(t, 3)
	cfg := config(t, filepath.Join(e.dir, "1"))
	cfg.ServerID = 1
	alone, err := Open(cfg, newMachine(0))
	if err != nil {
		t.Fatal(err)
	}
	if err := alone.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := alone.Close(); err != nil {
		t.Fatal(err)
	}
	e.launch(2, e.members)
	e.launch(3, e.members)
	e.ready(2, 3)

	e.launch(1, e.members)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := e.nodes[1].Ready(ctx); err == nil {
		t.Error("the server with data of its own serves beside another cluster")
	}
	for id, strangers := range map[uint64][]uint64{1: {2, 3}, 2: {1}, 3: {1}} {
		until(t, fmt.Sprintf("server %d that knows of the other cluster", id), func() bool {
			var seen []uint64
			for _, s := range e.nodes[id].Status().Strangers {
				seen = append(seen, s.ServerID)
			}
			return slices.Equal(seen, strangers)
		})
	}
	if e.nodes[1].inContact() {
		t.Error("it counts as in contact with a majority")
	}
	// Its peers move their data away, and join it.
	e.stop(2)
	e.stop(3)
}

// It serves at once where the others are blank, or not there.
func TestAloneAndFirst(t *testing.T) {
	e := newTrio(t, 3)
	cfg := config(t, filepath.Join(e.dir, "1"))
	cfg.ServerID = 1
	alone, err := Open(cfg, newMachine(0))
	if err != nil {
		t.Fatal(err)
	}
	if err := alone.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := alone.Close(); err != nil {
		t.Fatal(err)
	}
	e.launch(1, e.members)
	e.ready(1)
	e.launch(2, e.members)
	e.launch(3, e.members)
	e.ready(2, 3)
	if one, two := e.nodes[1].Status().Cluster, e.nodes[2].Status().Cluster; one != two {
		t.Errorf("two clusters: %s and %s", one, two)
	}
}

// A server without a leader says for whom it waits, and after minutes what there
// is to be done if they do not come back.
func TestWaitingNamesTheMissing(t *testing.T) {
	var log strings.Builder
	n := &Node{log: slog.New(slog.NewTextHandler(&log, nil)), cfg: Config{ServerID: 1, Ensemble: &Ensemble{Members: []peer.Member{{ID: 1}, {ID: 2}, {ID: 3}}}}}
	n.census.note(2, nil, fmt.Errorf("dial: %w", syscall.ECONNREFUSED))
	n.census.note(3, nil, &net.DNSError{Err: "no such host", Name: "zk3"})
	for _, tt := range []struct {
		away    time.Duration
		recover bool
	}{{complainEvery, false}, {lostForGood, true}} {
		log.Reset()
		n.waits(&complaint{}, time.Now().Add(-tt.away))
		for _, word := range []string{"no leader", "server 2: connection refused", "server 3: no such name: zk3"} {
			if !strings.Contains(log.String(), word) {
				t.Errorf("after %v it does not say %q: %s", tt.away, word, &log)
			}
		}
		if strings.Contains(log.String(), "zkd recover") != tt.recover {
			t.Errorf("after %v it says %s", tt.away, &log)
		}
	}
}
