package soak

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zkd/test/ensemble"
	"zkd/test/oracle"
)

// Options of a run.
type Options struct {
	For    time.Duration // how long faults are made; the end takes some seconds more
	Seed   uint64
	From   int           // the first round, to repeat one of another run
	Faults time.Duration // of a round
	Out    string        // folder of the page, and of what the servers wrote if something is wrong
	Commit string
}

const (
	voters    = 3
	observers = 1
)

// run is one run.
type run struct {
	*recorder
	opts     Options
	ctx      context.Context // ends the run before its time
	began    time.Time
	e        *ensemble.Ensemble
	in       *injector
	watcher  *watcher
	fleet    *fleet
	listener *listener
	quiet    map[int]Look // before there were clients
	rounds   []Round
	times    map[Check]int
	judged   oracle.Stats
	ended    bool // by its time, not by a broken promise
}

// Round is what became of one.
type Round struct {
	Number   int
	From, To time.Duration
	Healed   time.Duration // when all faults had ended
	Served   time.Duration // until all servers served, after that
	Progress time.Duration // until every client had written, after that
	Equal    time.Duration // until all had applied the same, after that
	Faults   int
	Before   Kind
	Standing Kind
	Writes   int64
	Unknown  int64
	Reads    int64
}

// Run makes faults on an ensemble until the time is over, the context ends or something is wrong, and writes the page.
func Run(ctx context.Context, t testing.TB, o Options) {
	r := &run{opts: o, ctx: ctx, began: time.Now(), times: map[Check]int{}}
	r.recorder = &recorder{TB: t, clock: r.now, check: Setup}
	defer func() {
		if err := r.report(true); err != nil {
			t.Error(err)
		}
	}()
	if err := os.MkdirAll(o.Out, 0o755); err != nil {
		t.Fatal(err)
	}
	r.start()
	defer r.watcher.end()
	defer r.wreck()
	for n := o.From; r.now() < o.For && ctx.Err() == nil && !t.Failed(); n++ {
		r.scope(n, func() { r.round(n) })
		if err := r.report(false); err != nil {
			t.Error(err)
		}
	}
	r.end()
}

func (r *run) now() time.Duration { return time.Since(r.began) }

func (r *run) say(format string, args ...any) {
	if testing.Verbose() {
		fmt.Printf("%s %s\n", time.Now().Format("15:04:05.000"), fmt.Sprintf(format, args...))
	}
}

// smallDisks are the servers whose disk can be filled: two of three voters, so that a majority is there that no slow
// disk of the machine holds up. The rest keep what they have on the machine's disk, with real syncs.
var smallDisks = []int{2, 3}

const diskSize = 256 << 20

// start makes an ensemble, looks at it while it is quiet, and lets the clients go.
func (r *run) start() {
	r.expect(Setup)
	r.say("seed %d, commit %s, for %v", r.opts.Seed, r.opts.Commit, r.opts.For)
	network := ensemble.NewNetwork(r)
	r.fleet = newFleet(r, network)
	r.listener = &listener{r: r, sequence: r.fleet.sequence}
	// Small logs, so that who was away for long needs a snapshot.
	r.e = ensemble.Start(r, ensemble.Reconfigurable(ensemble.Options{
		Voters: voters, Observers: observers, Network: network, Config: []string{"snapCount=500"},
		Disk: diskSize, DiskOf: smallDisks, Starting: r.listener.starting,
	}))
	r.in = newInjector(r, network)
	r.quiet = map[int]Look{}
	for _, s := range r.e.Servers {
		r.quiet[s.ID] = look(s)
	}
	r.watcher = watch(r.e.Servers, r.now)
	r.fleet.start()
	r.in.operator = r.fleet.operator
}

