package consensus

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/raft"

	"zkd/consensus/peer"
	"zkd/test/ports"
	"zkd/test/quick"
)

// trio is an ensemble of servers in this process.
type trio struct {
	t       *testing.T
	dir     string
	members []peer.Member
	nodes   map[uint64]*Node
	states  map[uint64]*machine
	clocks  map[uint64]func() time.Time // the machine's where there is none
	errs    sync.Map                    // server id to what ended it
	tune    func(*Config)               // of the servers that are launched; nil: nothing
}

// freeAddr returns an address that nobody listens on.
func freeAddr(t *testing.T) string { return fmt.Sprintf("127.0.0.1:%d", ports.For(t)) }

func newTrio(t *testing.T, servers int) *trio {
	e := &trio{t: t, dir: t.TempDir(), nodes: map[uint64]*Node{}, states: map[uint64]*machine{}}
	for id := range servers {
		e.members = append(e.members, peer.Member{
			ID: uint64(id + 1), Raft: []string{freeAddr(t)}, Link: []string{freeAddr(t)},
		})
	}
	t.Cleanup(func() {
		for id := range e.nodes {
			e.stop(id)
		}
	})
	return e
}

// launch starts a server with the list given, without waiting for it.
func (e *trio) launch(id uint64, list []peer.Member) {
	e.t.Helper()
	m := newMachine(0)
	m.members = &Membership{Current: list}
	cfg := config(e.t, filepath.Join(e.dir, fmt.Sprint(id)))
	cfg.ServerID, cfg.Now = id, e.clocks[id]
	cfg.OnFatal = func(err error) { e.errs.Store(id, err) }
	cfg.Ensemble = &Ensemble{Members: list, DialTimeout: time.Second, ReportEvery: 50 * time.Millisecond, CatchUp: time.Minute}
	if e.tune != nil {
		e.tune(&cfg)
	}
	n, err := Open(cfg, m)
	if err != nil {
		e.t.Fatal(err)
	}
	e.nodes[id], e.states[id] = n, m
}

func (e *trio) ready(ids ...uint64) {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for _, id := range ids {
		if err := e.nodes[id].Ready(ctx); err != nil {
			e.t.Fatalf("server %d: %v", id, err)
		}
	}
}

func (e *trio) stop(id uint64) {
	if n := e.nodes[id]; n != nil {
		if err := n.Close(); err != nil {
			e.t.Errorf("close server %d: %v", id, err)
		}
		delete(e.nodes, id)
	}
}

func (e *trio) leader() uint64 {
	e.t.Helper()
	var found uint64
	until(e.t, "a leader", func() bool {
		for id, n := range e.nodes {
			if n.Role() == Leading {
				found = id
				return true
			}
		}
		return false
	})
	return found
}

// until waits for a condition.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no %s", what)
		}
	}
}

// same waits until all servers have applied as many requests, and compares them.
func (e *trio) same(count int) []string {
	e.t.Helper()
	var first []string
	for id, m := range e.states {
		if e.nodes[id] == nil {
			continue
		}
		until(e.t, fmt.Sprintf("%d requests on server %d", count, id), func() bool { return len(m.all()) >= count })
		if all := m.all(); first == nil {
			first = all
		} else if !slices.Equal(first, all) {
			e.t.Fatalf("server %d has applied other requests", id)
		}
	}
	return first
}

func TestEnsembleForms(t *testing.T) {
	e := newTrio(t, 3)
	for _, id := range []uint64{3, 1, 2} {
		e.launch(id, e.members)
	}
	e.ready(1, 2, 3)
	for id, n := range e.nodes {
		submit(n, 2, 50, fmt.Sprint("from", id))
	}
	inOrder(t, e.same(300), e.same(300))
	cluster := e.nodes[1].Status().Cluster
	if cluster == "" || cluster != e.nodes[2].Status().Cluster || cluster != e.nodes[3].Status().Cluster {
		t.Errorf("clusters %q, %q, %q", cluster, e.nodes[2].Status().Cluster, e.nodes[3].Status().Cluster)
	}
}

