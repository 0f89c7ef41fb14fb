package ensemble

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"zkd/test/wire"
)

// Who leads is stopped for about as long as a leader may go unheard, again and again, so that it goes on in the belief that
// it still leads. Whoever reads after a sync sees what was acknowledged before, wherever he reads.
func TestSyncedReadsAtPausedLeaders(t *testing.T) {
	OnlyZkd(t) // the sync of a ZooKeeper that leads does not wait for its own commits
	t.Parallel()
	e := Start(t, Options{Observers: 1})
	setup := Open(t, 20*time.Second, e.Servers...)
	setup.Create("/n", []byte("0"))
	setup.Close()

	var mu sync.Mutex
	acknowledged := 0
	stop := make(chan struct{})
	var all sync.WaitGroup
	reads := 0
	all.Go(func() {
		w := Open(t, 20*time.Second, e.Servers...)
		for n := 1; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			r, err := w.Call(wire.OpSetData, wire.SetData{Path: "/n", Data: fmt.Append(nil, n), Version: -1})
			if err == nil && r.Err == 0 {
				mu.Lock()
				acknowledged = n
				mu.Unlock()
			}
		}
	})
	for _, s := range e.Servers {
		r := Open(t, 20*time.Second, s) // reads there only, and waits when that is stopped
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				mu.Lock()
				least := acknowledged
				mu.Unlock()
				if _, err := r.Call(wire.OpSync, wire.Path("/")); err != nil {
					if errors.Is(err, ErrLost) {
						continue
					}
					t.Errorf("reader at %v: %v", s, err)
					return
				}
				reply, err := r.Call(wire.OpGetData, wire.PathWatch{Path: "/n"})
				if err != nil || reply.Err != 0 {
					continue
				}
				seen := 0
				if _, err := fmt.Sscan(string(reply.Data), &seen); err != nil || seen < least {
					t.Errorf("%v shows %q after a sync, when %d was acknowledged", s, reply.Data, least)
					return
				}
				mu.Lock()
				reads++
				mu.Unlock()
			}
		})
	}
	for end := time.Now().Add(shortOrLong(8*time.Second, 2*time.Minute)); time.Now().Before(end) && !t.Failed(); {
		leader := e.AwaitLeader()
		leader.Pause()
		time.Sleep(time.Duration(200+rand.IntN(2000)) * time.Millisecond) // a leader is missed after one second
		leader.Resume()
		time.Sleep(time.Duration(rand.IntN(300)) * time.Millisecond)
	}
	close(stop)
	all.Wait()
	t.Logf("%d writes, %d reads after syncs", acknowledged, reads)
	if acknowledged == 0 || reads == 0 {
		t.Error("nothing was written or read: the scenario shows nothing")
	}
	e.CompareReplicas()
}
