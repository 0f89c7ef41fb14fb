package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
)

// openLoad is an open loop: each request has a moment at which it is due, whether or not those before were
// answered, and its latency counts from that moment. So a server that stalls is charged for every request
// it kept waiting, and not for one a session as in a closed loop (coordinated omission). One thread
// serves all sessions.
type openLoad struct {
	poll        *poller
	streams     []*stream
	sess        []*openSession // of all streams; the poller's ids
	outcomes    []outcome
	outstanding int
	stop        atomic.Bool   // nothing new is sent, what is outstanding is awaited
	ended       chan struct{} // closed when run has returned
	err         error         // of run; valid once ended is closed
}

// stream is requests of one sort at a fixed pace, dealt out to its sessions in turn.
type stream struct {
	every int64 // ns
	due   int64 // the next one
	sess  []int
	turn  int
}

type openSession struct {
	*client
	src       source
	stream    int
	pending   queue[int] // outcomes of the outstanding requests
	expected  int32
	touched   bool // has something to send
	waitWrite bool
}

// outcome is one request: when it was due and when its reply was there, by nowNs; 0: not yet.
type outcome struct {
	due, done int64
	stream    int
}

// openStream describes one stream: requests a second over so many sessions.
type openStream struct {
	rate     int
	sessions int
	source   func(session int) source
}

// openBacklog is how much of a stream may be outstanding before the rate counts as too high, in seconds.
const openBacklog = 20

// startOpenLoad opens the sessions and sends from now on, until finish.
func startOpenLoad(ctx context.Context, addr string, streams []openStream) (l *openLoad, err error) {
	l = &openLoad{ended: make(chan struct{})}
	defer func() {
		if err != nil {
			l.drop()
		}
	}()
	if l.poll, err = newPoller(); err != nil {
		return nil, err
	}
	for i, st := range streams {
		cs, err := connectMany([]string{addr}, st.sessions, sessionTimeout)
		if err != nil {
			return nil, err
		}
		s := &stream{every: int64(time.Second) / int64(st.rate)}
		for j, c := range cs {
			id := len(l.sess)
			s.sess = append(s.sess, id)
			l.sess = append(l.sess, &openSession{client: c, src: st.source(j), stream: i, expected: c.xid + 1})
			if err := errors.Join(syscall.SetNonblock(c.fd, true), l.poll.add(c.fd, id)); err != nil {
				return nil, fmt.Errorf("poll session: %w", err)
			}
		}
		l.streams = append(l.streams, s)
	}
	runtime.GOMAXPROCS(max(runtime.NumCPU(), 2)) // see startLoad
	go func() {
		defer close(l.ended)
		l.err = l.run(ctx)
	}()
	return l, nil
}

func (l *openLoad) drop() {
	if l.poll != nil {
		l.poll.close()
	}
	for _, s := range l.sess {
		s.client.drop()
	}
}

func (l *openLoad) run(ctx context.Context) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	preciseTimers()
	begin := nowNs()
	for i, st := range l.streams {
		// Streams do not begin at one moment, lest each of a slow one's meet one of a fast one's.
		st.due = begin + st.every*int64(i+1)/int64(len(l.streams)+1)
	}
	var stopBy int64
	for {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		wait := int64(pollMs * time.Millisecond)
		if l.stop.Load() {
			now := nowNs()
			if stopBy == 0 {
				stopBy = now + int64(drainTimeout)
			}
			if l.outstanding == 0 {
				return nil
			}
			if now > stopBy {
				return fmt.Errorf("%d requests unanswered after %v", l.outstanding, drainTimeout)
			}
		} else {
			next, err := l.sendDue()
			if err != nil {
				return err
			}
			wait = min(wait, max(next-nowNs(), 0))
		}
		events, err := l.poll.readyIn(time.Duration(wait))
		if err != nil {
			return err
		}
		for i := range events {
			id := int(events[i].Fd)
			if err := l.take(id, l.sess[id]); err != nil {
				return fmt.Errorf("session %#x: %w", l.sess[id].session, err)
			}
		}
	}
}

// sendDue sends what is due by now and returns when the next request is.
func (l *openLoad) sendDue() (next int64, err error) {
	now := nowNs()
	for i, st := range l.streams {
		for ; st.due <= now; st.due += st.every {
			id := st.sess[st.turn]
			st.turn = (st.turn + 1) % len(st.sess)
			s := l.sess[id]
			s.xid++
			s.out = s.src.next(s.out, s.xid)
			s.pending.push(len(l.outcomes))
			l.outcomes = append(l.outcomes, outcome{due: st.due, stream: i})
			l.outstanding++
			if s.pending.size() > int(openBacklog*int64(time.Second)/st.every)/len(st.sess)+1 {
				return 0, fmt.Errorf("the server does not keep the rate: %d requests outstanding", l.outstanding)
			}
			s.touched = true
		}
		if next == 0 || st.due < next {
			next = st.due
		}
	}
	for id, s := range l.sess {
		if s.touched {
			s.touched = false
			if err := l.flush(id, s); err != nil {
				return 0, err
			}
		}
	}
	return next, nil
}

func (l *openLoad) flush(id int, s *openSession) error {
	if err := s.send(); err != nil {
		return err
	}
	if left := len(s.out) > 0; left != s.waitWrite {
		s.waitWrite = left
		return l.poll.wantWrite(s.fd, id, left)
	}
	return nil
}

// take takes in the replies of one session.
func (l *openLoad) take(id int, s *openSession) error {
	if err := s.receive(); err != nil {
		return err
	}
	now := nowNs()
	for {
		b, ok, err := s.in.next()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		if err := checkReply(b, s.src, s.expected, s.xid); err != nil {
			return err
		}
		s.expected++
		l.outcomes[s.pending.pop()].done = now
		l.outstanding--
	}
	if s.waitWrite {
		return l.flush(id, s)
	}
	return nil
}

// sleep lets the load run; an early end of it is an error.
func (l *openLoad) sleep(t time.Duration) error {
	select {
	case <-time.After(t):
		return nil
	case <-l.ended:
		return errors.Join(l.err, errors.New("load ended early"))
	}
}

// finish stops sending, waits for what is outstanding and closes the sessions; then outcomes may be read.
func (l *openLoad) finish() error {
	l.stop.Store(true)
	<-l.ended
	l.poll.close()
	var cs []*client
	for _, s := range l.sess {
		cs = append(cs, s.client)
	}
	if l.err != nil {
		dropAll(cs)
		return l.err
	}
	if err := closeAll(cs); err != nil {
		return fmt.Errorf("after the load: %w", err)
	}
	return nil
}
