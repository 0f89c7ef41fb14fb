package ensemble

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"zkd/test/wire"
)

// LoadOptions say what clients do. The zero value is the load of most scenarios.
type LoadOptions struct {
	Clients int           // 0 is 50
	Pause   time.Duration // between a client's writes; 0 is 10 ms
	Timeout time.Duration // of sessions; 0 is 20 s
	Homes   []*Server     // whom the clients are spread over; nil is all
	Stay    bool          // clients only ever go to their home
	Depth   int           // writes that each client has in flight; 0 is 1
	From    *Space        // where the clients are; nil is beside the server that is the home of each
}

// Load is a set of clients that write, one write after another, and write down what they were told.
type Load struct {
	e       *Ensemble
	t       testing.TB
	opts    LoadOptions
	began   time.Time
	workers []*worker
	stop    chan struct{}
	all     sync.WaitGroup
	acked   atomic.Int64
	root    string
}

// worker is one client. Its writes go round: its own counter, a counter of five, a sequential create. It has an
// ephemeral, which must be there to the end.
type worker struct {
	*Session
	load *Load
	i, n int
	home *Server

	own, shared, parent string
	versions            map[string]int32 // as far as the worker knows

	mu     sync.Mutex // guards writes
	writes []Write
	err    error // why it stopped before it was told to
}

var loads atomic.Int64

// StartLoad lets clients write until Stop.
func (e *Ensemble) StartLoad(o LoadOptions) *Load {
	e.t.Helper()
	if o.Clients == 0 {
		o.Clients = 50
	}
	if o.Pause == 0 {
		o.Pause = 10 * time.Millisecond
	}
	if o.Timeout == 0 {
		o.Timeout = 20 * time.Second
	}
	if o.Homes == nil {
		o.Homes = slices.Clone(e.Servers)
	}
	l := &Load{e: e, t: e.t, opts: o, stop: make(chan struct{}), root: fmt.Sprintf("/load%d", loads.Add(1))}
	setup := Open(e.t, o.Timeout, o.Homes...)
	for _, p := range []string{l.root, l.root + "/own", l.root + "/shared", l.root + "/seq", l.root + "/eph"} {
		setup.Create(p, nil)
	}
	for i := range o.Clients {
		w := l.newWorker(i)
		for _, p := range []string{w.own, w.shared, w.parent} {
			setup.Create(p, nil)
		}
		l.workers = append(l.workers, w)
	}
	setup.Close()
	var ready sync.WaitGroup
	for _, w := range l.workers {
		ready.Go(func() {
			if _, err := w.Call(wire.OpSync, wire.Path("/")); err == nil {
				w.CreateEphemeral(w.eph(), nil)
			}
		})
	}
	ready.Wait()
	l.began = time.Now()
	for _, w := range l.workers {
		if o.Depth > 1 {
			l.all.Go(w.dive)
		} else {
			l.all.Go(w.run)
		}
	}
	e.t.Cleanup(l.halt)
	return l
}

func (l *Load) newWorker(i int) *worker {
	homes := l.opts.Homes
	home := homes[i%len(homes)]
	// Each client has its home first and the others in a turn of its own, so that those of a dead server spread.
	servers := []*Server{home}
	if !l.opts.Stay {
		at := (i / len(homes)) % len(homes)
		for j := range homes {
			if s := homes[(at+j)%len(homes)]; s != home {
				servers = append(servers, s)
			}
		}
	}
	w := &worker{
		Session: newSession(l.t, l.opts.Timeout, servers...), load: l, i: i, home: home,
		own:      fmt.Sprintf("%s/own/%d", l.root, i),
		shared:   fmt.Sprintf("%s/shared/%d", l.root, i/5),
		parent:   fmt.Sprintf("%s/seq/%d", l.root, i),
		versions: map[string]int32{},
	}
	if w.from = l.opts.From; w.from == nil {
		w.from = home.space
	}
	return w
}

