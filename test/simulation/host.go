package simulation

import (
	"context"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"zkd/conf"
	"zkd/consensus"
	"zkd/consensus/store"
	"zkd/server"
)

// host is a machine with a server on it: its disk outlives the processes.
type host struct {
	run  *run
	id   int
	line conf.Server   // of zoo.cfg
	file []conf.Server // what zoo.cfg lists, nil for the lines of all hosts
	disk *disk
	skew atomic.Int64 // of its wall clock, ns

	mu    sync.Mutex // held for no wait
	proc  *process   // nil while none runs
	lives int
	wiped int // how many disks it has lost
}

// newDisk gives the host an empty disk.
func (h *host) newDisk() (err error) {
	folder := strconv.Itoa(h.id)
	if h.wiped > 0 {
		folder += "-" + strconv.Itoa(h.wiped)
	}
	h.disk, err = newDisk(filepath.Join(h.run.dir, folder), rand.New(rand.NewPCG(h.run.seed, 100+uint64(h.id)+1000*uint64(h.wiped))))
	return err
}

// process is one process of a host, from its start until it has ended, was killed, or lost its power.
type process struct {
	host   *host
	nic    *nic
	view   *view // of the disk
	cancel context.CancelFunc
	dead   atomic.Bool // it was killed: what it still does counts for nothing
	told   atomic.Bool // to stop

	mu  sync.Mutex
	srv *server.Server // nil while there is none
	end chan struct{}  // closed when it has ended
}

// start starts a process on a host that has none.
func (h *host) start() {
	h.mu.Lock()
	defer h.mu.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	p := &process{host: h, nic: h.run.net.attach(h.id), view: h.disk.now(), cancel: cancel, end: make(chan struct{})}
	h.proc = p
	h.lives++
	h.run.tasks.Go(func() {
		defer close(p.end)
		for p.again(ctx, p.serve(ctx)) {
		}
	})
}

// supervision is how long it takes to have a process that ended by itself started again.
const supervision = 5 * time.Second

