package main

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"
)

// fanout is a set of sessions that all watch one znode, and one more that writes it.
type fanout struct {
	poll     *poller
	watchers []*client
	writer   *client
	path     string
}

// runFanout reports how long after a setData is sent the last of N watchers has its event.
func runFanout(ctx context.Context, s *server, o *options) (sample, error) {
	f, err := newFanout(s.addr, o.Watchers)
	if err != nil {
		return sample{}, fmt.Errorf("fan-out: %w", err)
	}
	defer f.close()
	h, cpu, err := f.measure(ctx, s, o.Time)
	if err != nil {
		return sample{}, fmt.Errorf("fan-out: %w", err)
	}
	return sample{Scenario: fmt.Sprintf("fan-out to %d watchers", o.Watchers), Server: s.kind.name, Values: map[metric]float64{
		mLastEventP50: micros(h.quantile(0.50)),
		mLastEventP99: micros(h.quantile(0.99)),
		mWatchCPU:     micros(cpu) / float64(h.count) / float64(o.Watchers),
	}}, nil
}

// measure warms the server up, then runs rounds for t, one at least.
func (f *fanout) measure(ctx context.Context, s *server, t time.Duration) (*hist, time.Duration, error) {
	for until := time.Now().Add(s.warmUp()); time.Now().Before(until); {
		if _, err := f.round(ctx); err != nil {
			return nil, 0, err
		}
	}
	h := new(hist)
	before, err := cpuTime(s.pid())
	if err != nil {
		return nil, 0, err
	}
	for until := time.Now().Add(t); time.Now().Before(until) || h.count == 0; {
		took, err := f.round(ctx)
		if err != nil {
			return nil, 0, err
		}
		h.record(int64(took))
	}
	after, err := cpuTime(s.pid())
	return h, after - before, err
}

func newFanout(addr string, watchers int) (*fanout, error) {
	f := &fanout{path: benchRoot + "/fanout"}
	var err error
	if f.writer, err = connect(addr, sessionTimeout); err != nil {
		return nil, err
	}
	if err = ensurePath(f.writer, f.path); err != nil {
		return nil, errors.Join(err, f.close())
	}
	if f.watchers, err = connectMany([]string{addr}, watchers, sessionTimeout); err != nil {
		return nil, errors.Join(err, f.close())
	}
	if f.poll, err = newPoller(); err != nil {
		return nil, errors.Join(err, f.close())
	}
	for i, c := range f.watchers {
		if err := errors.Join(syscall.SetNonblock(c.fd, true), f.poll.add(c.fd, i)); err != nil {
			return nil, errors.Join(err, f.close())
		}
	}
	return f, nil
}

func (f *fanout) close() error {
	if f.poll != nil {
		f.poll.close()
	}
	return errors.Join(closeAll(f.watchers), f.writer.closeSession())
}

// round sets a watch on every session, writes once and waits for every event. Setting the watches is
// not timed.
func (f *fanout) round(ctx context.Context) (time.Duration, error) {
	get := readFrame(opGetData, f.path, true)
	for _, c := range f.watchers {
		c.xid++
		c.out = appendFrame(c.out, get, c.xid)
		if err := c.send(); err != nil {
			return 0, err
		}
	}
	if err := f.await(ctx, func(c *client, b []byte) error {
		if getInt(b) != c.xid || getInt(b[12:]) != 0 {
			return fmt.Errorf("watch: reply with xid %d and code %d", getInt(b), getInt(b[12:]))
		}
		return nil
	}); err != nil {
		return 0, err
	}
	begin := time.Now()
	code, _, err := f.writer.call(setFrame(f.path, nil))
	if err != nil || code != 0 {
		return 0, errors.Join(fmt.Errorf("set: code %d", code), err)
	}
	err = f.await(ctx, func(_ *client, b []byte) error {
		if getInt(b) != xidNotification {
			return fmt.Errorf("frame with xid %d, want an event", getInt(b))
		}
		return nil
	})
	return time.Since(begin), err
}

// await takes one frame from each watcher.
func (f *fanout) await(ctx context.Context, check func(c *client, b []byte) error) error {
	left := len(f.watchers)
	limit := time.Now().Add(callTimeout)
	for left > 0 {
		events, err := f.poll.ready(pollMs)
		if err != nil {
			return err
		}
		for i := range events {
			c := f.watchers[events[i].Fd]
			if err := c.receive(); err != nil {
				return err
			}
			b, ok, err := c.in.next()
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			if len(b) < replyHeaderSize {
				return fmt.Errorf("frame of %d bytes", len(b))
			}
			if err := check(c, b); err != nil {
				return err
			}
			left--
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if time.Now().After(limit) {
			return fmt.Errorf("%d of %d watchers heard nothing in %v", left, len(f.watchers), callTimeout)
		}
	}
	return nil
}
