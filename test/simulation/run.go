package simulation

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"zkd/conf"
	"zkd/server"
	"zkd/test/oracle"
)

// clientPort of all servers.
const clientPort = 2181

// plan is what an ensemble is made of.
type plan struct {
	servers   int // voters
	observers int
	tick      time.Duration
	snapCount int
	trailing  uint64
	engine    string
	delay     time.Duration // of the network
	clients   int
	length    time.Duration // of the time with faults
	calm      time.Duration // in the middle of it, in which nothing new happens
	jumps     bool          // clocks are set to other times
	byFile    bool          // the zoo.cfg files decide about the members
}

// run is one run: an ensemble in a bubble with its clients and what becomes of them.
type run struct {
	seed  uint64
	plan  plan
	rand  *rand.Rand // of the driver alone
	net   *network
	dir   string
	began time.Time
	hosts []*host
	tasks sync.WaitGroup // everything that must have ended in the end

	history  *oracle.History
	sequence *oracle.Sequence
	load     *load          // nil before startLoad
	left     []func()       // how to end the faults that stand
	throws   uint64         // so far
	thrown   []string       // the faults that were to come, and when
	injected map[string]int // those that came
	rejoins  atomic.Int64
	ambushed atomic.Int64
	endings  atomic.Int64 // of servers, by themselves
	stats    oracle.Stats
	quiet    bool          // see scenario
	plain    bool          // see scenario
	lastID   int           // of hosts
	steady   chan struct{} // see changeMembers
	length   time.Duration // virtual, of the whole run

	mu      sync.Mutex
	log     bytes.Buffer // what the servers said, and what was done to them
	shown   io.Writer    // gets the same at once; nil: nobody does
	level   slog.Level
	failure error
	stuck   bool // goroutines are left: the bubble cannot end
}

// newRun makes an ensemble that is not started yet. It is called inside the bubble.
func newRun(seed uint64, dir string, p plan) *run {
	r := &run{
		seed: seed, plan: p, rand: rand.New(rand.NewPCG(seed, 1)), dir: dir, began: time.Now(), level: slog.LevelWarn,
		history: oracle.NewHistory(), sequence: oracle.NewSequence(), injected: map[string]int{}, steady: make(chan struct{}),
	}
	r.net = newNetwork(rand.New(rand.NewPCG(seed, 2)))
	if p.delay > 0 {
		r.net.quick = p.delay
	}
	r.lastID = p.servers + p.observers
	for id := 1; id <= r.lastID; id++ {
		r.hosts = append(r.hosts, r.newHost(id, id > p.servers))
	}
	return r
}

func (r *run) newHost(id int, observer bool) *host {
	h := &host{run: r, id: id}
	h.line = conf.Server{ID: int64(id), Observer: observer, Addrs: []conf.PeerAddr{{Host: hostIP(id).String(), QuorumPort: 2888, ElectionPort: 3888}}}
	if err := h.newDisk(); err != nil {
		r.failf("%v", err)
	}
	return h
}

// lines are the server lines of zoo.cfg.
func (r *run) lines() []conf.Server {
	var list []conf.Server
	for _, h := range r.hosts {
		list = append(list, h.line)
	}
	return list
}

// now is how much virtual time has passed.
func (r *run) now() time.Duration { return time.Since(r.began) }

// note writes down what happens, for those who want to know why a run failed.
func (r *run) note(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	line := fmt.Sprintf("%12.6f %s\n", r.now().Seconds(), fmt.Sprintf(format, args...))
	r.log.WriteString(line)
	if r.shown != nil {
		_, _ = io.WriteString(r.shown, line)
	}
}

// failf fails the run; the first reason counts.
func (r *run) failf(format string, args ...any) {
	r.note("FAILED: "+format, args...)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failure == nil {
		r.failure = fmt.Errorf("after %v: "+format, append([]any{r.now().Round(time.Millisecond)}, args...)...)
	}
}

func (r *run) failed() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failure
}

// logger is what a process writes its log to.
func (r *run) logger(p *process) *slog.Logger {
	return slog.New(slog.NewTextHandler(logWriter{r, p}, &slog.HandlerOptions{Level: r.level, ReplaceAttr: withoutTime})).With(slog.Int("server", p.host.id))
}

// withoutTime leaves out what the log has already.
func withoutTime(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

type logWriter struct {
	r *run
	p *process
}

// Write implements io.Writer.
func (w logWriter) Write(b []byte) (int, error) {
	if !w.p.dead.Load() {
		w.r.note("%s", bytes.TrimRight(b, "\n"))
	}
	return len(b), nil
}

// witness passes on what a process applies as long as it is alive. One that was killed may still apply what was never
// committed: the disk that it goes on writing to is not the one that counts.
type witness struct {
	p      *process
	stream *oracle.Stream
}

func (r *run) witness(p *process) server.Witness {
	return &witness{p, r.sequence.Stream(strconv.Itoa(p.host.id))}
}

// Applied implements server.Witness.
func (w *witness) Applied(a *server.Applied) {
	if !w.p.dead.Load() {
		w.stream.Applied(a)
	}
}

// Restored implements server.Witness.
func (w *witness) Restored(zxid int64) {
	if !w.p.dead.Load() {
		w.stream.Restored(zxid)
	}
}

// await waits until cond holds. It looks every so often and gives up after a time.
func (r *run) await(limit time.Duration, cond func() bool) bool {
	for end := time.Now().Add(limit); !cond(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

// leader returns the server that leads by its own account, of several the one of the newest term, nil if none does.
func (r *run) leader() (leader *host) {
	term := uint64(0)
	for _, h := range r.hosts {
		if s := h.server(); s != nil {
			if st, ok := s.Status(); ok && st.Role == "leader" && st.Term >= term {
				leader, term = h, st.Term
			}
		}
	}
	return leader
}