// Requests of the surviving servers are applied exactly once, whoever leads.
func TestLeaderLeaves(t *testing.T) {
	quick.Skip(t)
	e := newTrio(t, 3)
	for id := range uint64(3) {
		e.launch(id+1, e.members)
	}
	e.ready(1, 2, 3)
	want := 0
	for round := range 3 {
		gone := e.leader()
		var wg sync.WaitGroup
		for id, n := range e.nodes {
			if id != gone {
				wg.Go(func() { submit(n, 2, 500, fmt.Sprintf("round%d-%d", round, id)) })
				want += 1000
			}
		}
		e.stop(gone)
		wg.Wait()
		e.same(want)
		e.launch(gone, e.members)
		e.ready(gone)
		until(t, "the same on all", func() bool { return len(e.states[gone].all()) >= want })
		inOrder(t, e.same(want), e.same(want))
	}
}

// A server that comes back without its disk is taken in under another raft id.
func TestBlankServerReturns(t *testing.T) {
	quick.Skip(t)
	e := newTrio(t, 3)
	e.launch(1, e.members)
	e.launch(2, e.members)
	e.ready(1, 2)
	submit(e.nodes[1], 1, 100, "early")
	e.launch(3, e.members)
	e.ready(3)
	e.same(100)
	before := e.nodes[3].Status().RaftID
	if before == "3.1" || !strings.HasPrefix(before, "3.") {
		t.Errorf("a late server has the raft id %s", before)
	}
	voter := func() bool {
		for _, m := range e.nodes[e.leader()].Status().Members {
			if m.ServerID == 3 {
				return m.Voter && m.RaftID == string(e.nodes[3].raftID())
			}
		}
		return false
	}
	until(t, "vote for server 3", voter)
	e.stop(3)
	e.dir = t.TempDir() // its disk is gone
	e.launch(3, e.members)
	e.ready(3)
	until(t, "vote for the new server 3", voter)
	if after := e.nodes[3].Status().RaftID; after == before {
		t.Errorf("it is still %s", after)
	}
	submit(e.nodes[3], 1, 100, "late")
	e.same(200)
}

// withOldCopy is an ensemble of three whose third server is stopped, started, and stopped again with the directory back that
// it had at first.
func withOldCopy(t *testing.T) (e *trio, before raft.ServerID) {
	e = newTrio(t, 3)
	for id := range uint64(3) {
		e.launch(id+1, e.members)
	}
	e.ready(1, 2, 3)
	submit(e.nodes[3], 1, 100, "early")
	e.same(100)
	e.stop(3)
	dir, copied := filepath.Join(e.dir, "3"), filepath.Join(t.TempDir(), "3")
	id, err := os.ReadFile(identityPath(dir))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	e.launch(3, e.members)
	e.ready(3)
	before = e.nodes[3].raftID()
	submit(e.nodes[3], 1, 100, "late")
	e.same(200)
	e.stop(3)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.CopyFS(dir, os.DirFS(copied)), os.WriteFile(identityPath(dir), id, 0o600)); err != nil {
		t.Fatal(err)
	}
	return e, before
}

// A member whose directory was replaced by an old copy has forgotten what it gave its word for. It finds out that it has
// started since, and comes back as one with an empty disk does.
func TestOldCopyOfADirectory(t *testing.T) {
	quick.Skip(t)
	e, before := withOldCopy(t)
	e.launch(3, e.members)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := e.nodes[3].Ready(ctx); !errors.Is(err, ErrRejoin) || !strings.Contains(err.Error(), "old copy") {
		t.Fatalf("with an old copy: %v", err)
	}
	e.stop(3)
	e.launch(3, e.members)
	e.ready(3)
	if after := e.nodes[3].raftID(); after == before {
		t.Errorf("it is still %s", after)
	}
	e.same(200)
	// The next start finds what the last one left.
	e.stop(3)
	e.launch(3, e.members)
	e.ready(3)
}

