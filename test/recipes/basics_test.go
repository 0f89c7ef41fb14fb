package recipes

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

	"zkd/test/clients/suite"
)

func TestClaim(t *testing.T) {
	const clients = 8
	_, server, c := begin(t, "/names")
	var winner atomic.Int32
	var won atomic.Int32
	var all sync.WaitGroup
	for i := range clients {
		conn := connect(t, server.Addr(), patient)
		all.Go(func() {
			switch err := Claim(conn.Conn, "/names/one", []byte(fmt.Sprint(i))); {
			case err == nil:
				won.Add(1)
				winner.Store(int32(i))
			case !errors.Is(err, zk.ErrNodeExists):
				t.Error(err)
			}
		})
	}
	all.Wait()
	data, _, err := c.Get("/names/one")
	if won.Load() != 1 || err != nil || string(data) != fmt.Sprint(winner.Load()) {
		t.Errorf("%d won; the last was %d; the name is %q's, %v", won.Load(), winner.Load(), data, err)
	}
}

func TestUnique(t *testing.T) {
	const clients, each = 4, 25
	_, server, c := begin(t, "/ids")
	var mu sync.Mutex
	seen := map[string]bool{}
	var all sync.WaitGroup
	for range clients {
		conn := connect(t, server.Addr(), patient)
		all.Go(func() {
			last := int64(-1)
			for range each {
				name, err := Unique(conn.Conn, "/ids/id-", nil)
				if err != nil {
					t.Error(err)
					return
				}
				if n := sequence(name); n <= last {
					t.Errorf("%d after %d", n, last)
				} else {
					last = n
				}
				mu.Lock()
				seen[name] = true
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if len(seen) != clients*each {
		t.Errorf("%d different names, want %d", len(seen), clients*each)
	}
	// A number is not given again when its name is deleted.
	last := fmt.Sprintf("/ids/id-%010d", clients*each-1)
	if err := c.Delete(last, -1); err != nil {
		t.Fatal(err)
	}
	if name, err := Unique(c.Conn, "/ids/id-", nil); err != nil || name == last {
		t.Errorf("%s, %v after %s was deleted", name, err, last)
	}
}

func TestRename(t *testing.T) {
	_, server, c := begin(t, "/names")
	if err := Claim(c.Conn, "/names/0", []byte("data")); err != nil {
		t.Fatal(err)
	}
	reader := connect(t, server.Addr(), patient)
	done := make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		for {
			names, _, err := reader.Children("/names")
			if err != nil || len(names) != 1 {
				t.Errorf("names are %v, %v", names, err)
				return
			}
			select {
			case <-done:
				return
			default:
			}
		}
	})
	for i := range 100 {
		if err := Rename(c.Conn, fmt.Sprintf("/names/%d", i), fmt.Sprintf("/names/%d", i+1)); err != nil {
			t.Fatal(err)
		}
	}
	close(done)
	all.Wait()
	if data, _, err := c.Get("/names/100"); err != nil || string(data) != "data" {
		t.Errorf("%q, %v", data, err)
	}
	if err := Claim(c.Conn, "/names/taken", nil); err != nil {
		t.Fatal(err)
	}
	if err := Rename(c.Conn, "/names/100", "/names/taken"); !errors.Is(err, zk.ErrNodeExists) {
		t.Errorf("renamed to a name that is taken: %v", err)
	}
	if there, err := exists(c, "/names/100"); !there || err != nil {
		t.Errorf("the refused rename lost the name: %v", err)
	}
}

func TestFollow(t *testing.T) {
	ctx, server, c := begin(t, "/config")
	proxy := suite.StartProxy(t, server.Addr())
	type follower struct {
		*client
		mu       sync.Mutex
		data     string
		versions []int32
	}
	has := func(f *follower, want string) func() bool {
		return func() bool {
			f.mu.Lock()
			defer f.mu.Unlock()
			return f.data == want
		}
	}
	var followers []*follower
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	t.Cleanup(func() { cancel(); all.Wait() })
	for _, addr := range []string{server.Addr(), server.Addr(), proxy.Addr()} {
		f := &follower{client: connect(t, addr, patient)}
		followers = append(followers, f)
		all.Go(func() {
			err := Follow(ctx, f.Conn, "/config", func(data []byte, version int32) {
				f.mu.Lock()
				defer f.mu.Unlock()
				f.data = string(data)
				f.versions = append(f.versions, version)
			})
			if !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
	}
	watches(t, server, len(followers))

	// One change wakes each follower once.
	version := must[int32](t)(Publish(c.Conn, "/config", []byte("one"), 0))
	for _, f := range followers {
		suite.Await(t, "the first change", has(f, "one"))
	}
	watches(t, server, len(followers))
	for i, f := range followers {
		if n := f.woken.Load(); n != 1 {
			t.Errorf("follower %d was woken %d times by one change", i, n)
		}
	}
	if _, err := Publish(c.Conn, "/config", []byte("lost update"), 0); !errors.Is(err, zk.ErrBadVersion) {
		t.Errorf("publishing over somebody else's change: %v", err)
	}

	// Many changes, some of them while a follower is cut off: all see the last, none goes back.
	for i := range 50 {
		switch i {
		case 20:
			proxy.Cut()
		case 30:
			proxy.Open()
		}
		version = must[int32](t)(Publish(c.Conn, "/config", []byte(fmt.Sprint(i)), version))
	}
	for i, f := range followers {
		suite.Await(t, "the last change", has(f, "49"))
		f.mu.Lock()
		if !slices.IsSorted(f.versions) || len(slices.Compact(slices.Clone(f.versions))) != len(f.versions) {
			t.Errorf("follower %d saw versions %v", i, f.versions)
		}
		if last := f.versions[len(f.versions)-1]; last != version {
			t.Errorf("follower %d ends with version %d, want %d", i, last, version)
		}
		f.mu.Unlock()
	}
}

func TestGroup(t *testing.T) {
	ctx, server, c := begin(t, "/group")
	changes := make(chan string, 64)
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	t.Cleanup(func() { cancel(); all.Wait() })
	all.Go(func() {
		err := Members(ctx, c.Conn, "/group", func(names []string) { changes <- strings.Join(names, " ") })
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	are := func(want string) {
		t.Helper()
		select {
		case got := <-changes:
			if got != want {
				t.Fatalf("members are %q, want %q", got, want)
			}
		case <-time.After(suite.Patience):
			t.Fatalf("waited in vain for members %q", want)
		}
	}
	are("")
	a := start(t, "member", server.Addr(), "a")
	are("a")
	b := start(t, "member", server.Addr(), "b")
	are("a b")

	// A member whose connection is lost for less than its session stays; nobody hears of it.
	proxy := suite.StartProxy(t, server.Addr())
	far := connect(t, proxy.Addr(), patient)
	if err := Join(ctx, far.Conn, "/group", "far", nil); err != nil {
		t.Fatal(err)
	}
	are("a b far")
	if err := Join(ctx, far.Conn, "/group", "far", nil); err != nil { // it is in already
		t.Error(err)
	}
	proxy.Drop()
	suite.Await(t, "it is back", func() bool {
		_, err := exists(far, "/group")
		return err == nil
	})
	b.quit() // leaves at once, by closing its session
	are("a far")

	// The next life of a killed member waits for the end of the one before, and stays. Whether others see it go in
	// between is a matter of luck.
	_, before, err := c.Get("/group/a")
	if err != nil {
		t.Fatal(err)
	}
	a.kill()
	again := start(t, "member", server.Addr(), "a")
	again.says("joined")
	_, after, err := c.Get("/group/a")
	if err != nil || after.Czxid <= before.Czxid || after.EphemeralOwner == before.EphemeralOwner {
		t.Fatalf("the new member is the old one: %v", err)
	}
	time.Sleep(2 * timeout) // that nothing expires takes the time in which it would
	if _, now, err := c.Get("/group/a"); err != nil || now.Czxid != after.Czxid {
		t.Errorf("the member that came back did not stay: %v", err)
	}
	again.quit()
	suite.Await(t, "the last change", func() bool {
		select {
		case got := <-changes:
			return got == "far"
		default:
			return false
		}
	})
	count(t, c, "/group", 1)
}

func TestQueue(t *testing.T) {
	const producers, items, consumers = 3, 30, 3
	ctx, server, c := begin(t, "/queue")
	taken := make(chan string, producers*items)
	for range consumers {
		conn := connect(t, server.Addr(), patient)
		go func() {
			for range items { // as many come as are taken
				item, err := Take(ctx, conn.Conn, "/queue")
				if err != nil {
					t.Error(err)
					return
				}
				taken <- string(item)
			}
		}()
	}
	var all sync.WaitGroup
	for p := range producers {
		conn := connect(t, server.Addr(), patient)
		all.Go(func() {
			for i := range items {
				if err := Put(conn.Conn, "/queue", fmt.Appendf(nil, "%d-%d", p, i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	seen := map[string]int{}
	for range producers * items {
		select {
		case item := <-taken:
			seen[item]++
		case <-ctx.Done():
			t.Fatal(ctx.Err())
		}
	}
	if len(seen) != producers*items {
		t.Errorf("%d different items, want %d: %v", len(seen), producers*items, seen)
	}
	count(t, c, "/queue", 0)
}

func TestQueueIsInOrder(t *testing.T) {
	ctx, server, c := begin(t, "/queue")
	got := make(chan string, 1)
	waiting := connect(t, server.Addr(), patient)
	go func() { // a taker that finds nothing waits
		item, err := Take(ctx, waiting.Conn, "/queue")
		if err != nil {
			t.Error(err)
		}
		got <- string(item)
	}()
	watches(t, server, 1)
	if err := Put(c.Conn, "/queue", []byte("first")); err != nil {
		t.Fatal(err)
	}
	if item := <-got; item != "first" {
		t.Errorf("took %q", item)
	}
	for i := range 30 {
		if err := Put(c.Conn, "/queue", fmt.Append(nil, i)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 30 {
		if item, err := Take(ctx, waiting.Conn, "/queue"); err != nil || string(item) != fmt.Sprint(i) {
			t.Fatalf("took %q, %v, want %d", item, err, i)
		}
	}
}

func TestBarrier(t *testing.T) {
	const clients = 5
	ctx, server, c := begin(t, "/barrier")
	var passed atomic.Int32
	var all sync.WaitGroup
	for range clients {
		conn := connect(t, server.Addr(), patient)
		all.Go(func() {
			if err := Pass(ctx, conn.Conn, "/barrier"); err != nil {
				t.Error(err)
			}
			passed.Add(1)
		})
	}
	watches(t, server, clients)
	if _, err := c.Set("/barrier", []byte("not yet"), -1); err != nil { // wakes them, but opens nothing
		t.Fatal(err)
	}
	watches(t, server, clients)
	if n := passed.Load(); n != 0 {
		t.Fatalf("%d passed a closed barrier", n)
	}
	if err := c.Delete("/barrier", -1); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	if err := Pass(ctx, c.Conn, "/barrier"); err != nil { // open is open
		t.Error(err)
	}
}

func TestDoubleBarrier(t *testing.T) {
	const clients = 6
	ctx, server, c := begin(t, "/double")
	var entered, left atomic.Int32
	var all sync.WaitGroup
	conns := make([]*client, clients)
	seen := make(chan struct{}) // closed when all have looked who is there: from then on they leave
	enter := func(i int) {
		conns[i] = connect(t, server.Addr(), timeout)
		all.Go(func() {
			d, err := Enter(ctx, conns[i].Conn, "/double", fmt.Sprintf("client-%d", i), clients)
			if err != nil {
				t.Error(err)
				return
			}
			if n := len(must[[]string](t)(children(c, "/double"))); n < clients {
				t.Errorf("entered with %d clients there", n)
			}
			entered.Add(1)
			if i == 0 {
				return // it dies inside
			}
			<-seen
			if err := d.Leave(ctx); err != nil {
				t.Error(err)
			}
			left.Add(1)
		})
	}
	for i := range clients - 1 {
		enter(i)
		count(t, c, "/double", i+1)
	}
	watches(t, server, clients-1)
	if n := entered.Load(); n != 0 {
		t.Fatalf("%d of %d have entered before the last came", n, clients)
	}
	enter(clients - 1)
	suite.Await(t, "all have entered", func() bool { return entered.Load() == clients })
	close(seen)
	count(t, c, "/double", 2) // ready, and the one that does not leave
	if n := left.Load(); n != 0 {
		t.Fatalf("%d have left while one is inside", n)
	}
	conns[0].Close()
	all.Wait()
	if n := left.Load(); n != clients-1 {
		t.Errorf("%d have left", n)
	}
	for i, c := range conns[1:] {
		if n := c.woken.Load(); n > 2 {
			t.Errorf("client %d was woken %d times", i+1, n)
		}
	}
}

func children(c *client, path string) ([]string, error) {
	names, _, err := c.Children(path)
	return names, err
}
