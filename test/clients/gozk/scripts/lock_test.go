package gozk

import (
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"
)

func TestLockIsExclusive(t *testing.T) {
	c := client(t)
	path := node(t, c, "0")
	var all sync.WaitGroup
	for range 4 {
		other := client(t)
		all.Go(func() {
			lock := zk.NewLock(other, path+"/lock", world)
			for range 10 {
				if err := lock.Lock(); err != nil {
					t.Error(err)
					return
				}
				// Read and write are two requests; only the lock keeps them together.
				b, _, _ := other.Get(path)
				n, _ := strconv.Atoi(string(b))
				if _, err := other.Set(path, []byte(strconv.Itoa(n+1)), -1); err != nil {
					t.Error(err)
				}
				if err := lock.Unlock(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	wantData(t, c, path, "40")
}

func TestLockPassesOnWhenTheHolderCloses(t *testing.T) {
	a, b := client(t), client(t)
	path := node(t, b, "")
	if err := zk.NewLock(a, path, world).Lock(); err != nil {
		t.Fatal(err)
	}
	got := make(chan error, 1)
	go func() { got <- zk.NewLock(b, path, world).Lock() }()
	await(t, "both contend", func() bool { all, _, _ := b.Children(path); return len(all) == 2 })
	select {
	case err := <-got:
		t.Fatalf("the lock is held, and was given away: %v", err)
	default:
	}
	a.Close()
	select {
	case err := <-got:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(patience):
		t.Fatal("the lock was never given")
	}
}

func TestLockTwiceAndUnlockUnlocked(t *testing.T) {
	c := client(t)
	lock := zk.NewLock(c, node(t, c, ""), world)
	wantErr(t, "unlock", lock.Unlock(), zk.ErrNotLocked)
	if err := lock.Lock(); err != nil {
		t.Fatal(err)
	}
	wantErr(t, "second lock", lock.Lock(), zk.ErrDeadlock)
	if err := lock.Unlock(); err != nil {
		t.Fatal(err)
	}
}
