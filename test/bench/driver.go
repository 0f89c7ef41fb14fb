package main

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
)

// source makes the requests of one session and checks their replies. next and check are called by one
// goroutine; replies arrive in the order of the requests.
type source interface {
	// next appends one whole request frame, or nothing when it has none to send (any more).
	next(dst []byte, xid int32) []byte
	// check sees what follows the header of a reply whose xid and code were right.
	check(body []byte) error
}

// Phases of a run. Latencies are counted apart for each phase but warming.
const (
	phaseWarm int32 = iota
	phaseA          // the measurement
	phases
)

const (
	pollMs       = 100 // how often a driver without events looks whether it should stop
	drainTimeout = 30 * time.Second
)

// driver runs some of the sessions of a load on one thread: it keeps depth requests outstanding on
// each, in one write for all that may be sent and one read for all that has come.
type driver struct {
	poll  *poller
	sess  []*driven
	hists [phases]*hist
	// stopSending is set from outside: outstanding requests are awaited, none is added.
	stopSending *atomic.Bool
	phase       *atomic.Int32
	// done counts replies; read by the coordinator while the driver runs.
	done atomic.Uint64
	// reads counts the system calls that brought them: how well both sides batch.
	reads       atomic.Uint64
	outstanding int // over all sessions
}

// driven is one session of a driver.
type driven struct {
	*client
	src       source
	depth     int
	sentAt    []int64 // ring by xid: when each outstanding request was sent
	expected  int32   // xid of the oldest outstanding request
	waitWrite bool    // the poller watches for room in the send buffer
}

var clockBase = time.Now()

// nowNs is a monotonic clock without the wall clock's half.
func nowNs() int64 { return int64(time.Since(clockBase)) }

func newDriver(cs []*client, srcs []source, depth int, stop *atomic.Bool, phase *atomic.Int32) (*driver, error) {
	p, err := newPoller()
	if err != nil {
		return nil, err
	}
	d := &driver{poll: p, stopSending: stop, phase: phase}
	for i := range d.hists {
		d.hists[i] = new(hist)
	}
	ring := 1 << bits.Len(uint(depth))
	for i, c := range cs {
		s := &driven{client: c, src: srcs[i], depth: depth, sentAt: make([]int64, ring), expected: c.xid + 1}
		if err := errors.Join(syscall.SetNonblock(c.fd, true), p.add(c.fd, i)); err != nil {
			p.close()
			return nil, fmt.Errorf("poll session: %w", err)
		}
		d.sess = append(d.sess, s)
	}
	return d, nil
}

// run sends and receives until the sources are dry or stopSending is set, and every reply is in. The
// first wrong reply ends it.
func (d *driver) run(ctx context.Context) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer d.poll.close()
	for i, s := range d.sess {
		if err := d.pump(i, s); err != nil {
			return err
		}
	}
	var stopBy time.Time
	for d.outstanding > 0 {
		events, err := d.poll.ready(pollMs)
		if err != nil {
			return err
		}
		for i := range events {
			id := int(events[i].Fd)
			if err := d.serve(id, d.sess[id]); err != nil {
				return fmt.Errorf("session %#x: %w", d.sess[id].session, err)
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if d.stopSending.Load() {
			if stopBy.IsZero() {
				stopBy = time.Now().Add(drainTimeout)
			} else if len(events) == 0 && time.Now().After(stopBy) {
				return fmt.Errorf("%d requests unanswered after %v", d.outstanding, drainTimeout)
			}
		}
	}
	return nil
}

// serve takes in the replies of one session and sends as many new requests.
func (d *driver) serve(id int, s *driven) error {
	if err := s.receive(); err != nil {
		return err
	}
	now := nowNs()
	h := d.hists[d.phase.Load()]
	answered := 0
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
		h.record(now - s.sentAt[int(s.expected)&(len(s.sentAt)-1)])
		s.expected++
		answered++
	}
	d.outstanding -= answered
	d.reads.Store(d.reads.Load() + 1)
	d.done.Store(d.done.Load() + uint64(answered)) // one writer: no read-modify-write needed
	return d.pump(id, s)
}

// checkReply checks one reply against the oldest outstanding request of a session.
func checkReply(b []byte, src source, expected, lastSent int32) error {
	if err := checkHeader(b, expected, lastSent); err != nil {
		return err
	}
	if err := src.check(b[replyHeaderSize:]); err != nil {
		return fmt.Errorf("reply to xid %d: %w", expected, err)
	}
	return nil
}

// checkHeader: a reply comes to the oldest outstanding request, and with code 0.
func checkHeader(b []byte, expected, lastSent int32) error {
	if len(b) < replyHeaderSize {
		return fmt.Errorf("reply of %d bytes", len(b))
	}
	if xid := getInt(b); xid != expected || expected > lastSent {
		return fmt.Errorf("reply with xid %d, want %d (last sent %d)", xid, expected, lastSent)
	}
	if code := getInt(b[12:]); code != 0 {
		return fmt.Errorf("reply to xid %d has code %d", expected, code)
	}
	return nil
}

// pump fills the session up to its depth and hands everything to the kernel at once. This is the closed
// loop; openload.go has the open one.
func (d *driver) pump(id int, s *driven) error {
	if !d.stopSending.Load() {
		now := nowNs()
		for int(s.xid-s.expected)+1 < s.depth {
			n := len(s.out)
			s.out = s.src.next(s.out, s.xid+1)
			if len(s.out) == n {
				break
			}
			s.xid++
			s.sentAt[int(s.xid)&(len(s.sentAt)-1)] = now
			d.outstanding++
		}
	}
	if err := s.send(); err != nil {
		return err
	}
	if left := len(s.out) > 0; left != s.waitWrite {
		s.waitWrite = left
		return d.poll.wantWrite(s.fd, id, left)
	}
	return nil
}