// round makes faults for a while, then none until all is well, and then demands that all is.
func (r *run) round(n int) {
	p := NewPlan(r.opts.Seed, n, len(r.e.Servers), voters, r.opts.Faults)
	f := r.fleet
	round := Round{
		Number: n, From: r.now(), Before: p.Before,
		Writes: -f.written.Load(), Unknown: -f.unknown.Load(), Reads: -f.read.Load(),
	}
	r.say("round %d", n)
	r.in.round = n
	f.round.Store(int64(n))
	if p.Before != "" {
		r.expect(Serves)
		r.in.before(p)
	}
	r.expect(Lives)
	round.Faults = r.attack(p)
	if p.Standing.Kind != "" && r.ctx.Err() == nil {
		round.Standing = p.Standing.Kind
		r.stand(p.Standing)
	}
	r.expect(Serves)
	r.in.heal()
	round.Healed = r.now()
	r.in.awaitServing()
	round.Served = r.now() - round.Healed
	r.expect(Progress)
	f.awaitAll()
	round.Progress = r.now() - round.Healed - round.Served
	r.rest(&round)
	round.Writes += f.written.Load()
	round.Unknown += f.unknown.Load()
	round.Reads += f.read.Load()
	round.To = r.now()
	r.rounds = append(r.rounds, round)
	r.say("round %d: %d faults, %d writes, %d reads, served after %v, progress after %v, equal after %v", n, round.Faults,
		round.Writes, round.Reads, round.Served.Round(time.Millisecond), round.Progress.Round(time.Millisecond), round.Equal.Round(time.Millisecond))
}

// rest lets the clients rest while the servers are compared, and judges what they were told until now.
func (r *run) rest(round *Round) {
	goOn := r.fleet.rest()
	defer goOn()
	r.expect(Digests)
	at := r.now()
	r.e.CompareDigests(r.e.Servers)
	round.Equal = r.now() - at
	r.fleet.judge()
}

// expect says which check is under way.
func (r *run) expect(c Check) {
	r.during(c)
	r.times[c]++
}

// attack follows the plan until its time is over.
func (r *run) attack(p Plan) (faults int) {
	from := r.now()
	for steps := p.Steps; ; {
		r.in.endDue()
		r.in.lookForEnded()
		now := r.now()
		for len(steps) > 0 && from+steps[0].At <= now {
			if r.in.begin(steps[0]) {
				faults++
			}
			steps = steps[1:]
		}
		if now >= from+p.Faults || r.Failed() {
			return faults
		}
		next := min(r.in.nextEnd(), from+p.Faults)
		if len(steps) > 0 {
			next = min(next, from+steps[0].At)
		}
		select {
		case <-r.ctx.Done():
			return faults
		case <-time.After(max(next-r.now(), time.Millisecond)):
		}
	}
}

// standing is longer than any wait for progress.
const standing = time.Hour

// stand ends all faults but one, from which a minority suffers, and demands that every client goes on: it
// can go to another server, or is told to.
func (r *run) stand(s Step) {
	r.expect(Progress)
	r.in.heal()
	s.For = standing
	if !r.in.begin(s) {
		return
	}
	if s.Kind == Narrow || s.Kind == Lossy {
		// The log may be more than the link takes. The server is late then, for as long as that lasts, and so are
		// its clients.
		r.fleet.awaitAll(r.e.Servers[s.Who])
		return
	}
	r.fleet.awaitAll()
}

// end examines what only shows when all clients have gone, and is what the run claims to be.
func (r *run) end() {
	if r.Failed() {
		return
	}
	r.ended = true
	r.fleet.end()
	r.expect(Digests)
	r.e.CompareDigests(r.e.Servers)
	r.expect(Leaks)
	r.awaitNoLeaks()
	r.expect(Lives)
	for _, s := range r.e.Servers {
		b, err := os.ReadFile(s.LogFile())
		if err != nil {
			r.Error(err)
		}
		for _, sign := range []string{"WARNING: DATA RACE", "panic: ", "fatal error: "} {
			if strings.Contains(string(b), sign) {
				r.Errorf("%v wrote %q", s, sign)
			}
		}
		s.Kill()
	}
	r.listener.heard.Wait()
	r.fleet.settle()
	r.fleet.finish()
	r.expect(Substance)
	r.substance()
}

// wreck is what there is to do when a promise was broken: what is known so far is judged, since the cause may show
// there, and what the servers wrote is kept.
func (r *run) wreck() {
	r.fleet.abandon()
	if !r.ended {
		for _, s := range r.e.Servers {
			s.Kill()
		}
		r.listener.heard.Wait()
		r.fleet.finish()
	}
	if !r.Failed() {
		return
	}
	for _, s := range r.e.Servers {
		b, err := os.ReadFile(s.LogFile())
		if err == nil {
			err = os.WriteFile(filepath.Join(r.opts.Out, fmt.Sprintf("server-%d.log", s.ID)), b, 0o644)
		}
		if err != nil {
			r.Error(err)
		}
	}
}