func (w *worker) eph() string { return fmt.Sprintf("%s/eph/%d", w.load.root, w.i) }

func (w *worker) run() {
	for w.n = 1; ; w.n++ {
		select {
		case <-w.load.stop:
			return
		case <-time.After(w.load.opts.Pause):
		}
		if err := w.step(w.n % 3); err != nil {
			w.err = err
			return
		}
	}
}

// step makes one write, and learns the version of a counter again when it was refused or nobody knows. A write for
// which no server was found, or whose session was refused at the door, was never sent and is none.
func (w *worker) step(turn int) error {
	var wr Write
	var op wire.Op
	var body wire.Body
	switch turn {
	case 0:
		wr, op, body = w.increment(w.own)
	case 1:
		wr, op, body = w.increment(w.shared)
	default:
		wr, op, body = w.append()
	}
	wr.Call = time.Since(w.load.began)
	r, err := w.Call(op, body)
	wr.Return = time.Since(w.load.began)
	switch {
	case errors.Is(err, errNoServer), errors.Is(err, ErrExpired):
		select {
		case <-w.load.stop:
			return nil
		default:
			return err
		}
	case err != nil:
		wr.Outcome = Unknown
	case r.Err == 0:
		wr.Zxid = r.Zxid
		if wr.Kind == Append {
			wr.Path = *r.Path
		} else {
			wr.Version = r.Stat.Version
			w.versions[wr.Key] = wr.Version
		}
		w.load.acked.Add(1)
	case r.Err == wire.CodeBadVersion && wr.Kind == Increment:
		wr.Outcome = Refused
	default:
		wr.Outcome = Refused
		w.note(wr)
		return fmt.Errorf("%s: %v", wr.Mark(), r.Err)
	}
	w.note(wr)
	if wr.Outcome != Acknowledged && wr.Kind == Increment {
		return w.learn(wr.Key)
	}
	return nil
}

func (w *worker) increment(key string) (Write, wire.Op, wire.Body) {
	wr := Write{Worker: w.i, N: w.n, Kind: Increment, Key: key, Expect: w.versions[key], Alone: key == w.own}
	return wr, wire.OpSetData, wire.SetData{Path: key, Data: []byte(wr.Mark()), Version: wr.Expect}
}

func (w *worker) append() (Write, wire.Op, wire.Body) {
	wr := Write{Worker: w.i, N: w.n, Kind: Append, Key: w.parent}
	return wr, wire.OpCreate, wire.Create{Path: w.parent + "/n", Data: []byte(wr.Mark()), ACL: wire.OpenACL, Flags: 2}
}

func (w *worker) note(wr Write) {
	w.mu.Lock()
	w.writes = append(w.writes, wr)
	w.mu.Unlock()
}

// learn reads the version of a counter, with all that was written before.
func (w *worker) learn(key string) error {
	for {
		_, err := w.Call(wire.OpSync, wire.Path(key))
		if err == nil {
			var r *wire.Reply
			if r, err = w.Call(wire.OpGetData, wire.PathWatch{Path: key}); err == nil {
				if r.Err != 0 {
					return fmt.Errorf("read %s: %v", key, r.Err)
				}
				w.versions[key] = r.Stat.Version
				return nil
			}
		}
		if !errors.Is(err, ErrLost) {
			select {
			case <-w.load.stop:
				return nil
			default:
				return err
			}
		}
	}
}

// Acked is the number of acknowledged writes so far.
func (l *Load) Acked() int64 { return l.acked.Load() }

// Now is the history's time.
func (l *Load) Now() time.Duration { return time.Since(l.began) }

// Await waits for so many more acknowledged writes.
func (l *Load) Await(more int64) {
	l.t.Helper()
	want := l.Acked() + more
	Await(l.t, fmt.Sprintf("%d more acknowledged writes", more), func() bool { return l.Acked() >= want })
}

