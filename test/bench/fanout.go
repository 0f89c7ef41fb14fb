package main

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"zkd/test/proc"
)

const (
	// fanoutBatch is the watches a session asks for at a time; fanoutWindow the writes under way.
	fanoutBatch  = 100
	fanoutWindow = 256
	// fanoutMin is the time measured, at least: a round on 10,000 sessions takes a good part of a second.
	fanoutMin = 3 * time.Second
	// Of many znodes, each has so many watchers, which are spread over so many sessions.
	fanoutEach     = 10
	fanoutSessions = 100
)

// crowd says who watches what: sessions × watches, of znodes that each have as many watchers as any other.
type crowd struct {
	name              string
	znodes            int
	sessions, watches int // watches: of each session
}

// crowds are one znode with n watchers, each in a session of its own, and n znodes with ten watchers each
// on fewer sessions; n is a multiple of these.
func crowds(n int) []crowd {
	return []crowd{
		{fmt.Sprintf("fan-out of 1 znode to %d watchers", n), 1, n, 1},
		{fmt.Sprintf("fan-out of %d znodes to %d watchers each", n, fanoutEach), n, fanoutSessions, n * fanoutEach / fanoutSessions},
	}
}

// watched is the znode that is the i-th watch of a session.
func (c crowd) watched(session, i int) int { return (session*c.watches + i) % c.znodes }

func (c crowd) events() int { return c.sessions * c.watches }

// fanout is a crowd connected to a server, and one more session that writes. Thousands of sessions share
// one buffer to read into.
type fanout struct {
	crowd
	poll     *poller
	watchers []*watcher // the poller's ids; the last one writes
	writer   *watcher
	in       frames // lent to whoever reads
	get, set [][]byte
}

type watcher struct {
	*client
	rest []byte // of a frame that has not come whole
}

// runFanout reports how long after the first setData is sent the last of all events has come.
func runFanout(ctx context.Context, e *ensemble, o *options) (all []sample, err error) {
	for _, c := range crowds(o.Watchers) {
		one, err := runCrowd(ctx, e.servers[0], c, o)
		if err != nil {
			return all, fmt.Errorf("%s: %w", c.name, err)
		}
		all = append(all, one)
	}
	return all, nil
}

