package simulation

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing/synctest"
	"time"

	"zkd/test/oracle"
	"zkd/test/wire"
)

// How long an ensemble may take once it could work again. Elections that are lost, sessions of half a minute at peers
// that are out of reach, and states that must be copied are in it.
const (
	majorityLives = 60 * time.Second
	allLive       = 3 * time.Minute
)

// healMajority makes some majority of the voters whole again: they run, they reach each other and the clients. All
// other faults stand.
func (r *run) healMajority() []*host {
	voters := slices.DeleteFunc(slices.Clone(r.members()), func(h *host) bool { return h.line.Observer })
	r.rand.Shuffle(len(voters), func(i, j int) { voters[i], voters[j] = voters[j], voters[i] })
	voters = voters[:len(voters)/2+1]
	var ids []int
	for _, h := range voters {
		ids = append(ids, h.id)
	}
	r.note("%v are whole", ids)
	r.between(open, ids, ids)
	r.between(open, ids, append(r.clientHosts(), prober))
	for _, a := range ids {
		for _, b := range ids {
			r.net.slow(a, b, shape{})
		}
		for _, c := range append(r.clientHosts(), prober) {
			r.net.slow(a, c, shape{})
			r.net.slow(c, a, shape{})
		}
	}
	for _, h := range voters {
		h.disk.heal()
	}
	r.bringUp(voters...)
	return voters
}

// healAll ends all faults.
func (r *run) healAll() {
	r.note("all is whole")
	for _, undo := range r.left {
		undo()
	}
	r.left = nil
	r.net.heal()
	for _, h := range r.hosts {
		h.disk.heal()
		h.skew.Store(0)
	}
	r.bringUp(r.hosts...)
}

// prober is the machine of the clients that look whether servers work.
const prober = firstClient

// works demands of each server, or of any one, that it takes a new session and writes for it. Of a majority that is
// whole not each need work: if its leader is one of the others, whom a fault keeps from some of it, no vote is called.
func (r *run) works(hosts []*host, each bool, limit time.Duration, what string) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	done := make(chan string, len(hosts))
	for _, h := range hosts {
		r.tasks.Go(func() {
			if err := r.probe(ctx, h); err != nil {
				done <- fmt.Sprintf("server %d: %v", h.id, err)
				return
			}
			done <- ""
		})
	}
	var problems []string
	for range hosts {
		problem := <-done
		if problem != "" {
			problems = append(problems, problem)
		} else if !each {
			return
		}
	}
	if len(problems) > 0 {
		r.failf("I8 live: %s, %v later no write is taken: %v; %s", what, limit, problems, r.describe())
	}
}

// probe writes by a session of its own on one server.
func (r *run) probe(ctx context.Context, h *host) error {
	c := r.client(fmt.Sprintf("prober of server %d", h.id), h)
	defer c.Abandon()
	for {
		if _, err := c.Do(ctx, wire.OpSetData, wire.SetData{Path: "/probe", Data: []byte("x"), Version: -1}); err == nil {
			// Here Porcupine looks as well.
			_, _ = c.Do(ctx, wire.OpSync, wire.Path("/probe"))
			_, _ = c.Do(ctx, wire.OpGetData, wire.PathWatch{Path: "/probe"})
			return c.Close(ctx)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if c.Over() { // its server was too slow for it
			return r.probe(ctx, h)
		}
	}
}

// describe says what each server believes.
func (r *run) describe() string {
	var b strings.Builder
	for _, h := range r.hosts {
		s := h.server()
		switch {
		case !h.running():
			fmt.Fprintf(&b, "%d: down", h.id)
		case s == nil:
			fmt.Fprintf(&b, "%d: starting", h.id)
		default:
			st, _ := s.Status()
			fmt.Fprintf(&b, "%d: %s of %s, term %d, last %d, commit %d, applied %d, contact %v", h.id, st.Role, st.LeaderID, st.Term, st.Last, st.Commit, st.Applied, st.Contact)
		}
		b.WriteString("; ")
	}
	return b.String()
}

// equal demands that all servers have applied the same, and have the same digest behind it.
func (r *run) equal() {
	same := func() bool {
		var index, digest uint64
		for i, h := range r.hosts {
			s := h.server()
			if s == nil {
				return false
			}
			st, ok := s.Status()
			if !ok || i > 0 && (st.DigestIndex != index || st.Digest != digest) || st.Last != st.Applied {
				return false
			}
			index, digest = st.DigestIndex, st.Digest
		}
		return true
	}
	if !r.await(allLive, same) {
		r.failf("I8 live: %v after all is whole the servers are not equal: %s", allLive, r.describe())
	}
}

// slack is how long a server that hears of its leader may be behind it: its disk may hang for ten seconds before it
// gives up.
const slack = 15 * time.Second

// finish ends everything, looks for what was left behind, and judges.
func (r *run) finish(least oracle.Stats) {
	for _, h := range r.hosts {
		r.tasks.Go(h.stop)
	}
	r.tasks.Wait()
	r.leaks()
	var names []string
	if r.failed() == nil {
		for _, h := range r.hosts {
			names = append(names, strconv.Itoa(h.id))
		}
		r.sequence.Settled(names...)
	}
	opts := oracle.Options{
		Clock:     oracle.LeaderClock,
		Ended:     r.failed() == nil,
		Staleness: syncLimit*r.plan.tick + slack,
		Second:    func(path string) bool { return path == "/probe" },
	}
	if r.plain {
		opts.Staleness = (syncLimit + 2) * r.plan.tick
	}
	if r.plan.jumps {
		opts.Clock = oracle.SeenClock
	}
	if r.quiet {
		opts.Quiet = 2 * r.plan.tick // one until it is looked at again, and the way there and back
	}
	checker := oracle.NewChecker(r.history, r.sequence, opts)
	list := checker.Finish()
	r.stats = checker.Stats()
	list = append(list, r.stats.Require(least)...)
	if err := oracle.Error(list); err != nil {
		r.failf("%v", err)
	}
}

// leaks complains of goroutines and files that are still there.
func (r *run) leaks() {
	var left []string
	for range 40 {
		synctest.Wait()
		if left = bubbled(); len(left) == 0 {
			break
		}
		time.Sleep(time.Second)
	}
	if len(left) > 0 {
		r.failf("I8 live: %d goroutines are left:\n%s", len(left), strings.Join(left[:min(len(left), 10)], "\n\n"))
		r.stuck = true
	}
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return
	}
	for _, f := range files {
		if to, err := os.Readlink("/proc/self/fd/" + f.Name()); err == nil && strings.HasPrefix(to, r.dir) {
			r.failf("I8 live: %s is still open", to)
		}
	}
}

// bubbled returns the stacks of the goroutines of this bubble but the calling one.
func bubbled() (list []string) {
	buf := make([]byte, 1<<20)
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) {
			buf = buf[:n]
			break
		}
		buf = make([]byte, 2*len(buf))
	}
	for i, g := range strings.Split(string(buf), "\n\n") {
		head, _, _ := strings.Cut(g, "\n")
		if i > 0 && strings.Contains(head, "synctest bubble") && !strings.Contains(g, "testing.testingSynctestTest") && !strings.Contains(g, "testing/synctest.testingSynctestTest") && !strings.Contains(g, "internal/synctest.Run") {
			list = append(list, g)
		}
	}
	return list
}
