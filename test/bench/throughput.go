package main

import (
	"context"
	"fmt"
	"time"
)

// scenario is one line of the report: a workload under a number of sessions and outstanding requests.
type scenario struct {
	workload workload
	sessions int
	depth    int
}

func (s scenario) name() string {
	return fmt.Sprintf("%s %d×%d", s.workload.name, s.sessions, s.depth)
}

// window is what is read at both ends of a measurement.
type window struct {
	at      time.Time
	replies uint64
	reads   uint64
	server  time.Duration // CPU
	own     time.Duration // CPU of the generator
}

func (l *load) look(s *server) (window, error) {
	cpu, err := cpuTime(s.pid())
	replies, reads := l.replies()
	return window{at: time.Now(), replies: replies, reads: reads, server: cpu, own: ownCPU()}, err
}

// runScenario warms the server up, measures for o.Time and returns one sample.
func runScenario(ctx context.Context, s *server, sc scenario, o *options, run int) (sample, error) {
	w := o.params(sc, run)
	if err := prepare(s, sc.workload, w); err != nil {
		return sample{}, fmt.Errorf("%s: prepare: %w", sc.name(), err)
	}
	l, err := startLoad(ctx, s.addr, sc.sessions, sc.depth, o.Threads, sc.workload.sources(w))
	if err != nil {
		return sample{}, fmt.Errorf("%s: %w", sc.name(), err)
	}
	before, after, err := l.measure(s, o.Time)
	if ferr := l.finish(); ferr != nil {
		err = ferr
	}
	if err != nil {
		return sample{}, fmt.Errorf("%s: %w", sc.name(), err)
	}
	return throughputSample(sc.name(), s.kind.name, before, after, l.latencies(phaseA)), nil
}

func prepare(s *server, w workload, p workloadParams) error {
	c, err := connect(s.addr, sessionTimeout)
	if err != nil {
		return err
	}
	if err := w.prepare(c, p); err != nil {
		c.drop()
		return err
	}
	return c.closeSession()
}

// measure lets the load warm the server up, then opens the window for t.
func (l *load) measure(s *server, t time.Duration) (before, after window, err error) {
	if err = l.sleep(s.warmUp()); err != nil {
		return
	}
	l.phase.Store(phaseA)
	if before, err = l.look(s); err != nil {
		return
	}
	if err = l.sleep(t); err != nil {
		return
	}
	after, err = l.look(s)
	l.phase.Store(phaseWarm)
	return
}

func throughputSample(name, server string, before, after window, h *hist) sample {
	ops := float64(max(after.replies-before.replies, 1))
	seconds := after.at.Sub(before.at).Seconds()
	return sample{Scenario: name, Server: server, Values: map[metric]float64{
		mThroughput: ops / seconds,
		mP50:        micros(h.quantile(0.50)),
		mP99:        micros(h.quantile(0.99)),
		mP999:       micros(h.quantile(0.999)),
		mServerCPU:  micros(after.server-before.server) / ops,
		mOwnCPU:     micros(after.own-before.own) / ops,
		mBatch:      ops / float64(max(after.reads-before.reads, 1)),
		mServerLoad: (after.server - before.server).Seconds() / seconds,
	}}
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