func runCrowd(ctx context.Context, s *server, c crowd, o *options) (sample, error) {
	f, err := newFanout(s.addr, c)
	if err != nil {
		return sample{}, err
	}
	h, cpu, err := f.measure(ctx, s, max(o.Time, fanoutMin))
	if err := errors.Join(err, f.close()); err != nil {
		return sample{}, err
	}
	note := fmt.Sprintf("%d sessions with %d watch(es) each; watches are set anew for each round, which is not timed; one session writes, at most %d writes under way",
		c.sessions, c.watches, fanoutWindow)
	return sample{Scenario: c.name, Server: s.kind.name, Note: note, Values: map[metric]float64{
		mLastEventP50: micros(h.quantile(0.50)),
		mLastEventP99: micros(h.quantile(0.99)),
		mWatchCPU:     micros(cpu) / float64(h.count) / float64(c.events()),
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
	before, err := proc.CPU(s.pid())
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
	after, err := proc.CPU(s.pid())
	return h, after - before, err
}

func newFanout(addr string, c crowd) (f *fanout, err error) {
	if err := raiseFileLimit(c.sessions); err != nil {
		return nil, err
	}
	f = &fanout{crowd: c}
	f.in.buf = make([]byte, 4*readBufferSize)
	for i := range c.znodes {
		path := c.path(i)
		f.get, f.set = append(f.get, readFrame(opGetData, path, true)), append(f.set, setFrame(path, nil))
	}
	cs, err := connectMany([]string{addr}, c.sessions+1, sessionTimeout)
	if err != nil {
		return nil, err
	}
	for _, c := range cs {
		f.watchers = append(f.watchers, &watcher{client: c})
	}
	f.writer = f.watchers[c.sessions]
	if err := c.ensure(f.writer.client); err != nil {
		return nil, errors.Join(err, f.close())
	}
	if f.poll, err = newPoller(); err != nil {
		return nil, errors.Join(err, f.close())
	}
	for i, w := range f.watchers {
		if err := errors.Join(syscall.SetNonblock(w.fd, true), f.poll.add(w.fd, i)); err != nil {
			return nil, errors.Join(err, f.close())
		}
	}
	return f, nil
}

// parent is above a crowd's znodes, path the i-th of them.
func (c crowd) parent() string    { return fmt.Sprintf("%s/fanout-%d", benchRoot, c.znodes) }
func (c crowd) path(i int) string { return fmt.Sprintf("%s/z%05d", c.parent(), i) }

// ensure creates the znodes, a thousand a multi. A server sees a crowd once.
func (c crowd) ensure(by *client) error {
	if err := ensurePath(by, c.parent()); err != nil {
		return err
	}
	const batch = 1000
	for from := 0; from < c.znodes; from += batch {
		to := min(from+batch, c.znodes)
		code, body, err := by.call(frame(opMulti, func(b []byte) []byte {
			for i := from; i < to; i++ {
				b = createBody(appendMultiHeader(b, opCreate, false), c.path(i), nil, flagPersistent)
			}
			return appendMultiHeader(b, -1, true)
		}))
		if err == nil && code != 0 {
			err = fmt.Errorf("code %d", code)
		}
		if err == nil {
			err = checkMulti(body, to-from, opCreate, lengthSize+len(c.path(0)))
		}
		if err != nil {
			return fmt.Errorf("create the znodes to watch: %w", err)
		}
	}
	return nil
}

func (f *fanout) close() error {
	if f.poll != nil {
		f.poll.close()
	}
	cs := make([]*client, len(f.watchers))
	for i, w := range f.watchers {
		cs[i] = w.client
		cs[i].in = frames{}
	}
	return closeAll(cs)
}

// round sets every watch, writes every znode once and waits for every event.
func (f *fanout) round(ctx context.Context) (time.Duration, error) {
	for from := 0; from < f.watches; from += fanoutBatch {
		to := min(from+fanoutBatch, f.watches)
		for id, w := range f.watchers[:f.sessions] {
			for i := from; i < to; i++ {
				w.xid++
				w.out = appendFrame(w.out, f.get[f.watched(id, i)], w.xid)
			}
			if err := w.send(); err != nil {
				return 0, err
			}
			if len(w.out) > 0 {
				return 0, errors.New("a batch of watches does not fit the send buffer")
			}
		}
		if err := f.await(ctx, f.sessions*(to-from), checkWatchSet); err != nil {
			return 0, err
		}
	}
	begin := time.Now()
	sent, answered := 0, 0
	write := func() error {
		for ; sent < f.znodes && sent-answered < fanoutWindow; sent++ {
			f.writer.xid++
			f.writer.out = appendFrame(f.writer.out, f.set[sent], f.writer.xid)
		}
		return f.writer.send()
	}
	if err := write(); err != nil {
		return 0, err
	}
	err := f.await(ctx, f.events()+f.znodes, func(w *watcher, b []byte) error {
		if w != f.writer {
			return checkEvent(b)
		}
		if code := getInt(b[12:]); code != 0 {
			return fmt.Errorf("set: code %d", code)
		}
		answered++
		return write()
	})
	return time.Since(begin), err
}

func checkWatchSet(w *watcher, b []byte) error {
	if xid := getInt(b); xid > w.xid || xid <= 0 || getInt(b[12:]) != 0 {
		return fmt.Errorf("watch: reply with xid %d and code %d", xid, getInt(b[12:]))
	}
	return nil
}

// eventDataChanged is the type of an event (Watcher.Event.EventType).
const eventDataChanged = 3

func checkEvent(b []byte) error {
	if getInt(b) != xidNotification {
		return fmt.Errorf("frame with xid %d, want an event", getInt(b))
	}
	if len(b) < replyHeaderSize+12 || getInt(b[replyHeaderSize:]) != eventDataChanged {
		return errors.New("not the event of a write")
	}
	return nil
}

// await takes so many frames, over all sessions.
func (f *fanout) await(ctx context.Context, left int, check func(w *watcher, b []byte) error) error {
	limit := time.Now().Add(callTimeout)
	for left > 0 {
		events, err := f.poll.ready(pollMs)
		if err != nil {
			return err
		}
		for i := range events {
			n, err := f.take(f.watchers[events[i].Fd], check)
			if err != nil {
				return err
			}
			left -= n
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if time.Now().After(limit) {
			return fmt.Errorf("%d replies or events have not come in %v", left, callTimeout)
		}
	}
	if left < 0 {
		return fmt.Errorf("%d replies or events too many", -left)
	}
	return nil
}

// take reads once from a session and returns how many frames came whole.
func (f *fanout) take(w *watcher, check func(w *watcher, b []byte) error) (n int, err error) {
	f.in.r, f.in.w = 0, copy(f.in.buf, w.rest)
	w.rest = w.rest[:0]
	w.in = f.in
	if err := w.receive(); err != nil {
		return 0, err
	}
	f.in = w.in
	for {
		b, ok, err := f.in.next()
		if err != nil || !ok {
			w.rest = append(w.rest, f.in.buf[f.in.r:f.in.w]...)
			return n, err
		}
		if len(b) < replyHeaderSize {
			return n, fmt.Errorf("frame of %d bytes", len(b))
		}
		if err := check(w, b); err != nil {
			return n, err
		}
		n++
	}
}
