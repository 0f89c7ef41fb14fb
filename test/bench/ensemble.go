package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"zkd/test/proc"
)

const (
	// formTimeout bounds the wait for an ensemble that has just been started.
	formTimeout = 2 * time.Minute
	leaderLook  = 20 * time.Millisecond
)

// ensemble is the servers of one kind that serve one tree together. A server on its own is an ensemble
// of one.
type ensemble struct {
	kind    *kind
	servers []*server
}

// startEnsemble starts n new, empty servers and waits until each of them answers clients.
func startEnsemble(ctx context.Context, k *kind, work string, n int) (*ensemble, error) {
	sites, err := newSites(n)
	if err != nil {
		return nil, err
	}
	e := &ensemble{kind: k}
	for i := range n {
		s, err := newServer(k, work, i+1, sites)
		if err == nil {
			err = s.launch()
		}
		if err != nil {
			return nil, errors.Join(err, e.stop())
		}
		e.servers = append(e.servers, s)
	}
	if err := e.awaitFormed(ctx); err != nil {
		return nil, errors.Join(err, e.stop())
	}
	return e, nil
}

// awaitFormed returns when every server answers and, of several, one leads and all others follow it.
func (e *ensemble) awaitFormed(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, formTimeout)
	defer cancel()
	for _, s := range e.servers {
		if _, err := s.awaitAnswer(ctx, "/"); err != nil {
			return err
		}
	}
	if len(e.servers) == 1 {
		return nil
	}
	tick := time.NewTicker(leaderLook)
	defer tick.Stop()
	for {
		_, err := e.leader()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: no ensemble: %w; last seen: %w", e.kind.name, ctx.Err(), err)
		case <-tick.C:
		}
	}
}

// leader is the server that leads all others. A server on its own counts as leader.
func (e *ensemble) leader() (*server, error) {
	if len(e.servers) == 1 {
		return e.servers[0], nil
	}
	var leader *server
	modes := make([]string, len(e.servers))
	for i, s := range e.servers {
		out, err := fourLetterWord(s.addr, "srvr")
		if err != nil {
			return nil, fmt.Errorf("server %d: %w", s.id, err)
		}
		if modes[i] = srvrMode(out); modes[i] == "leader" {
			leader = s
		}
	}
	following := 0
	for _, m := range modes {
		if m == "follower" {
			following++
		}
	}
	if leader == nil || following != len(modes)-1 {
		return nil, fmt.Errorf("servers say they are %s", strings.Join(modes, ", "))
	}
	return leader, nil
}

// srvrMode finds what srvr says of the server's part: "Mode: leader".
func srvrMode(out string) string {
	for line := range strings.Lines(out) {
		if mode, ok := strings.CutPrefix(line, "Mode: "); ok {
			return strings.TrimSpace(mode)
		}
	}
	return "not serving"
}

// name of a scenario as it was run here.
func (e *ensemble) name(scenario string) string {
	if len(e.servers) == 1 {
		return scenario
	}
	return fmt.Sprintf("%d servers: %s", len(e.servers), scenario)
}

func (e *ensemble) addrs() []string {
	all := make([]string, len(e.servers))
	for i, s := range e.servers {
		all[i] = s.addr
	}
	return all
}

// warmUp is how long to load the ensemble before the measurement that follows: for each server its own
// time, as they share the load and the cores.
func (e *ensemble) warmUp() (t time.Duration) {
	for _, s := range e.servers {
		t += s.warmUp()
	}
	return t
}

// cpu is what each server has used.
func (e *ensemble) cpu() ([]time.Duration, error) {
	all := make([]time.Duration, len(e.servers))
	for i, s := range e.servers {
		t, err := proc.CPU(s.pid())
		if err != nil {
			return nil, fmt.Errorf("server %d: %w", s.id, err)
		}
		all[i] = t
	}
	return all, nil
}

// memory of all servers added up. The peaks need not have been at one time.
func (e *ensemble) memory() (sum proc.Memory, err error) {
	for _, s := range e.servers {
		m, err := proc.MemoryOf(s.pid())
		if err != nil {
			return proc.Memory{}, fmt.Errorf("server %d: %w", s.id, err)
		}
		sum.RSS += m.RSS
		sum.Peak += m.Peak
	}
	return sum, nil
}

// settle makes every server's tree as new as the leader's was when it was called.
func (e *ensemble) settle() error {
	if len(e.servers) == 1 {
		return nil
	}
	for _, s := range e.servers {
		c, err := connect(s.addr, sessionTimeout)
		if err != nil {
			return fmt.Errorf("server %d: %w", s.id, err)
		}
		code, _, err := c.call(syncFrame("/"))
		if err == nil && code != 0 {
			err = fmt.Errorf("code %d", code)
		}
		if err != nil {
			c.drop()
			return fmt.Errorf("server %d: sync: %w", s.id, err)
		}
		if err := c.closeSession(); err != nil {
			return fmt.Errorf("server %d: %w", s.id, err)
		}
	}
	return nil
}

// stop ends all servers at once and removes their directories.
func (e *ensemble) stop() error {
	errs := make([]error, len(e.servers))
	var stopping sync.WaitGroup
	for i, s := range e.servers {
		stopping.Go(func() { errs[i] = s.stop() })
	}
	stopping.Wait()
	return errors.Join(errs...)
}

func (e *ensemble) lastWords() string {
	var b strings.Builder
	for _, s := range e.servers {
		b.WriteString(s.lastWords())
	}
	return b.String()
}
