package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// load is a set of sessions under drivers, from start to finish. The zero phase is phaseWarm.
type load struct {
	clients []*client
	drivers []*driver
	stop    atomic.Bool
	phase   atomic.Int32
	running sync.WaitGroup
	mu      sync.Mutex
	err     error         // first error of a driver; guarded by mu
	ended   chan struct{} // closed when every driver has returned
}

// startLoad opens sessions and drives them from so many threads until finish. Sessions are spread
// evenly over the addresses and over the threads.
func startLoad(ctx context.Context, addrs []string, sessions, depth, threads int, src func(session int) source) (*load, error) {
	clients, err := connectMany(addrs, sessions, sessionTimeout)
	if err != nil {
		return nil, err
	}
	l := &load{clients: clients, ended: make(chan struct{})}
	threads = min(threads, sessions)
	for t := range threads {
		var cs []*client
		var srcs []source
		for i := t; i < sessions; i += threads {
			cs = append(cs, clients[i])
			srcs = append(srcs, src(i))
		}
		d, err := newDriver(cs, srcs, depth, &l.stop, &l.phase)
		if err != nil {
			for _, d := range l.drivers {
				d.poll.close()
			}
			dropAll(clients)
			return nil, err
		}
		l.drivers = append(l.drivers, d)
	}
	// A driver holds its processor while it waits (see poller.ready); the coordinator needs another.
	runtime.GOMAXPROCS(max(runtime.NumCPU(), threads+1))
	for _, d := range l.drivers {
		l.running.Go(func() { l.drive(ctx, d) })
	}
	go func() { l.running.Wait(); close(l.ended) }()
	return l, nil
}

func (l *load) drive(ctx context.Context, d *driver) {
	if err := d.run(ctx); err != nil {
		l.stop.Store(true)
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.err == nil {
			l.err = err
		}
	}
}

// sleep lets the load run; an early end of it is an error.
func (l *load) sleep(t time.Duration) error {
	select {
	case <-time.After(t):
		return nil
	case <-l.ended:
		return errors.Join(l.firstError(), errors.New("load ended early"))
	}
}

func (l *load) firstError() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// replies counts all replies so far and the reads that brought them.
func (l *load) replies() (n, reads uint64) {
	for _, d := range l.drivers {
		n += d.done.Load()
		reads += d.reads.Load()
	}
	return n, reads
}

// finish stops sending, waits for what is outstanding and closes the sessions.
func (l *load) finish() error {
	l.stop.Store(true)
	return l.wait()
}

// wait waits until every source is dry, then closes the sessions.
func (l *load) wait() error {
	<-l.ended
	if err := l.firstError(); err != nil {
		dropAll(l.clients)
		return err
	}
	if err := closeAll(l.clients); err != nil {
		return fmt.Errorf("after the load: %w", err)
	}
	return nil
}

// latencies merges one phase of all drivers; only after finish or wait.
func (l *load) latencies(phase int32) *hist {
	all := new(hist)
	for _, d := range l.drivers {
		all.add(d.hists[phase])
	}
	return all
}
