package script

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"zkd/test/wire"
)

// An Ensemble is a Server that is several. A script names one of them with connect at=N; on a single server all
// numbers mean that one. After each step that may have changed something every server is brought up to date by a sync,
// so it is not open what the next step sees wherever it is.
type Ensemble interface {
	Server
	Addrs() []string
}

// Breakable is a server whose processes end and start again in the course of a script.
type Breakable interface {
	Server
	// Break returns when all servers serve again.
	Break(context.Context, Outage) error
	// Leave ends one server of several, by number, which stays away up to its Return. A ZooKeeper does neither.
	Leave(n int, kill bool) error
	Return(n int) error
}

// Outage is an end of processes which then start again with the data they had.
type Outage struct {
	Who  string // the number of a server, leader, all, or rolling: one after the other
	Kill bool   // SIGKILL, else SIGTERM
	Real bool   // not of zkd alone, but of the ZooKeeper beside it too
}

// cuts reports whether the outage takes the connections of a server's clients. Who was connected where the script did
// not say is taken to be gone.
func (o Outage) cuts(at int) bool {
	n, err := strconv.Atoi(o.Who)
	return err != nil || n == max(at, 1)
}

// addr is where a client connects.
func (r *run) addr(c *client) string {
	if e, ok := r.srv.(Ensemble); ok {
		all := e.Addrs()
		return all[(max(c.at, 1)-1)%len(all)]
	}
	return r.srv.Addr()
}

func (r *run) timeout() int32 {
	if r.o.TimeoutMs > 0 {
		return r.o.TimeoutMs
	}
	return defaultTimeoutMs
}

// openPulses opens a session on each server of an ensemble, for settle.
func (r *run) openPulses() error {
	e, ok := r.srv.(Ensemble)
	if !ok || len(e.Addrs()) == 1 {
		return nil
	}
	for i := range e.Addrs() {
		p := &client{name: fmt.Sprintf("pulse%d", i+1), at: i + 1}
		if err := r.open(p, wire.ConnectRequest{TimeoutMs: r.timeout(), Password: make([]byte, 16)}); err != nil {
			return err
		}
		r.pulses = append(r.pulses, p)
	}
	return nil
}

// settle returns when every server has applied all that any client has an answer to.
func (r *run) settle() error {
	r.ahead = false
	for _, p := range r.pulses {
		p.xid++
		if err := p.conn.Send(p.xid, wire.OpSync, wire.Path("/")); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	for _, p := range r.pulses {
		_, rep, err := p.conn.Next(replyTimeout)
		if err == nil && rep.Err != 0 {
			err = fmt.Errorf("%v", rep.Err)
		}
		if err != nil {
			return fmt.Errorf("sync of %s: %w", p.name, err)
		}
	}
	return nil
}

// still are the verbs after which no server has anything to catch up with.
var still = strings.Fields("exists get children children2 getacl ephemerals count multiread addwatch checkwatches " +
	"removewatches setwatches setwatches2 whoami ping sync mark words wordhas")

// settleAfter settles unless the step can have changed nothing.
func (r *run) settleAfter(line string) error {
	f := strings.Fields(line)
	if len(r.pulses) == 0 || f[1] == "&" || slices.Contains(still, f[1]) && !r.ahead {
		return nil
	}
	return r.settle()
}

// stepOutage ends servers and starts them again. A new term begins with a transaction, and what reads show as the
// newest one differs up to then; so one is made on all sides, by the opening of a session.
func (r *run) stepOutage(_ *client, a *args) error {
	srv, ok := r.srv.(Breakable)
	if !ok {
		return errors.New("this server has no outages")
	}
	o := Outage{Who: a.tok(0).text, Kill: a.tok(1).text == "kill", Real: len(a.pos) > 2}
	if a.err != nil {
		return a.err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if err := srv.Break(ctx, o); err != nil {
		return err
	}
	r.cut(o)
	for _, p := range r.pulses {
		if !o.cuts(p.at) {
			continue
		}
		p.conn.Close()
		if err := r.openAgain(ctx, p); err != nil {
			return err
		}
	}
	return r.begin(ctx)
}

// cut closes the connections that an outage has ended, also where it has not.
func (r *run) cut(o Outage) {
	for _, c := range r.clients {
		if c.conn != nil && o.cuts(c.at) {
			r.part(c)
		}
	}
}

// begin makes the first transaction of a term.
func (r *run) begin(ctx context.Context) error {
	first := &client{name: "first"}
	if err := r.openAgain(ctx, first); err != nil {
		return err
	}
	defer first.conn.Close()
	return r.end(first)
}

// stepLeave ends a server for a while.
func (r *run) stepLeave(_ *client, a *args) error {
	srv, ok := r.srv.(Breakable)
	n := int(a.num(0, 0))
	if !ok || a.err != nil {
		return errors.Join(a.err, errors.New("no server that can leave"))
	}
	if err := srv.Leave(n, a.tok(1).text == "kill"); err != nil {
		return err
	}
	r.away = n
	r.cut(Outage{Who: strconv.Itoa(n)})
	r.pulses = slices.DeleteFunc(r.pulses, func(p *client) bool {
		if p.at == n {
			p.conn.Close()
			r.gone = p
		}
		return p.at == n
	})
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	return r.begin(ctx)
}

// stepReturn brings it back. It is to catch up with what it has missed.
func (r *run) stepReturn(*client, *args) error {
	if r.away == 0 {
		return errors.New("nobody is away")
	}
	if err := r.srv.(Breakable).Return(r.away); err != nil {
		return err
	}
	r.away = 0
	if r.gone == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if err := r.openAgain(ctx, r.gone); err != nil {
		return err
	}
	r.pulses, r.gone = append(r.pulses, r.gone), nil
	return nil
}

// openAgain opens a session, or goes on with the one that the client has. A server that has just started may refuse
// its first clients.
func (r *run) openAgain(ctx context.Context, c *client) error {
	for {
		req := wire.ConnectRequest{TimeoutMs: r.timeout(), Session: c.id, Password: c.password}
		if c.id == 0 {
			req.Password = make([]byte, 16)
		}
		err := r.open(c, req)
		if err == nil {
			return nil
		}
		if c.conn != nil {
			c.conn.Close()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s after an outage: %w", c.name, err)
		case <-time.After(probeEvery):
		}
	}
}
