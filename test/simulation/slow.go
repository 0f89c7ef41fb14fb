package simulation

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"zkd/test/oracle"
	"zkd/test/oracle/recorded"
	"zkd/test/wire"
)

// slowReaders have links that take several timeouts of their sessions for what they have asked for. They get everything,
// over the connections with which they have begun.
var slowReaders = scenario{
	name: "slow readers", quiet: true, plan: plan{observers: 1, clients: 2}, least: oracle.Stats{Writes: 50, Reads: 200},
	play: func(r *run) {
		r.rounds(3, func(round int) {
			var all sync.WaitGroup
			for _, h := range r.hosts {
				ticks := 2 + r.rand.IntN(6)
				all.Go(func() { r.readSlowly(fmt.Sprintf("slow %d at %d", round, h.id), h, ticks) })
			}
			all.Wait()
		})
	},
}

const (
	slowReads = 30
	slowSize  = 2000 // of a reply, about
	slowTimes = 4    // how many timeouts all replies take
)

// readSlowly is a client that reads more than its link brings within its timeout.
func (r *run) readSlowly(name string, h *host, ticks int) {
	timeout := time.Duration(ticks) * r.plan.tick
	nic := r.net.attach(firstClient + int(r.load.hosts.Add(1)))
	defer nic.kill(true)
	nic.window = slowSize
	link := new(recorded.Narrow)
	c := recorded.New(recorded.Options{
		Name: name, Servers: []string{address(h.id, clientPort)}, History: r.history, Timeout: timeout, Patience: time.Minute,
		Dial: func(ctx context.Context, address string) (net.Conn, error) {
			nc, err := nic.Dial(ctx, "tcp", address)
			if err != nil {
				return nil, err
			}
			link.Conn = nc
			return link, nil
		},
	})
	defer c.Abandon()
	ctx, cancel := context.WithTimeout(context.Background(), 20*timeout)
	defer cancel()
	path := fmt.Sprintf("/k0/slow-%d", h.id)
	fail := func(what string, err error) { r.failf("%s, with a timeout of %v: %s: %v", name, timeout, what, err) }
	if _, err := c.Do(ctx, wire.OpCreate, wire.Create{Path: path, Data: make([]byte, slowSize), ACL: wire.OpenACL}); err != nil {
		fail("create", err)
		return
	}
	link.SetRate(slowReads * slowSize / int((slowTimes * timeout).Seconds()))
	var calls []*recorded.Call
	for i := range slowReads {
		call, err := c.Send(ctx, wire.OpGetData, wire.PathWatch{Path: path, Watch: i%2 == 0})
		if err != nil {
			fail("send", err)
			return
		}
		calls = append(calls, call)
	}
	for i, call := range calls {
		if _, err := call.Wait(ctx); err != nil {
			fail(fmt.Sprintf("reply %d of %d", i+1, slowReads), err)
			return
		}
	}
	if c.Lost() > 0 || c.Over() {
		fail("in the end", recorded.ErrLost)
	}
	if err := c.Close(ctx); err != nil {
		fail("close", err)
	}
}
