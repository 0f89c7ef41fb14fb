package consensus

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// submit sends n requests from each of several goroutines, and returns all of
// them in the order of each goroutine.
func submit(n *Node, goroutines, each int, name string) []string {
	var wg sync.WaitGroup
	all := make([]string, goroutines*each)
	for g := range goroutines {
		wg.Go(func() {
			for i := range each {
				request := fmt.Sprintf("%s %d %d", name, g, i)
				all[g*each+i] = request
				n.Submit(request, []byte(request[:2]), []byte(request[2:]))
			}
		})
	}
	wg.Wait()
	return all
}

// inOrder checks that got is want, and that the requests of each goroutine are
// in the order in which it submitted them.
func inOrder(t *testing.T, got, want []string) {
	t.Helper()
	last := map[string]int{}
	for _, request := range got {
		var i int
		at := strings.LastIndexByte(request, ' ')
		who := request[:at]
		fmt.Sscan(request[at:], &i)
		if i != last[who] {
			t.Fatalf("%q comes after %d", request, last[who])
		}
		last[who]++
	}
	if !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))) {
		t.Fatalf("%d requests applied, %d submitted", len(got), len(want))
	}
}

func TestSubmitFromManyGoroutines(t *testing.T) {
	m := newMachine(8 * 500)
	n := start(t, config(t, t.TempDir()), m)
	want := submit(n, 8, 500, "r")
	wait(t, m)
	inOrder(t, m.all(), want)
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, w := range m.waiters {
		if w != m.requests[i] {
			t.Fatalf("%q came with the waiter %v", m.requests[i], w)
		}
	}
	if m.preamble != "pre" || !slices.IsSorted(m.times) || m.times[0] == 0 {
		t.Errorf("preamble %q, times from %d", m.preamble, m.times[0])
	}
	if f := n.Figures(); f.Requests != 4000 || f.Waiting != 0 || f.Entries == 0 || f.Entries > 4000 {
		t.Errorf("figures %+v", f)
	}
}

func TestRequestsLargerThanABatch(t *testing.T) {
	m := newMachine(5)
	n := start(t, config(t, t.TempDir()), m)
	var want []string
	for i, size := range []int{10, batchTarget, batchTarget - 100, 2 * batchTarget, 1} {
		want = append(want, strings.Repeat(fmt.Sprint(i), size))
		n.Submit(nil, nil, []byte(want[i]))
	}
	wait(t, m)
	if !slices.Equal(m.all(), want) {
		t.Error("the requests differ")
	}
}

// A process ends and the next one applies exactly what was applied, and goes on.
func TestRestartReplays(t *testing.T) {
	for _, snapshot := range []bool{false, true} {
		t.Run(fmt.Sprintf("snapshot %v", snapshot), func(t *testing.T) {
			dir := t.TempDir()
			var want []string
			for life := range 3 {
				m := newMachine(len(want) + 400)
				n := start(t, config(t, dir), m)
				if got := m.all(); !slices.Equal(got, want) {
					t.Fatalf("life %d begins with %d requests, want %d", life, len(got), len(want))
				}
				if snapshot && life > 0 && m.restores != 1 {
					t.Errorf("life %d restored %d snapshots", life, m.restores)
				}
				for _, w := range m.waiters {
					if w != nil {
						t.Fatal("a replayed request has a waiter")
					}
				}
				submit(n, 4, 50, fmt.Sprint("before ", life))
				if snapshot {
					for len(m.all()) < len(want)+200 {
						runtime.Gosched()
					}
					if err := n.Snapshot(); err != nil {
						t.Fatal(err)
					}
				}
				submit(n, 4, 50, fmt.Sprint("after ", life))
				wait(t, m)
				want = m.all()
				if err := n.Close(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func TestSnapshotOfNothingNew(t *testing.T) {
	n := start(t, config(t, t.TempDir()), newMachine(0))
	for range 2 {
		if err := n.Snapshot(); err != nil {
			t.Error(err)
		}
	}
}

func TestSnapshotsAreTakenByTheWay(t *testing.T) {
	cfg := config(t, t.TempDir())
	cfg.SnapshotRequests = 20
	m := newMachine(1000)
	n := start(t, cfg, m)
	for range 10 {
		submit(n, 1, 100, "x")
	}
	wait(t, m)
	for deadline := time.Now().Add(time.Minute); n.Storage().LastSnapshotIndex == 0; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatal("no snapshot was taken")
		}
	}
}

func TestReadyTwiceKeepsTheStream(t *testing.T) {
	m := newMachine(20)
	n := start(t, config(t, t.TempDir()), m)
	want := submit(n, 1, 10, "first")
	if err := n.Ready(context.Background()); err != nil {
		t.Fatal(err)
	}
	want = append(want, submit(n, 1, 10, "second")...)
	wait(t, m)
	inOrder(t, m.all(), want)
}

func TestCloseWithRequestsUnderWayIsNoFailure(t *testing.T) {
	for range 5 {
		cfg := config(t, t.TempDir())
		var fatal atomic.Pointer[error]
		failed := make(chan struct{})
		cfg.OnFatal = func(err error) { fatal.Store(&err); close(failed) }
		m := newMachine(1)
		n := start(t, cfg, m)
		submit(n, 4, 2000, "x")
		wait(t, m)
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if err := n.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			})
		}
		wg.Wait()
		// OnFatal has its own goroutine, but fatalOnce was spent before Close
		// returned: whoever spends it now was the first.
		n.fatal(errClean)
		<-failed
		if err := *fatal.Load(); !errors.Is(err, errClean) {
			t.Fatalf("fatal: %v", err)
		}
		n.Submit(nil, nil, []byte("too late")) // must not fail
	}
}

// A node that fails with requests under way must still come to its end.
func TestCloseAfterAFailure(t *testing.T) {
	for range 5 {
		cfg := config(t, t.TempDir())
		failed := make(chan error, 1)
		cfg.OnFatal = func(err error) { failed <- err }
		m := newMachine(1)
		n := start(t, cfg, m)
		submit(n, 4, 2000, "x")
		wait(t, m)
		n.fatal(errClean)
		n.fatal(errors.New("only the first is told"))
		if err := <-failed; !errors.Is(err, errClean) {
			t.Errorf("got %v", err)
		}
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	}
}

var errClean = errors.New("closed cleanly")

func TestReadyGivesUp(t *testing.T) {
	n := start(t, config(t, t.TempDir()), newMachine(0))
	n.Close()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := n.Ready(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestOpenReportsAWrongStore(t *testing.T) {
	cfg := config(t, t.TempDir())
	cfg.Store.Engine = "paper"
	if n, err := Open(cfg, newMachine(0)); err == nil {
		n.Close()
		t.Error("opened")
	}
}

func TestNoGoroutineIsLeft(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 3 {
		m := newMachine(10)
		n := start(t, config(t, t.TempDir()), m)
		submit(n, 1, 10, "x")
		wait(t, m)
		n.Close()
	}
	for deadline := time.Now().Add(time.Minute); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
	}
}