// again does what looks after servers: it waits a while, and tells whether the process is to be started again.
func (p *process) again(ctx context.Context, err error) bool {
	h := p.host
	h.mu.Lock()
	p.nic.kill(true)
	h.mu.Unlock()
	if err == nil || ctx.Err() != nil {
		return false
	}
	h.run.note("server %d has ended by itself: %v", h.id, err)
	h.run.endings.Add(1)
	select {
	case <-ctx.Done():
		return false
	case <-time.After(supervision):
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if ctx.Err() != nil {
		return false
	}
	p.nic = h.run.net.attach(h.id)
	return true
}

// serve does what cmd/zkd does: it runs servers until one ends for good.
func (p *process) serve(ctx context.Context) error {
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 10*time.Second) {
		began := time.Now()
		err := p.serveOnce(ctx)
		if ctx.Err() != nil || !errors.Is(err, consensus.ErrRejoin) && !errors.Is(err, store.ErrRestart) {
			return err
		}
		p.host.run.note("server %d joins anew: %v", p.host.id, err)
		p.host.run.rejoins.Add(1)
		if time.Since(began) > time.Minute {
			pause = 100 * time.Millisecond
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}

// stopTime is how long a server that was told to stop may take for it, as in cmd/zkd.
const stopTime = 4 * time.Second

func (p *process) serveOnce(ctx context.Context) error {
	h := p.host
	w := server.World{
		Listen: p.nic.Listen, Dial: p.nic.Dial, Disk: p.view, Trailing: h.run.plan.trailing,
		Now:     func() time.Time { return time.Now().Add(time.Duration(h.skew.Load())) },
		Witness: h.run.witness(p),
	}
	s, err := p.unlessTold(ctx, func() (*server.Server, error) {
		return server.StartIn(ctx, h.config(p.view.root), h.run.logger(p), w)
	})
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	p.mu.Lock()
	p.srv = s
	p.mu.Unlock()
	select {
	case err = <-s.Failed():
	case <-ctx.Done():
	}
	p.mu.Lock()
	p.srv = nil
	p.mu.Unlock()
	down, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	return errors.Join(err, s.Shutdown(down))
}

// unlessTold starts a server as cmd/zkd does: a process that is told to stop ends, whatever its start hangs in.
func (p *process) unlessTold(ctx context.Context, start func() (*server.Server, error)) (*server.Server, error) {
	started := make(chan struct{})
	var now *server.Server
	var failed error
	p.host.run.tasks.Go(func() {
		now, failed = start()
		close(started)
	})
	select {
	case <-started:
		return now, failed
	case <-ctx.Done():
	}
	select {
	case <-started:
		return now, failed
	case <-time.After(stopTime):
	}
	p.host.mu.Lock()
	if p.host.proc == p {
		p.host.dieLocked(killed)
	}
	p.host.mu.Unlock()
	p.host.run.tasks.Go(func() { // what is left of it must end for the bubble to end
		<-started
		if now != nil {
			_ = now.Shutdown(context.Background())
		}
	})
	return nil, ctx.Err()
}

// longestSession is the timeout that no session exceeds, in ticks.
const longestSession = 20

func (h *host) config(dir string) *conf.Config {
	cfg := conf.Default()
	plan := &h.run.plan
	cfg.ServerID, cfg.ClientAddr = int64(h.id), address(h.id, clientPort)
	cfg.DataDir = filepath.Join(dir, "data")
	cfg.DataLogDir, cfg.LogStore, cfg.MaxClientCnxns = cfg.DataDir, plan.engine, 0
	cfg.TickTime, cfg.InitLimit, cfg.SyncLimit, cfg.PeerDialTimeout = plan.tick, 10, syncLimit, max(time.Second, 20*plan.delay)
	cfg.MinSessionTimeout, cfg.MaxSessionTimeout = 2*plan.tick, longestSession*plan.tick
	cfg.SnapCount, cfg.ReconfigEnabled, cfg.SkipACL = plan.snapCount, true, true
	cfg.ExtendedTypesEnabled = true
	if plan.servers > 1 {
		cfg.StandaloneEnabled = false
		cfg.Servers, cfg.MembershipByFile = h.run.lines(), plan.byFile
		if h.file != nil {
			cfg.Servers = h.file
		}
	}
	return cfg
}

// process is the one that runs, or has ended by itself; nil if there is none.
func (h *host) process() *process {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.proc
}

// server returns the server that runs, nil if none has come up.
func (h *host) server() *server.Server {
	p := h.process()
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.srv
}

// running tells whether a process is there that has not ended.
func (h *host) running() bool {
	p := h.process()
	if p == nil {
		return false
	}
	select {
	case <-p.end:
		return false
	default:
		return true
	}
}

// tellToStop has the process end in good order.
func (h *host) tellToStop() {
	if p := h.process(); p != nil {
		p.told.Store(true)
		p.cancel()
	}
}

// stopping tells whether the process was told to stop and is still there.
func (h *host) stopping() bool {
	p := h.process()
	return p != nil && p.told.Load() && h.running()
}

// stop ends the process in good order, and waits for it.
func (h *host) stop() {
	p := h.process()
	if p == nil {
		return
	}
	p.cancel()
	<-p.end
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.proc == p {
		h.proc = nil
	}
}

// how a process is killed.
type death uint8

const (
	killed   death = iota // what it has written stays in the page cache
	powerOff              // what it has not synced may be gone
)

// kill ends the process at this instant. What goes on of it can be seen by nobody. It may be called by the process itself.
func (h *host) kill(d death) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.proc != nil {
		h.dieLocked(d)
	}
}

func (h *host) dieLocked(d death) {
	p := h.proc
	p.dead.Store(true)
	p.nic.kill(d == killed)
	if err := h.disk.die(d); err != nil {
		h.run.failf("server %d: %v", h.id, err)
	}
	p.cancel()
	h.proc = nil
}

func (d death) String() string {
	if d == powerOff {
		return "power loss"
	}
	return "killed"
}

// syncLimit is for how many ticks a server serves without hearing of a leader.
const syncLimit = 5
