package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"syscall"
	"time"
)

// scenario is one line of the report: a workload under a number of sessions and outstanding requests.
type scenario struct {
	workload workload
	sessions int
	depth    int
	at       place
}

// place is which servers of an ensemble the sessions are on.
type place string

const (
	everywhere  place = ""
	atLeader    place = "leader"
	atFollowers place = "follower"
)

func (s scenario) name() string {
	name := fmt.Sprintf("%s %d×%d", s.workload.name, s.sessions, s.depth)
	if s.at != everywhere {
		name += " on " + string(s.at)
	}
	return name
}

// on is the same scenario in another place.
func (s scenario) on(p place) scenario {
	s.at = p
	return s
}

// servers of a place.
func (p place) servers(e *ensemble, leader *server) (addrs []string) {
	for _, s := range e.servers {
		if p == everywhere || (p == atLeader) == (s == leader) {
			addrs = append(addrs, s.addr)
		}
	}
	return addrs
}

// window is what is read at both ends of a measurement.
type window struct {
	at      time.Time
	replies uint64
	reads   uint64
	server  time.Duration // CPU, of all servers
	own     time.Duration // CPU of the generator
	disk    diskUse
}

func (l *load) look(e *ensemble) (window, error) {
	all, err := e.cpu()
	var cpu time.Duration
	for _, t := range all {
		cpu += t
	}
	replies, reads := l.replies()
	return window{at: time.Now(), replies: replies, reads: reads, server: cpu, own: ownCPU()}, err
}

// runScenario warms the servers up, measures for o.Time and returns one sample.
func runScenario(ctx context.Context, e *ensemble, sc scenario, o *options, run int) (sample, error) {
	one, err := measureScenario(ctx, e, sc, o, run)
	if err != nil {
		return sample{}, fmt.Errorf("%s: %w", e.name(sc.name()), err)
	}
	return one, nil
}

func measureScenario(ctx context.Context, e *ensemble, sc scenario, o *options, run int) (sample, error) {
	w := o.params(sc, run)
	leader, err := e.leader()
	if err != nil {
		return sample{}, err
	}
	if err := prepare(leader.addr, sc.workload, w); err != nil {
		return sample{}, fmt.Errorf("prepare: %w", err)
	}
	if err := e.settle(); err != nil {
		return sample{}, err
	}
	l, err := startLoad(ctx, sc.at.servers(e, leader), sc.sessions, sc.depth, o.Threads, sc.workload.sources(w))
	if err != nil {
		return sample{}, err
	}
	before, after, err := l.measure(e, o.Time, func() (func() error, error) { return startProfile(e, sc.name(), o) })
	if ferr := l.finish(); ferr != nil {
		err = ferr
	}
	if err != nil {
		return sample{}, err
	}
	one := throughputSample(e.name(sc.name()), e.kind.name, before, after, l.latencies(phaseA))
	if after.own-before.own >= time.Duration(float64(len(l.drivers))*generatorBusy*float64(after.at.Sub(before.at))) {
		one.Note = "the generator had no time left: a server may do more than this"
	}
	if sc.workload.durable && len(e.servers) == 1 {
		request := len(sc.workload.sources(w)(0).next(nil, 1))
		if err := besidePlainLoop(one, request, e.servers[0].dir, o.Time/plainLoopShare); err != nil {
			return sample{}, err
		}
	}
	now, err := e.leader()
	if err == nil && now != leader {
		one.Note = "the leader changed during a measurement"
	}
	return one, err
}

// generatorBusy is the share of its threads' time from which the generator is what limits a figure.
const generatorBusy = 0.9

// plainLoopShare: the plain loop beside a measurement is shorter by this.
const plainLoopShare = 3

func prepare(addr string, w workload, p workloadParams) error {
	c, err := connect(addr, sessionTimeout)
	if err != nil {
		return err
	}
	if err := w.prepare(c, p); err != nil {
		c.drop()
		return err
	}
	return c.closeSession()
}

// measure lets the load warm the servers up, then opens the window for t. Profiles are taken of the
// window alone.
func (l *load) measure(e *ensemble, t time.Duration, profile func() (stop func() error, err error)) (before, after window, err error) {
	if err = l.sleep(e.warmUp()); err != nil {
		return
	}
	stop, err := profile()
	if err != nil {
		return
	}
	defer func() { err = errors.Join(err, stop()) }()
	disk, err := e.disk()
	if err != nil {
		return
	}
	l.phase.Store(phaseA)
	if before, err = l.look(e); err != nil {
		return
	}
	before.disk = disk
	if err = l.sleep(t); err != nil {
		return
	}
	if after, err = l.look(e); err != nil {
		return
	}
	l.phase.Store(phaseWarm)
	after.disk, err = e.disk()
	return
}

func throughputSample(name, server string, before, after window, h *hist) sample {
	ops := float64(max(after.replies-before.replies, 1))
	seconds := after.at.Sub(before.at).Seconds()
	values := map[metric]float64{
		mThroughput: ops / seconds,
		mP50:        micros(h.quantile(0.50)),
		mP99:        micros(h.quantile(0.99)),
		mP999:       micros(h.quantile(0.999)),
		mMax:        micros(time.Duration(h.max)),
		mServerCPU:  micros(after.server-before.server) / ops,
		mOwnCPU:     micros(after.own-before.own) / ops,
		mBatch:      ops / float64(max(after.reads-before.reads, 1)),
		mServerLoad: (after.server - before.server).Seconds() / seconds,
	}
	maps.Copy(values, after.disk.values(before.disk, ops/seconds))
	return sample{Scenario: name, Server: server, Values: values}
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// ownCPU is what the generator itself has used.
func ownCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
