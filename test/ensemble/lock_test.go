package ensemble

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"

	"zkd/test/recipes"
)

// Clients of a stock library take turns at a lock and count under it, while leaders are killed. No two hold it at
// once, and every turn that was completed is counted.
func TestLocks(t *testing.T) {
	e := Start(t, Options{})
	setup := Open(t, 20*time.Second, e.Servers...)
	setup.Create("/lock", nil)
	setup.Create("/count", make([]byte, 8))
	setup.Close()

	began := time.Now()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var mu sync.Mutex
	var holds []Hold
	var all sync.WaitGroup
	turns := func() int { mu.Lock(); defer mu.Unlock(); return len(holds) }
	for i := range 6 {
		conn := dialLibrary(t, e, i)
		who := fmt.Sprintf("client %d", i)
		all.Go(func() {
			for ctx.Err() == nil {
				hold, err := turn(ctx, conn, who, began)
				if err != nil {
					if ctx.Err() == nil {
						t.Errorf("%s: %v", who, err)
					}
					return
				}
				mu.Lock()
				holds = append(holds, hold)
				mu.Unlock()
			}
		})
	}
	for range shortOrLong(2, 10) {
		want := turns() + 30
		Await(t, "the lock goes round", func() bool { return turns() >= want || t.Failed() })
		dead := e.AwaitLeader()
		dead.Kill()
		want = turns() + 10
		Await(t, "the lock goes round without the leader that was killed", func() bool { return turns() >= want || t.Failed() })
		e.Restart(dead)
	}
	cancel()
	all.Wait()
	for _, err := range CheckHolds(holds) {
		t.Error(err)
	}
	c := Open(t, 20*time.Second, e.Servers...)
	c.Sync()
	// A turn that the end of the test cut short may be counted or not.
	if data, _ := c.Get("/count"); int(binary.BigEndian.Uint64(data)) < len(holds) || int(binary.BigEndian.Uint64(data)) > len(holds)+6 {
		t.Errorf("%d turns were completed, %d counted", len(holds), binary.BigEndian.Uint64(data))
	}
	c.Close()
	t.Logf("%d turns", len(holds))
}

// turn takes the lock, adds one to the count by reading and writing it without regard to its version, and gives the
// lock up.
func turn(ctx context.Context, conn *zk.Conn, who string, began time.Time) (Hold, error) {
	lock, err := retried(ctx, func() (*recipes.Lock, error) { return recipes.Acquire(ctx, conn, "/lock") })
	if err != nil {
		return Hold{}, err
	}
	hold := Hold{Who: who, From: time.Since(began), Fence: lock.Fence()}
	old, err := retried(ctx, func() ([]byte, error) {
		if _, err := conn.Sync("/count"); err != nil {
			return nil, err
		}
		data, _, err := conn.Get("/count")
		return data, err
	})
	if err != nil {
		return hold, err
	}
	// Written twice after a lost connection, it is the same number.
	next := binary.BigEndian.AppendUint64(nil, binary.BigEndian.Uint64(old)+1)
	if _, err := retried(ctx, func() (*zk.Stat, error) { return conn.Set("/count", next, -1) }); err != nil {
		return hold, err
	}
	hold.To = time.Since(began)
	// ErrLost is also what a release says whose first attempt lost the connection and was made.
	if err := lock.Release(); !errors.Is(err, recipes.ErrLost) {
		return hold, err
	}
	return hold, nil
}

// retried repeats what a lost connection interrupted.
func retried[T any](ctx context.Context, f func() (T, error)) (v T, err error) {
	for {
		if v, err = f(); !errors.Is(err, zk.ErrConnectionClosed) && !errors.Is(err, zk.ErrNoServer) || ctx.Err() != nil {
			return v, err
		}
		time.Sleep(10 * time.Millisecond) // tries again
	}
}

func dialLibrary(t *testing.T, e *Ensemble, home int) *zk.Conn {
	t.Helper()
	byAddr := map[string]*Server{}
	var addrs []string
	for i := range e.Servers {
		s := e.Servers[(home+i)%len(e.Servers)]
		byAddr[s.Addr()] = s
		addrs = append(addrs, s.Addr())
	}
	dial := func(_, addr string, timeout time.Duration) (net.Conn, error) { return byAddr[addr].Dial(timeout) }
	conn, events, err := zk.Connect(addrs, 20*time.Second, zk.WithDialer(dial), zk.WithLogger(quiet{}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	ready := make(chan struct{})
	go func() {
		var once sync.Once
		for event := range events {
			if event.State == zk.StateHasSession {
				once.Do(func() { close(ready) })
			}
		}
	}()
	select {
	case <-ready:
	case <-time.After(Patience):
		t.Fatal("the library finds no session")
	}
	return conn
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
