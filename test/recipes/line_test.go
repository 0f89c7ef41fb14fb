package recipes

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"

	"zkd/test/clients/suite"
)

// resource is what a lock protects. It refuses who comes with a fence below one that it has seen.
type resource struct {
	mu     sync.Mutex
	fences []int64
}

func (r *resource) write(fence int64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.fences); n > 0 && fence < r.fences[n-1] {
		return fmt.Errorf("fence %d after %d", fence, r.fences[n-1])
	}
	r.fences = append(r.fences, fence)
	return nil
}

func TestLockIsExclusive(t *testing.T) {
	const clients, rounds = 5, 20
	ctx, server, _ := begin(t, "/lock")
	var holders atomic.Int32
	var protected resource
	var all sync.WaitGroup
	for range clients {
		c := connect(t, server.Addr(), patient)
		all.Go(func() {
			for range rounds {
				lock, err := Acquire(ctx, c.Conn, "/lock")
				if err != nil {
					t.Error(err)
					return
				}
				if n := holders.Add(1); n != 1 {
					t.Errorf("%d holders", n)
				}
				if err := protected.write(lock.Fence()); err != nil {
					t.Error(err)
				}
				holders.Add(-1)
				if err := lock.Release(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if n := len(slices.Compact(protected.fences)); n != clients*rounds {
		t.Errorf("%d different fences, want %d", n, clients*rounds)
	}
}

func TestLockIsFairAndWakesOne(t *testing.T) {
	const waiters = 20
	ctx, server, c := begin(t, "/lock")
	first, err := Acquire(ctx, c.Conn, "/lock")
	if err != nil {
		t.Fatal(err)
	}
	type turn struct {
		who  int
		lock *Lock
	}
	turns := make(chan turn, waiters)
	clients := make([]*client, waiters)
	for i := range waiters {
		clients[i] = connect(t, server.Addr(), patient)
		go func() {
			lock, err := Acquire(ctx, clients[i].Conn, "/lock")
			if err != nil {
				t.Error(err)
			}
			turns <- turn{i, lock}
		}()
		watches(t, server, i+1) // it stands in line, and watches
	}
	events := func() (n int64) {
		for _, c := range clients {
			n += c.woken.Load()
		}
		return n
	}
	held := first
	for i := range waiters {
		if err := held.Release(); err != nil {
			t.Fatal(err)
		}
		next := <-turns
		if next.who != i || next.lock == nil {
			t.Fatalf("waiter %d has the lock, want %d", next.who, i)
		}
		if next.lock.Fence() <= held.Fence() {
			t.Errorf("fence %d after %d", next.lock.Fence(), held.Fence())
		}
		held = next.lock
		// A read behind the event would let a second event show up.
		for _, c := range clients {
			must[bool](t)(exists(c, "/lock"))
		}
		if n := events(); n != int64(i+1) {
			t.Fatalf("%d releases woke %d times", i+1, n)
		}
	}
	watches(t, server, 0)
}

func exists(c *client, path string) (bool, error) {
	there, _, err := c.Exists(path)
	return there, err
}

// TestLockWaiterLeaves: who leaves the middle of the line wakes the one behind, who must not take that for its turn.
func TestLockWaiterLeaves(t *testing.T) {
	ctx, server, c := begin(t, "/lock")
	first, err := Acquire(ctx, c.Conn, "/lock")
	if err != nil {
		t.Fatal(err)
	}
	giveUp, cancel := context.WithCancel(ctx)
	second, third := connect(t, server.Addr(), patient), connect(t, server.Addr(), patient)
	gone, got := make(chan error, 1), make(chan *Lock, 1)
	go func() {
		_, err := Acquire(giveUp, second.Conn, "/lock")
		gone <- err
	}()
	watches(t, server, 1)
	go func() {
		lock, err := Acquire(ctx, third.Conn, "/lock")
		if err != nil {
			t.Error(err)
		}
		got <- lock
	}()
	watches(t, server, 2)
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	suite.Await(t, "the third is woken", func() bool { return third.woken.Load() == 1 })
	count(t, c, "/lock", 2)
	select {
	case <-got:
		t.Fatal("two holders")
	default:
	}
	if err := first.Release(); err != nil {
		t.Fatal(err)
	}
	if lock := <-got; lock == nil || lock.Fence() <= first.Fence() {
		t.Errorf("the third got %v", lock)
	}
}

func TestLockOfKilledProcessIsReleased(t *testing.T) {
	ctx, server, c := begin(t, "/lock")
	holder := start(t, "holder", server.Addr(), "")
	fence := holder.says("holds")
	got := make(chan *Lock, 1)
	go func() {
		lock, err := Acquire(ctx, c.Conn, "/lock")
		if err != nil {
			t.Error(err)
		}
		got <- lock
	}()
	watches(t, server, 1)
	time.Sleep(2 * timeout) // pings alone keep the holder's session
	select {
	case <-got:
		t.Fatal("a living holder lost its lock")
	default:
	}
	killed := time.Now()
	holder.kill()
	lock := <-got
	if lock == nil {
		t.FailNow()
	}
	if lock.Fence() <= fence {
		t.Errorf("fence %d after %d", lock.Fence(), fence)
	}
	if after := time.Since(killed); after < timeout/4 || after > 5*timeout {
		t.Errorf("released %v after the kill, with a session timeout of %v", after, timeout)
	}
}

// TestLockHolderCutOff: a holder that the network has left does not know that its lock is lost; its fence does.
func TestLockHolderCutOff(t *testing.T) {
	ctx, server, c := begin(t, "/lock", "/protected")
	proxy := suite.StartProxy(t, server.Addr())
	stale := connect(t, proxy.Addr(), timeout)
	old, err := Acquire(ctx, stale.Conn, "/lock")
	if err != nil {
		t.Fatal(err)
	}
	var protected resource
	if err := protected.write(old.Fence()); err != nil {
		t.Fatal(err)
	}
	proxy.Cut()
	lock, err := Acquire(ctx, c.Conn, "/lock")
	if err != nil {
		t.Fatal(err)
	}
	if err := protected.write(lock.Fence()); err != nil {
		t.Error(err)
	}
	if protected.write(old.Fence()) == nil {
		t.Error("the old holder wrote after the new one")
	}
	proxy.Open()
	suite.Await(t, "the old holder hears of it", stale.expired.Load)

	// What is in ZooKeeper is fenced by the lock's own znode.
	set := &zk.SetDataRequest{Path: "/protected", Data: []byte("x"), Version: -1}
	suite.Await(t, "the old holder has a new session", func() bool {
		_, err := exists(stale, "/lock")
		return err == nil
	})
	if _, err := stale.Multi(old.Guard(), set); !errors.Is(err, zk.ErrNoNode) {
		t.Errorf("a write under the lost lock: %v, want %v", err, zk.ErrNoNode)
	}
	if _, err := c.Multi(lock.Guard(), set); err != nil {
		t.Error(err)
	}
	if err := old.Release(); !errors.Is(err, ErrLost) {
		t.Errorf("release of a lost lock: %v", err)
	}
	if err := lock.Release(); err != nil {
		t.Error(err)
	}
}

// TestLockOverLostConnections: a connection that breaks again and again costs neither lock nor place.
func TestLockOverLostConnections(t *testing.T) {
	ctx, server, c := begin(t, "/lock")
	proxy := suite.StartProxy(t, server.Addr())
	other := connect(t, proxy.Addr(), patient)
	first, err := Acquire(ctx, c.Conn, "/lock")
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan *Lock, 1)
	go func() {
		lock, err := Acquire(ctx, other.Conn, "/lock")
		if err != nil {
			t.Error(err)
		}
		got <- lock
	}()
	for range 3 {
		watches(t, server, 1)
		proxy.Drop()
	}
	proxy.Cut()
	watches(t, server, 0) // they went with the connection
	if err := first.Release(); err != nil {
		t.Fatal(err)
	}
	proxy.Open() // the watch is set again, and fires for what was missed
	lock := <-got
	if lock == nil {
		t.FailNow()
	}
	proxy.Drop()
	if err := lock.Release(); err != nil {
		t.Error(err)
	}
	count(t, c, "/lock", 0)
}

func TestReadWriteLock(t *testing.T) {
	ctx, server, c := begin(t, "/rw")
	type acquirer func(context.Context, *zk.Conn, string) (*Lock, error)
	queue := func(acquire acquirer) <-chan *Lock {
		got := make(chan *Lock, 1)
		conn := connect(t, server.Addr(), patient)
		go func() {
			lock, err := acquire(ctx, conn.Conn, "/rw")
			if err != nil {
				t.Error(err)
			}
			got <- lock
		}()
		return got
	}
	release := func(lock *Lock) {
		t.Helper()
		if err := lock.Release(); err != nil {
			t.Fatal(err)
		}
	}
	// Two readers hold it together; a writer waits for both; a reader behind the writer waits for that.
	one, two := <-queue(AcquireRead), <-queue(AcquireRead)
	writer := queue(AcquireWrite)
	count(t, c, "/rw", 3)
	watches(t, server, 1)
	late := queue(AcquireRead)
	count(t, c, "/rw", 4)
	watches(t, server, 2)
	release(two) // out of order: the writer goes on to watch the other reader
	watches(t, server, 2)
	select {
	case <-writer:
		t.Fatal("a writer beside a reader")
	case <-late:
		t.Fatal("a reader overtook a writer")
	default:
	}
	release(one)
	w := <-writer
	select {
	case <-late:
		t.Fatal("a reader beside a writer")
	default:
	}
	release(w)
	r := <-late
	if r.Fence() <= w.Fence() || w.Fence() <= two.Fence() || two.Fence() <= one.Fence() {
		t.Error("fences are not in order")
	}
	release(r)
}

// TestReadWriteLockLoad: many of both at once.
func TestReadWriteLockLoad(t *testing.T) {
	ctx, server, _ := begin(t, "/rw")
	var readers, writers atomic.Int32
	var together atomic.Bool
	var all sync.WaitGroup
	for i := range 6 {
		c := connect(t, server.Addr(), patient)
		all.Go(func() {
			for range 10 {
				write := i < 2
				acquire, mine := AcquireRead, &readers
				if write {
					acquire, mine = AcquireWrite, &writers
				}
				lock, err := acquire(ctx, c.Conn, "/rw")
				if err != nil {
					t.Error(err)
					return
				}
				n := mine.Add(1)
				if w, r := writers.Load(), readers.Load(); w > 1 || (w > 0 && r > 0) {
					t.Errorf("%d writers beside %d readers", w, r)
				}
				if !write && n > 1 {
					together.Store(true)
				}
				time.Sleep(2 * time.Millisecond) // the work; others have time to come in if they may
				mine.Add(-1)
				if err := lock.Release(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if !together.Load() {
		t.Error("readers never shared the lock")
	}
}

func TestElection(t *testing.T) {
	_, server, c := begin(t, "/election")
	if _, err := Leader(c.Conn, "/election"); !errors.Is(err, ErrNoLeader) {
		t.Fatalf("without candidates: %v", err)
	}
	names := []string{"a", "b", "c", "d"}
	candidates := map[string]*process{}
	for i, name := range names {
		candidates[name] = start(t, "candidate", server.Addr(), name)
		candidates[name].says("stands")
		count(t, c, "/election", i+1)
	}
	leader := func(want string) {
		t.Helper()
		if data, err := Leader(c.Conn, "/election"); err != nil || string(data) != want {
			t.Fatalf("leader is %q, %v; want %s", data, err, want)
		}
	}
	var followers resource // who refuse orders of past leaders
	obey := func(epoch int64) {
		t.Helper()
		if err := followers.write(epoch); err != nil {
			t.Error(err)
		}
	}
	obey(candidates["a"].says("leads"))
	leader("a")

	candidates["b"].kill() // not the leader: nothing changes
	count(t, c, "/election", 3)
	leader("a")

	candidates["a"].kill()
	obey(candidates["c"].says("leads"))
	leader("c")

	// A leader that is stopped for longer than its session is deposed, and learns so only when it goes on.
	candidates["c"].signal(syscall.SIGSTOP)
	obey(candidates["d"].says("leads"))
	leader("d")
	candidates["c"].signal(syscall.SIGCONT)
	candidates["c"].says("deposed")
	if followers.write(candidates["c"].says("order")) == nil {
		t.Error("followers obeyed a deposed leader")
	}
	leader("d")
}

func TestElectionResign(t *testing.T) {
	ctx, server, c := begin(t, "/election")
	first, err := Campaign(ctx, c.Conn, "/election", []byte("first"))
	if err != nil {
		t.Fatal(err)
	}
	second := connect(t, server.Addr(), patient)
	won := make(chan *Lead, 1)
	go func() {
		lead, err := Campaign(ctx, second.Conn, "/election", []byte("second"))
		if err != nil {
			t.Error(err)
		}
		won <- lead
	}()
	watches(t, server, 1)
	if err := first.Resign(); err != nil {
		t.Fatal(err)
	}
	lead := <-won
	if lead == nil || lead.Epoch() <= first.Epoch() {
		t.Errorf("the second leader is %v", lead)
	}
	if data, err := Leader(c.Conn, "/election"); err != nil || string(data) != "second" {
		t.Errorf("leader is %q, %v", data, err)
	}
}
