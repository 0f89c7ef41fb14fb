package consensus

import (
	"sync"
	"testing"
	"time"
)

func TestReadsWaitForWhatIsKnown(t *testing.T) {
	var k commits
	k.await(time.Hour) // nothing is known
	k.tell(7)
	k.tell(5) // late
	var readers sync.WaitGroup
	for range 10 {
		readers.Go(func() { k.await(time.Hour) })
	}
	for !k.waits.Load() {
		time.Sleep(time.Millisecond)
	}
	k.apply(6)
	k.apply(7)
	readers.Wait()
	k.await(time.Hour)
}

// Where applying hangs one read is late, and not all of them.
func TestReadsDoNotWaitForLong(t *testing.T) {
	var k commits
	k.tell(7)
	k.await(time.Millisecond)
	k.tell(8)
	k.await(time.Hour)
	k.apply(7) // it goes on
	done := make(chan struct{})
	go func() { k.await(time.Hour); close(done) }()
	for !k.waits.Load() {
		time.Sleep(time.Millisecond)
	}
	k.apply(8)
	<-done
}
