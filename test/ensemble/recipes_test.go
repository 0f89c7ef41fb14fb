package ensemble

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"

	"zkd/test/recipes"
)

// whileLeadersDie runs clients until leaders have been killed, and done has risen before and after each kill. A client's
// function is called again and again; it may leave in the middle when ctx is over.
func whileLeadersDie(t *testing.T, e *Ensemble, done *atomic.Int64, clients ...func(ctx context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var all sync.WaitGroup
	for i, step := range clients {
		all.Go(func() {
			for ctx.Err() == nil {
				if err := step(ctx); err != nil && ctx.Err() == nil {
					t.Errorf("client %d: %v", i, err)
					return
				}
			}
		})
	}
	goOn := func() {
		want := done.Load() + 10
		Await(t, "the clients go on", func() bool { return done.Load() >= want || t.Failed() })
	}
	for range shortOrLong(2, 10) {
		goOn()
		dead := e.AwaitLeader()
		dead.Kill()
		goOn()
		e.Restart(dead)
	}
	cancel()
	all.Wait()
}

// Whoever is elected leads alone, with an epoch above those of all before; whoever stood first is elected first.
func TestElections(t *testing.T) {
	t.Parallel()
	e := Start(t, Options{})
	setup := Open(t, 20*time.Second, e.Servers...)
	setup.Create("/election", nil)
	setup.Close()
	began := time.Now()
	var mu sync.Mutex
	var reigns []Hold
	var done atomic.Int64
	var clients []func(ctx context.Context) error
	for i := range 6 {
		conn, who := dialLibrary(t, e, i), fmt.Sprintf("candidate %d", i)
		clients = append(clients, func(ctx context.Context) error {
			lead, err := retried(ctx, func() (*recipes.Lead, error) { return recipes.Campaign(ctx, conn, "/election", []byte(who)) })
			if err != nil {
				return err
			}
			reign := Hold{Who: who, From: time.Since(began), Fence: lead.Epoch()}
			named, err := retried(ctx, func() ([]byte, error) {
				if _, err := conn.Sync("/election"); err != nil {
					return nil, err
				}
				return recipes.Leader(conn, "/election")
			})
			if err != nil {
				return err
			}
			if string(named) != who {
				return fmt.Errorf("%s leads and %s is named", who, named)
			}
			reign.To = time.Since(began)
			mu.Lock()
			reigns = append(reigns, reign)
			mu.Unlock()
			done.Add(1)
			// ErrLost is also what a resignation says whose first try lost the connection and was made.
			if err := lead.Resign(); !errors.Is(err, recipes.ErrLost) {
				return err
			}
			return nil
		})
	}
	whileLeadersDie(t, e, &done, clients...)
	for _, err := range CheckHolds(reigns) {
		t.Error(err)
	}
	t.Logf("%d reigns", len(reigns))
}

// Clients meet at a barrier again and again: nobody goes through before all have come, or comes out before all want to.
func TestBarriers(t *testing.T) {
	t.Parallel()
	const clients = 4
	e := Start(t, Options{})
	setup := Open(t, 20*time.Second, e.Servers...)
	setup.Create("/barrier", nil)
	var come, leaving sync.Map // round to *atomic.Int32
	count := func(m *sync.Map, round int) *atomic.Int32 {
		n, _ := m.LoadOrStore(round, &atomic.Int32{})
		return n.(*atomic.Int32)
	}
	var done atomic.Int64
	var all []func(ctx context.Context) error
	for i := range clients {
		conn, name, round := dialLibrary(t, e, i), fmt.Sprintf("client-%d", i), 0
		all = append(all, func(ctx context.Context) error {
			round++
			dir := fmt.Sprintf("/barrier/%d", round)
			_, err := retried(ctx, func() (string, error) { return conn.Create(dir, nil, 0, zk.WorldACL(zk.PermAll)) })
			if err != nil && !errors.Is(err, zk.ErrNodeExists) {
				return err
			}
			count(&come, round).Add(1)
			d, err := recipes.Enter(ctx, conn, dir, name, clients)
			if err != nil {
				return err
			}
			if n := count(&come, round).Load(); n != clients {
				return fmt.Errorf("%s is through in round %d when %d have come", name, round, n)
			}
			count(&leaving, round).Add(1)
			if err := d.Leave(ctx); err != nil {
				return err
			}
			if n := count(&leaving, round).Load(); n != clients {
				return fmt.Errorf("%s is out in round %d when %d leave", name, round, n)
			}
			done.Add(1)
			return nil
		})
	}
	whileLeadersDie(t, e, &done, all...)
	t.Logf("%d times through", done.Load())
}

// Items are put into a queue and moved out by a multi, which names the place where each goes. None is lost that was
// acknowledged, none comes twice, and those of one producer come in the order in which they were put.
func TestQueues(t *testing.T) {
	t.Parallel()
	e := Start(t, Options{})
	setup := Open(t, 20*time.Second, e.Servers...)
	setup.Create("/queue", nil)
	setup.Create("/taken", nil)
	const producers, takers = 3, 3
	var mu sync.Mutex
	var sure, maybe []string
	var done atomic.Int64
	var all []func(ctx context.Context) error
	for i := range producers {
		conn, n := dialLibrary(t, e, i), 0
		all = append(all, func(ctx context.Context) error {
			n++
			item := fmt.Sprintf("%d:%06d", i, n)
			err := recipes.Put(conn, "/queue", []byte(item))
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				sure = append(sure, item)
			case errors.Is(err, zk.ErrConnectionClosed), errors.Is(err, zk.ErrNoServer):
				maybe = append(maybe, item)
			default:
				return err
			}
			return nil
		})
	}
	for i := range takers {
		conn := dialLibrary(t, e, i)
		all = append(all, func(ctx context.Context) error {
			moved, err := moveFirst(ctx, conn)
			if moved {
				done.Add(1)
			}
			return err
		})
	}
	whileLeadersDie(t, e, &done, all...)

	items := map[string]string{} // what, and where it was found
	type place struct {
		item  string
		order int64
	}
	var taken []place
	tree := e.CompareReplicas()
	for path, node := range tree {
		if path == "/queue" || path == "/taken" || !strings.HasPrefix(path, "/queue/") && !strings.HasPrefix(path, "/taken/") {
			continue
		}
		if other, twice := items[node.Data]; twice {
			t.Errorf("item %s is at %s and at %s", node.Data, other, path)
		}
		items[node.Data] = path
		if strings.HasPrefix(path, "/taken/") {
			taken = append(taken, place{node.Data, node.Stat.Czxid})
		}
	}
	for _, item := range sure {
		if items[item] == "" {
			t.Errorf("item %s was put and is nowhere", item)
		}
		delete(items, item)
	}
	for _, item := range maybe {
		delete(items, item)
	}
	for item, path := range items {
		t.Errorf("item %s at %s was put by nobody", item, path)
	}
	slices.SortFunc(taken, func(a, b place) int { return int(a.order - b.order) })
	last := map[byte]string{}
	for _, p := range taken {
		if who := p.item[0]; p.item < last[who] {
			t.Errorf("item %s was taken after %s", p.item, last[who])
		} else {
			last[who] = p.item
		}
	}
	t.Logf("%d put, %d perhaps, %d taken", len(sure), len(maybe), len(taken))
}

