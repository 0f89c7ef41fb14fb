package ensemble

import (
	"testing"
	"time"
)

// Every server is stopped by its operator and started again, one after the other, the leader too. Clients that try
// again after a lost connection see no error and keep their sessions.
func TestRollingRestart(t *testing.T) {
	for _, voters := range shortOrLong([]int{3}, []int{3, 5}) {
		e := Start(t, Options{Voters: voters})
		l := e.StartLoad(LoadOptions{})
		l.AwaitAll(nil)
		var gaps []time.Duration
		for _, s := range e.Servers {
			led := s.Mode() == "leader"
			rest := e.Except(s)
			lost, at := connections(l, rest), l.Now()
			if err := s.Terminate(); err != nil {
				t.Error(err)
			}
			l.AwaitAll(nil)
			gaps = append(gaps, l.Gap(at, l.Now(), ClientsOf(rest...)))
			t.Logf("%v of %d (leader: %v): longest time without a completed write: clients of the others %v, all %v", s, voters,
				led, gaps[len(gaps)-1], l.Gap(at, l.Now(), Everyone))
			if n := connections(l, rest) - lost; n > 0 && Against() == zkd {
				t.Errorf("%v ended and %d connections to %s were lost", s, n, names(rest))
			}
			e.Restart(s)
			l.Settle()
		}
		for _, gap := range gaps {
			if gap > unbearable {
				t.Errorf("a client waited %v", gap)
			}
		}
		l.Stop()
	}
}
