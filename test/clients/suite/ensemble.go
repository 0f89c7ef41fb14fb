package suite

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"zkd/test/ensemble"
)

// Ensemble is three servers of one suite. Its methods may be called from any goroutine, but one at a time.
type Ensemble struct {
	servers []*ensemble.Server
}

// StartEnsemble runs three fresh servers that form an ensemble, and ends them when the test is over. Each has a
// loopback address of its own. The further zoo.cfg lines win over the common ones.
func StartEnsemble(t testing.TB, lines ...string) *Ensemble {
	t.Helper()
	os.Setenv("ENSEMBLE_AGAINST", Against()) // the same product
	e := ensemble.Start(t, ensemble.Options{Tick: tick, Config: override(config, lines), Props: props})
	return &Ensemble{servers: e.Servers}
}

// override are lines of zoo.cfg, each key once.
func override(common, own []string) (all []string) {
	for _, line := range common {
		key, _, _ := strings.Cut(line, "=")
		if !slices.ContainsFunc(own, func(l string) bool { return strings.HasPrefix(l, key+"=") }) {
			all = append(all, line)
		}
	}
	return append(all, own...)
}

// Addr is a connect string of all servers.
func (e *Ensemble) Addr() string { return strings.Join(e.Addrs(), ",") }

// Addrs are host:port of each server.
func (e *Ensemble) Addrs() (all []string) {
	for _, s := range e.servers {
		all = append(all, s.Addr())
	}
	return all
}

// Line is the line of zoo.cfg of a server, by its id.
func (e *Ensemble) Line(id int) string { return e.servers[id-1].Line() }

// Follower is host:port of a server that does not lead.
func (e *Ensemble) Follower(t testing.TB) string {
	t.Helper()
	Await(t, "there is a leader", func() bool { return e.leader() != nil })
	leader := e.leader()
	for _, s := range e.servers {
		if s != leader {
			return s.Addr()
		}
	}
	panic("an ensemble of one")
}

func (e *Ensemble) leader() *ensemble.Server {
	for _, s := range e.servers {
		if s.Alive() && s.Mode() == string(ensemble.Leader) {
			return s
		}
	}
	return nil
}

// Restart kills the leader as kill -9 does, waits until another server leads, starts the killed one again, and
// returns once all three serve.
func (e *Ensemble) Restart(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, ensemble.Patience)
	defer cancel()
	var killed *ensemble.Server
	err := until(ctx, "there is no leader to kill", func() bool { killed = e.leader(); return killed != nil })
	if err != nil {
		return err
	}
	killed.Kill()
	if err := until(ctx, "nobody leads after the leader", func() bool { return e.leader() != nil }); err != nil {
		return err
	}
	if err := killed.Launch(); err != nil {
		return err
	}
	return until(ctx, fmt.Sprintf("%v does not serve again", killed), func() bool { return killed.Mode() != "" })
}

// StartProxy puts proxies before all servers, or before those given; they end with the test.
func (e *Ensemble) StartProxy(t testing.TB, servers ...string) *Proxy {
	t.Helper()
	if servers == nil {
		servers = e.Addrs()
	}
	return startProxy(t, strings.Join(servers, ","), e.Restart)
}

func until(ctx context.Context, failure string, ok func() bool) error {
	for !ok() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", failure, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}
