package gozk

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/go-zookeeper/zk"
)

// TestLeaderKilled lets clients work on three servers while the leader is killed and comes back. What is counted is
// counted once, a lock has one holder, and sessions go on with their ephemerals and watches.
func TestLeaderKilled(t *testing.T) {
	if !strings.Contains(os.Getenv("ZK_HOSTS"), ",") {
		t.Skip("there is one server only")
	}
	keeper := client(t)
	path := node(t, keeper, "0")
	create(t, keeper, path+"/locked", "0", 0)
	create(t, keeper, path+"/mine", "", zk.FlagEphemeral)
	session := keeper.SessionID()
	observer := client(t)
	_, _, last, err := synced(t, observer).ExistsW(path + "/last")
	if err != nil {
		t.Fatal(err)
	}

	over := make(chan struct{})
	var all sync.WaitGroup
	counts := make([]int, 3)
	for i := range counts {
		c := client(t)
		all.Go(func() { counts[i] = count(t, c, path, over) })
	}
	turns := make([]int, 3)
	for i := range turns {
		c := client(t)
		all.Go(func() { turns[i] = takeTurns(t, c, path, over) })
	}
	proxy(t, "restart")
	proxy(t, "restart")
	close(over)
	all.Wait()

	sum := func(ns []int) (total int) {
		for _, n := range ns {
			total += n
		}
		return total
	}
	wantData(t, keeper, path, strconv.Itoa(sum(counts)))
	wantData(t, keeper, path+"/locked", strconv.Itoa(sum(turns)))
	if stat := wantData(t, observer, path+"/mine", ""); stat.EphemeralOwner != session || keeper.SessionID() != session {
		t.Errorf("the ephemeral is owned by %#x, and the session is %#x; it was %#x", stat.EphemeralOwner, keeper.SessionID(), session)
	}
	create(t, keeper, path+"/last", "", 0)
	event(t, last, zk.EventNodeCreated, path+"/last")
	if sum(counts) == 0 || sum(turns) == 0 {
		t.Errorf("%v counts and %v turns were done", counts, turns)
	}
}

// again tells whether a request is to be tried again: its connection was lost, and nobody knows whether it was done.
func again(err error) bool {
	return errors.Is(err, zk.ErrConnectionClosed) || errors.Is(err, zk.ErrNoServer)
}

// count adds one to a number, over and over, and returns how often it did. The version shows whether a write whose
// answer was lost was done: the data holds who wrote it only for that.
func count(t *testing.T, c *zk.Conn, path string, over <-chan struct{}) (done int) {
	for {
		select {
		case <-over:
			return done
		default:
		}
		data, stat, err := c.Get(path)
		if again(err) {
			continue
		}
		if err != nil {
			t.Errorf("get: %v", err)
			return done
		}
		n, _ := strconv.Atoi(string(data))
		// An operation of the multi leaves a mark of this very write.
		mark := path + "/mark-" + strconv.FormatInt(c.SessionID(), 16) + "-" + strconv.Itoa(done)
		_, err = c.Multi(
			&zk.SetDataRequest{Path: path, Data: []byte(strconv.Itoa(n + 1)), Version: stat.Version},
			&zk.CreateRequest{Path: mark, Acl: world},
		)
		for again(err) {
			var there bool
			if _, err = c.Sync(path); err != nil {
				continue
			}
			if there, _, err = c.Exists(mark); err == nil && !there {
				err = zk.ErrBadVersion // not done
			}
		}
		switch {
		case err == nil:
			done++
		case errors.Is(err, zk.ErrBadVersion): // another one was first
		default:
			t.Errorf("multi: %v", err)
			return done
		}
	}
}

// takeTurns adds one to a number under a lock, over and over, and returns how often it did.
func takeTurns(t *testing.T, c *zk.Conn, path string, over <-chan struct{}) (done int) {
	for {
		select {
		case <-over:
			return done
		default:
		}
		lock := zk.NewLock(c, path+"/lock", world)
		if err := lock.Lock(); err != nil {
			if again(err) {
				err = leave(c, path+"/lock")
			}
			if err == nil {
				continue
			}
			t.Errorf("lock: %v", err)
			return done
		}
		if err := addOne(c, path+"/locked"); err != nil {
			t.Errorf("under the lock: %v", err)
			return done
		}
		done++
		lost := false
		for err := lock.Unlock(); err != nil; err = lock.Unlock() {
			if lost && err == zk.ErrNoNode {
				break // the first try was done
			}
			if lost = again(err); !lost {
				t.Errorf("unlock: %v", err)
				return done
			}
		}
	}
}

// leave takes a client out of the line for a lock. Lock forgets its place when the connection is lost while it waits.
func leave(c *zk.Conn, lock string) error {
	for {
		if _, err := c.Sync(lock); again(err) {
			continue
		}
		line, _, err := c.Children(lock)
		if again(err) {
			continue
		}
		for _, place := range line {
			var stat *zk.Stat
			var there bool
			if there, stat, err = c.Exists(lock + "/" + place); err == nil && there && stat.EphemeralOwner == c.SessionID() {
				err = c.Delete(lock+"/"+place, -1)
			}
			if err == zk.ErrNoNode {
				err = nil
			}
			if err != nil {
				break
			}
		}
		if !again(err) {
			return err
		}
	}
}

// addOne reads and writes in two requests; only a lock keeps them together. The session holds the lock as long as it
// lives, so a request whose answer was lost can be tried again.
func addOne(c *zk.Conn, path string) error {
	data, stat, err := c.Get(path)
	for again(err) {
		data, stat, err = c.Get(path)
	}
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(string(data))
	if err != nil {
		return err
	}
	for {
		_, err := c.Set(path, []byte(strconv.Itoa(n+1)), stat.Version)
		if again(err) {
			continue
		}
		if !errors.Is(err, zk.ErrBadVersion) {
			return err
		}
		// Either the first try was done, or the lock has two holders; the sum tells.
		return nil
	}
}