// AwaitAll waits until every client, or every one that the filter takes, had a write acknowledged after now.
func (l *Load) AwaitAll(take func(home *Server) bool) {
	l.t.Helper()
	since := l.Now()
	for _, w := range l.workers {
		if take != nil && !take(w.home) {
			continue
		}
		Await(l.t, fmt.Sprintf("client %d of %v writes again", w.i, w.home), func() bool {
			return w.ackedAfter(since) || w.Over()
		})
	}
}

func (w *worker) ackedAfter(since time.Duration) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := len(w.writes) - 1; i >= 0 && w.writes[i].Return > since; i-- {
		if w.writes[i].Outcome == Acknowledged && w.writes[i].Call >= since {
			return true
		}
	}
	return false
}

// Halt ends the clients' writing, so that loads that run side by side end before either is compared.
func (l *Load) Halt() { l.halt() }

// Root is the znode below which the clients write.
func (l *Load) Root() string { return l.root }

// halt ends the clients' writing.
func (l *Load) halt() {
	select {
	case <-l.stop:
	default:
		close(l.stop)
	}
	l.all.Wait()
}

// History is what all clients have noted so far.
func (l *Load) History() (all []Write) {
	for _, w := range l.workers {
		w.mu.Lock()
		all = append(all, w.writes...)
		w.mu.Unlock()
	}
	return all
}

// Settle sends every client back to its home, as if it had come just now, until all write there.
func (l *Load) Settle() {
	l.t.Helper()
	Await(l.t, "every client writes at its home", func() bool {
		for _, w := range l.workers {
			w.goHome(w.home)
		}
		l.AwaitAll(nil)
		for _, w := range l.workers {
			if w.Home() != w.home {
				return false
			}
		}
		return true
	})
}

// Stop ends the writing and compares what is there with what was promised, on all servers or on some. The clients'
// sessions must all have lived to the end.
func (l *Load) Stop(servers ...*Server) {
	l.t.Helper()
	l.halt()
	for _, w := range l.workers {
		if w.err != nil {
			l.t.Errorf("client %d of %v gave up: %v", w.i, w.home, w.err)
			continue
		}
		for _, err := range w.Errs() {
			l.t.Error(err)
		}
		if stat := w.Exists(w.eph()); stat == nil || stat.EphemeralOwner != w.ID() {
			l.t.Errorf("the ephemeral of client %d (session %#x): %+v", w.i, w.ID(), stat)
		}
	}
	tree := l.e.CompareReplicas(servers...)
	l.verify(tree)
	var ended sync.WaitGroup
	for _, w := range l.workers {
		ended.Go(w.Close)
	}
	ended.Wait()
	after := Open(l.t, l.opts.Timeout, l.opts.Homes...)
	defer after.Close()
	after.Sync()
	if left := after.Must(wire.OpGetChildren, wire.PathWatch{Path: l.root + "/eph"}).Names; len(left) > 0 {
		l.t.Errorf("ephemerals %v have outlived their sessions", left)
	}
}

func (l *Load) verify(tree Tree) {
	l.t.Helper()
	var counters, parents []string
	for _, w := range l.workers {
		counters = append(counters, w.own)
		if w.i%5 == 0 {
			counters = append(counters, w.shared)
		}
		parents = append(parents, w.parent)
	}
	history := l.History()
	errs := Check(history, pick(tree, counters, parents))
	for i, err := range errs {
		if i == 20 {
			l.t.Errorf("and %d more", len(errs)-i)
			break
		}
		l.t.Error(err)
	}
	var acked, unknown int
	for _, w := range history {
		switch w.Outcome {
		case Acknowledged:
			acked++
		case Unknown:
			unknown++
		}
	}
	l.t.Logf("%d writes acknowledged, %d of unknown outcome, in %.1f s", acked, unknown, l.Now().Seconds())
	if acked == 0 {
		l.t.Error("nothing was written: the scenario shows nothing")
	}
}