// moveFirst moves the first item from the queue to where those that are taken are, if it still is the first that
// anybody has not taken.
func moveFirst(ctx context.Context, conn *zk.Conn) (moved bool, err error) {
	if _, err := conn.Sync("/queue"); err != nil {
		return false, forgiven(ctx, err)
	}
	names, _, err := conn.Children("/queue")
	if err != nil || len(names) == 0 {
		return false, forgiven(ctx, err)
	}
	slices.Sort(names)
	from := "/queue/" + names[0]
	item, stat, err := conn.Get(from)
	if err != nil {
		return false, forgiven(ctx, err)
	}
	_, err = conn.Multi(
		&zk.DeleteRequest{Path: from, Version: stat.Version},
		&zk.CreateRequest{Path: "/taken/" + names[0], Data: item, Acl: zk.WorldACL(zk.PermAll)},
	)
	return err == nil, forgiven(ctx, err)
}

// forgiven is nil for a lost connection, and for an item that another was faster to take. It waits a little then.
func forgiven(ctx context.Context, err error) error {
	if err != nil && !errors.Is(err, zk.ErrConnectionClosed) && !errors.Is(err, zk.ErrNoServer) && !errors.Is(err, zk.ErrNoNode) &&
		!errors.Is(err, zk.ErrNodeExists) {
		return err
	}
	select {
	case <-ctx.Done():
	case <-time.After(5 * time.Millisecond):
	}
	return nil
}
