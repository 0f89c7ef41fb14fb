package overload

import (
	"context"
	"testing"
	"time"
)

// scenario is one way to overload a server.
type scenario struct {
	name    string
	limit   int64 // of the server's memory
	lasts   time.Duration
	prepare func(t *testing.T, tg *target)
	attack  func(f *force)
	peers   bool  // the short run is against an ensemble, else against a server alone
	least   int64 // how much the attackers must have done, of whatever they count
}

const (
	quietTime = time.Second
	// recovery is how long after an attack everything has to be as before: connections that were cut are noticed at
	// once, except of one with requests that nobody has read yet: the server finds out when it answers.
	recovery = 3 * time.Minute
	// unbearable is a wait that no noise of a shared machine explains.
	unbearable = 30 * time.Second
)

// run is against both kinds of servers in the long variant.
func (s scenario) run(t *testing.T) {
	if *long || !s.peers {
		t.Run("alone", func(t *testing.T) { s.against(t, alone(t, s.limit)) })
	}
	if *long || s.peers {
		t.Run("ensemble", func(t *testing.T) { s.against(t, leading(t, s.limit)) })
	}
}

func (s scenario) against(t *testing.T, tg *target) {
	row := row{scenario: s.name, kind: tg.kind, limit: s.limit}
	if s.prepare != nil {
		s.prepare(t, tg)
	}
	h := startHonest(t, tg.addrs())
	time.Sleep(shortOrLong(quietTime, 5*quietTime)) // is measured
	row.quiet = h.mark(t)
	before, err := tg.victim.figures()
	if err != nil {
		t.Fatal(err)
	}
	row.before = before
	tg.victim.forgetPeak()

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	f := &force{ctx: ctx, addr: tg.victim.addr, more: tg.ports}
	s.attack(f)
	lasts := shortOrLong(s.lasts/2, 2*s.lasts)
	time.Sleep(lasts) // is measured
	for end := time.Now().Add(10 * lasts); f.did.Load() < s.least && time.Now().Before(end); {
		time.Sleep(lasts / 10) // a slow machine takes longer for an overload
	}
	cancel()
	row.load = h.mark(t)
	f.done.Wait()
	row.did = f.did.Load()

	row.recovered, row.after = s.recover(t, tg, h, &row)
	row.led = tg.leads == nil || tg.leads()
	report.add(row)
	if !tg.bounds {
		return
	}
	if trouble := tg.trouble(); trouble != "" {
		t.Error(trouble)
	}
	row.check(t)
	if row.did < s.least {
		t.Errorf("the attackers did %d, which is no overload; at least %d", row.did, s.least)
	}
}

// recover waits until all is as before: connections, descriptors, goroutines, and what honest clients wait.
func (s scenario) recover(t *testing.T, tg *target, h *honest, row *row) (time.Duration, figures) {
	began := time.Now()
	for tells := 5 * time.Second; ; {
		time.Sleep(100 * time.Millisecond) // is measured
		calm := true
		waits := h.mark(t)
		for i, w := range waits {
			row.load[i].Lost = w.Lost
			calm = calm && (w.Count > 0 && w.P50 <= 2*row.quiet[i].P99 || len(w.Lost) > 0)
		}
		now, err := tg.victim.figures()
		if err != nil {
			t.Fatal(err)
		}
		back := now.conns <= row.before.conns && now.sockets <= row.before.sockets+spareSockets && now.goroutines <= row.before.goroutines+spareGoroutines
		passed := time.Since(began)
		if back && calm {
			return passed, now
		}
		if passed > tells {
			t.Logf("%v after it: calm %v (%v), %+v; before it %+v", passed, calm, waits[0], now, row.before)
			tells *= 2
		}
		if passed > recovery {
			if !back {
				t.Errorf("%v after the attack: %+v; before it %+v", recovery, now, row.before)
			}
			return passed, now
		}
	}
}

// A server has more or fewer connections to its peers, and goroutines for them, when another one leads. What an attack
// could leave behind is far more.
const (
	spareSockets    = 16
	spareGoroutines = 20
)
