package consensus

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/raft"

	"zkd/test/memdir"
	"zkd/test/quick"
)

var (
	powerTime = flag.Duration("power", 8*time.Second, "how long TestPowerFailures goes on")
	powerSeed = flag.Uint64("power.seed", 0, "its seed; 0 draws one")
)

// Neither a reply of the leader nor one of a follower is about an entry that is
// on one disk of three.
func TestNothingIsKnownBeforeTheLeaderHasIt(t *testing.T) {
	quick.Skip(t)
	g := newGrid(t, 1)
	leader := g.leads()
	near, far := others(leader)
	g.fail(noSector, far)
	g.servers[leader].disk.hold()
	g.submit(leader, "leader's", 1)
	g.until("sync", g.servers[leader].disk.pending)
	last := g.servers[leader].node.raft.Load().LastIndex()
	g.until("copy", func() bool { return g.servers[leader].node.raft.Load().CommitIndex() >= last })
	// Were it not held back, it would be known by now or very soon.
	for range 40 {
		if g.record.has("leader's") {
			break
		}
		time.Sleep(5 * time.Millisecond) // looks again
	}
	told := g.servers[near].node.raft.Load().CommitIndex() >= last
	if g.record.has("leader's") || told {
		t.Errorf("acknowledged: %v, the follower knows of the commit: %v", g.record.has("leader's"), told)
	}
	g.fail(noSector, leader, near)
	g.start(leader, far)
	g.ready(leader, far)
	<-g.submit(far, "after", 1)
	g.agree()
}

// What is acknowledged is on the leader's disk, not just on the others'.
func TestAcknowledgedIsOnTheLeadersDisk(t *testing.T) {
	g := newGrid(t, 2)
	leader := g.leads()
	near, far := others(leader)
	g.fail(noSector, far)
	<-g.submit(leader, "only two have it", 1)
	g.fail(noSector, leader, near)
	g.start(leader, far)
	g.ready(leader, far)
	g.agree()
}

// A follower applies what a majority has while its own disk is still at it, and
// has not confirmed that it has it.
func TestFollowerAppliesWhatOthersHave(t *testing.T) {
	g := newGrid(t, 10)
	leader := g.leads()
	near, far := others(leader)
	disk := g.servers[near].disk
	disk.hold()
	<-g.submit(leader, "two have it", 1)
	g.until("request", func() bool { return slices.Contains(g.servers[near].state.all(), "two have it") })
	if !disk.pending() {
		t.Error("nothing was held")
	}
	g.fail(noSector, near)
	g.start(near)
	g.ready(near)
	g.agree()

	// Alone with the leader it makes the majority.
	g.fail(noSector, far)
	leader = g.leads()
	follower, third := others(leader)
	if follower == far {
		follower = third
	}
	disk = g.servers[follower].disk
	disk.hold()
	g.submit(leader, "one has it", 1)
	g.until("sync", disk.pending)
	for range 40 {
		if g.record.has("one has it") {
			t.Fatal("it is acknowledged, and one disk of three has it")
		}
		time.Sleep(5 * time.Millisecond) // looks again
	}
	g.agree()
}

// A leader that has been replaced confirms nothing to its successor that is not
// on its disk, even if that sends only what is in the log already.
func TestFormerLeaderConfirmsWhatItHas(t *testing.T) {
	g := newGrid(t, 3)
	leader := g.leads()
	other, _ := others(leader)
	disk := g.servers[leader].disk
	disk.hold()
	g.submit(leader, "unsynced", 1)
	g.until("sync", disk.pending)
	old := g.servers[leader].node
	r := old.raft.Load()
	last := r.LastIndex()
	var entries [2]raft.Log
	for i := range entries {
		if err := old.store.Log().GetLog(last-1+uint64(i), &entries[i]); err != nil {
			t.Fatal(err)
		}
	}
	from := g.servers[other].node
	id := []byte(from.raftID())
	req := raft.AppendEntriesRequest{
		RPCHeader: raft.RPCHeader{ProtocolVersion: raft.ProtocolVersionMax, ID: id, Addr: id}, Term: r.CurrentTerm() + 1,
		PrevLogEntry: last - 1, PrevLogTerm: entries[0].Term, Entries: []*raft.Log{&entries[1]},
	}
	answered := make(chan raft.AppendEntriesResponse, 1)
	go func() {
		var resp raft.AppendEntriesResponse
		if err := from.trans.AppendEntries(old.raftID(), raft.ServerAddress(old.raftID()), &req, &resp); err == nil {
			answered <- resp
		}
	}()
	g.until("end of its term", func() bool { return r.State() != raft.Leader })
	_ = r.VerifyLeader().Error() // raft's main loop is done with the message
	select {
	case resp := <-answered:
		if disk.pending() {
			t.Fatalf("it confirms what it has not on disk: %+v", resp)
		}
	case <-time.After(100 * time.Millisecond):
	}
	disk.release()
	if resp := <-answered; !resp.Success {
		t.Errorf("it does not confirm what it has: %+v", resp)
	}
	g.agree()
}

