package ensemble

import (
	"testing"
	"time"
)

// The majority is lost while clients write: from then on nobody is told that a write was made. When all have started
// again everything goes on where it was, with zxids above all that were seen.
func TestMajorityLost(t *testing.T) {
	t.Parallel()
	e := Start(t, Options{})
	l := e.StartLoad(LoadOptions{Clients: 20, Pause: time.Millisecond})
	for range shortOrLong(2, 10) {
		l.AwaitAll(nil)
		alone := e.AwaitLeader()
		for _, s := range e.Except(alone) {
			s.Kill()
		}
		at := l.Now() // what is answered later than this can only have been on its way
		e.Await(alone.String()+" serves nobody", func() bool { return alone.Mode() == "" })
		highest := int64(0)
		for _, w := range l.History() {
			if w.Outcome != Acknowledged {
				continue
			}
			if w.Call > at {
				t.Errorf("%s was sent when there was no majority, and acknowledged", w.Mark())
			}
			highest = max(highest, w.Zxid)
		}
		alone.Kill()
		e.Restart(e.Servers...)
		back := l.Now()
		l.AwaitAll(nil)
		for _, w := range l.History() {
			if w.Outcome == Acknowledged && w.Call > back && w.Zxid <= highest {
				t.Errorf("%s has zxid %#x, after %#x", w.Mark(), w.Zxid, highest)
			}
		}
	}
	l.Stop()
}
