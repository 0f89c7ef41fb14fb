package simulation

import (
	"os"
	"testing"
	"testing/synctest"
	"time"
)

func TestSmoke(t *testing.T) {
	dir, _ := os.MkdirTemp("/dev/shm", "sim")
	defer os.RemoveAll(dir)
	synctest.Test(t, func(t *testing.T) {
		r := newRun(1, dir, plan{servers: 3, observers: 1, tick: time.Second, snapCount: 1000, trailing: 64, engine: "wal"})
		for _, h := range r.hosts {
			h.start()
		}
		if !r.await(time.Minute, func() bool { return r.leader() != nil }) {
			t.Error("no leader")
		}
		for range 5 {
			time.Sleep(10 * time.Second)
			l := r.leader()
			r.note("leader %d", l.id)
			l.kill(killed)
			time.Sleep(10 * time.Second)
			l.start()
		}
		r.finish()
		t.Log(r.log.String())
	})
}