// What a killed process has left in the page cache is made durable before it
// counts.
func TestKilledThenPowerFails(t *testing.T) {
	quick.Skip(t)
	// An election in between writes an entry, and so syncs what is to be lost.
	for try := range uint64(5) {
		killedThenPowerFails(t, 4+try)
	}
}

func killedThenPowerFails(t *testing.T, seed uint64) {
	g := newGrid(t, seed)
	defer g.fail(noSector, 1, 2, 3)
	leader := g.leads()
	near, far := others(leader)
	g.fail(noSector, far)
	g.servers[near].disk.hold()
	w := g.submit(leader, "in the page cache", 1)
	g.until("sync", g.servers[near].disk.pending)
	g.fail(pageCache, near)
	g.open(near) // any append of its own would sync what is before it
	<-w
	g.fail(noSector, leader, near)
	g.start(near, far)
	g.ready(near, far)
	g.agree()
}

// The power fails at any moment, for any of the servers, again and again.
func TestPowerFailures(t *testing.T) {
	quick.Skip(t)
	seed := *powerSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("go test ./consensus -run TestPowerFailures -power %v -power.seed %d", *powerTime, seed)
	g := newGrid(t, seed)
	memdir.Note(t, g.dir, "once more: go test ./consensus -run TestPowerFailures -power %v -power.seed %d", *powerTime, seed)
	draw := rand.New(rand.NewPCG(seed, 0))
	rounds, crashes := 0, 0
	for end := time.Now().Add(*powerTime); time.Now().Before(end); rounds++ {
		crashes += g.round(draw, rounds)
		if rounds%10 == 9 {
			g.agree()
		}
	}
	all := g.agree()
	t.Logf("%d rounds, %d power failures and kills, %d requests, %d acknowledged", rounds, crashes, len(all), g.record.count())
	if crashes < 3 || g.record.count() < 10*rounds {
		t.Errorf("that is too little to show anything")
	}
}

// round lets clients write, ends some servers in the middle of it, and starts
// them again.
func (g *grid) round(draw *rand.Rand, round int) (crashes int) {
	for _, p := range g.servers {
		p.disk.takes([]time.Duration{0, 0, time.Millisecond, 4 * time.Millisecond, 30 * time.Millisecond}[draw.IntN(5)])
	}
	before := g.record.count()
	var writers sync.WaitGroup
	enough := make(chan struct{})
	for id, p := range g.servers {
		for c := range 1 + draw.IntN(3) {
			name, size := fmt.Sprintf("s%d-r%d-c%d", id, round, c), draw.IntN(3000)
			n, closing := p.node, p.node.closing
			writers.Go(func() {
				for i := range 1 << 20 {
					w := make(chan struct{})
					n.Submit(w, fmt.Appendf(nil, "%s-%d", name, i), []byte("|"+strings.Repeat("x", size)))
					select {
					case <-w:
					case <-closing:
						return
					case <-enough:
						return // what becomes of this one is open
					}
				}
			})
		}
	}
	few := 1 + draw.IntN(60)
	g.until("writes", func() bool { return g.record.count() >= before+few })
	var victims []uint64
	leader := g.leads()
	for id := range uint64(3) {
		if draw.IntN(3) > 0 || id+1 == leader && draw.IntN(2) == 0 {
			victims = append(victims, id+1)
		}
	}
	if draw.IntN(2) == 0 { // in the middle of a sync, if there is one soon
		for end := time.Now().Add(50 * time.Millisecond); !g.servers[leader].disk.pending() && time.Now().Before(end); {
			time.Sleep(20 * time.Microsecond) // looks again
		}
	}
	time.Sleep(time.Duration(draw.Int64N(int64(3 * time.Millisecond)))) // at any moment; nothing waits for it
	how := survival(draw.IntN(3))
	g.fail(how, victims...)
	order := draw.Perm(len(victims))
	for i, v := range order {
		g.start(victims[v])
		if on := 3 - len(victims) + i + 1; on == 2 && draw.IntN(2) == 0 {
			g.leads() // two go on without the third
		}
		time.Sleep(time.Duration(draw.Int64N(int64(20 * time.Millisecond)))) // they come back apart from each other
	}
	g.ready(1, 2, 3)
	close(enough)
	writers.Wait()
	g.check()
	return len(victims)
}