// beginOnly is how a process starts that ends before it has found out what its first request was to tell it.
func beginOnly(t *testing.T, n *Node) {
	t.Helper()
	until(t, "server that is up to date", func() bool { r := n.raft.Load(); return r != nil && n.replayed(r) })
	if _, err := n.number(); err != nil {
		t.Fatal(err)
	}
	n.Submit(make(syncWaiter), nil, nil)
}

// The first process on an old copy ends before it finds that out. The next one does.
func TestOldCopyIsNotForgotten(t *testing.T) {
	quick.Skip(t)
	e, _ := withOldCopy(t)
	for range 2 {
		e.launch(3, e.members)
		beginOnly(t, e.nodes[3])
		e.stop(3)
	}
	e.launch(3, e.members)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := e.nodes[3].Ready(ctx); !errors.Is(err, ErrRejoin) || !strings.Contains(err.Error(), "old copy") {
		t.Fatalf("with an old copy: %v", err)
	}
}

// The first process on an old copy takes its number before it has the others' log, from a clock that was set back. The
// number is below that of a start which the copy does not know of, and cannot stand for what comes after the copy.
func TestOldCopyWithAnOldClock(t *testing.T) {
	quick.Skip(t)
	e, _ := withOldCopy(t)
	e.clocks = map[uint64]func() time.Time{3: func() time.Time { return time.Unix(0, 0) }}
	e.launch(3, e.members)
	if _, err := e.nodes[3].number(); err != nil {
		t.Fatal(err)
	}
	e.nodes[3].Submit(make(syncWaiter), nil, nil)
	var why any
	until(t, "end of the server", func() (ended bool) { why, ended = e.errs.Load(uint64(3)); return ended })
	if err := why.(error); !errors.Is(err, ErrRejoin) || !strings.Contains(err.Error(), "old copy") {
		t.Errorf("with an old copy: %v", err)
	}
}

// Processes of a server that end at their start do not make it one with an old copy.
func TestStartsThatEndAtOnce(t *testing.T) {
	quick.Skip(t)
	e := newTrio(t, 3)
	for id := range uint64(3) {
		e.launch(id+1, e.members)
	}
	e.ready(1, 2, 3)
	for range 3 {
		e.stop(3)
		e.launch(3, e.members)
		beginOnly(t, e.nodes[3])
		time.Sleep(100 * time.Millisecond) // some of their requests are committed
	}
	for range 2 {
		e.stop(3)
		e.launch(3, e.members)
		e.ready(3)
		if id := e.nodes[3].who(); id.First != 0 || id.Sound != 0 {
			t.Errorf("in doubt: %+v", id)
		}
	}
}

// A server that has just become leader says so to nobody who wants to know what
// came of a change, before it knows of all changes.
func TestLeadsWhenItHasAppliedAll(t *testing.T) {
	quick.Skip(t)
	e := newTrio(t, 3)
	for id := range uint64(3) {
		e.launch(id+1, e.members)
	}
	e.ready(1, 2, 3)
	old := e.leader()
	next := old%3 + 1
	until(t, "leader that leads", e.nodes[old].Leads)
	hold := make(chan struct{})
	wait := func() { <-hold }
	e.states[next].before.Store(&wait)
	submit(e.nodes[old], 1, 1, "last")
	until(t, "entry of the former leader", func() bool {
		return len(e.states[old].all()) == 1 && e.nodes[next].raft.Load().CommitIndex() >= e.nodes[old].raft.Load().AppliedIndex()
	})
	raftID := e.nodes[next].raftID()
	if err := e.nodes[old].raft.Load().LeadershipTransferToServer(raftID, raft.ServerAddress(raftID)).Error(); err != nil {
		t.Fatal(err)
	}
	until(t, "new leader", func() bool { return e.nodes[next].Role() == Leading })
	if e.nodes[next].Leads() {
		t.Error("it leads before it has applied what was committed before it")
	}
	close(hold)
	until(t, "new leader that leads", e.nodes[next].Leads)
}
