package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	roamerTimeout = 10 * time.Second // of its session
	// roamerRetry is the wait between attempts to connect, the same for every kind of server. (ZooKeeper's
	// own client waits up to a second: that would be measured instead of the servers.)
	roamerRetry = 20 * time.Millisecond
)

// roamer is a client as applications have them: it writes its own znode again and again, and when its
// connection fails it takes its session to the next server and repeats the write.
type roamer struct {
	addrs []string
	set   []byte
	c     *client // nil while it has no connection
	next  int     // in addrs

	// session as of the last connection
	session int64
	passwd  []byte
	zxid    int64

	mu    sync.Mutex
	state roamerState // guarded by mu
}

// roamerState is what others may look at while a roamer runs.
type roamerState struct {
	at     string // server of the newest connection
	on     string // the same at the time of arm
	losses int    // connections that failed since arm
	// again is how long after the kill the first write that was begun with the server dead was
	// acknowledged; 0 while none was.
	again        time.Duration
	killed, dead time.Time
	err          error // that ended it
}

// newRoamers opens n sessions, spread evenly over the servers, each with a znode to write.
func newRoamers(e *ensemble, n int) (all []*roamer, err error) {
	defer func() {
		if err != nil {
			for _, r := range all {
				r.leave()
			}
		}
	}()
	for i := range n {
		r := &roamer{addrs: e.addrs(), next: i % len(e.servers)}
		path := fmt.Sprintf("%s/roamers/r%03d", benchRoot, i)
		r.set = setFrame(path, payload(100))
		if err := r.connect(); err != nil {
			return all, err
		}
		all = append(all, r)
		if err := ensurePath(r.c, path); err != nil {
			return all, err
		}
	}
	return all, nil
}

var errSessionLost = errors.New("a session was lost though its client kept trying")

// connect attaches to the next server, with the session if there is one.
func (r *roamer) connect() error {
	addr := r.addrs[r.next]
	c, err := dialAs(addr, connectRequest{
		timeoutMs: int32(roamerTimeout / time.Millisecond), lastZxid: r.zxid, session: r.session, passwd: r.passwd,
	})
	if err != nil {
		return err
	}
	// The limits of ZooKeeper's client: an attempt may take its share of the session timeout, an answer
	// two thirds of it.
	err = limitWaits(c.fd, roamerTimeout/time.Duration(len(r.addrs)))
	if err == nil {
		err = c.finishHandshake()
	}
	if err == nil {
		err = limitWaits(c.fd, roamerTimeout*2/3)
	}
	if err != nil {
		c.drop()
		return err
	}
	c.zxid = r.zxid
	r.c, r.session, r.passwd = c, c.session, c.passwd
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state.at = addr
	return nil
}

// run writes until ctx ends or the session is lost.
func (r *roamer) run(ctx context.Context) {
	for ctx.Err() == nil {
		if r.c == nil {
			if err := r.connect(); errors.Is(err, errSessionRefused) {
				r.fail(errSessionLost)
				return
			} else if err != nil {
				r.next = (r.next + 1) % len(r.addrs)
				_ = pause(ctx, roamerRetry)
				continue
			}
		}
		begun := time.Now()
		code, _, err := r.c.call(r.set)
		switch {
		case err != nil:
			r.lost()
		case code != 0:
			r.fail(fmt.Errorf("setData: code %d", code))
			return
		default:
			r.wrote(begun)
			_ = pause(ctx, failoverThink)
		}
	}
}

func (r *roamer) lost() {
	r.zxid = max(r.zxid, r.c.zxid)
	r.c.drop()
	r.c = nil
	r.next = (r.next + 1) % len(r.addrs)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state.losses++
}

func (r *roamer) wrote(begun time.Time) {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if st := &r.state; st.again == 0 && !st.dead.IsZero() && begun.After(st.dead) {
		st.again = now.Sub(st.killed)
	}
}

func (r *roamer) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state.err = err
}

// arm is called just before the kill.
func (r *roamer) arm() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state.on = r.state.at
	r.state.losses = 0
}

// expect tells when the server was killed and by when it was dead.
func (r *roamer) expect(killed, dead time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state.killed, r.state.dead = killed, dead
}

func (r *roamer) look() roamerState {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state
}

// leave ends the session; not while run runs.
func (r *roamer) leave() {
	if r.c == nil {
		return // it expires
	}
	_ = r.c.closeSession()
	r.c = nil
}
