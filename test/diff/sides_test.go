package diff

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"zkd/test/ensemble"
	"zkd/test/script"
	"zkd/test/zkdserver"
)

// side is a server or an ensemble that scripts run on, of zkd or of ZooKeeper.
type side interface {
	script.Breakable
	script.Ensemble
	trouble() string // what it did by itself that it should not
	broken() int     // how many processes an outage has ended
}

// process is a server that is alone. zkdserver and realzk have these.
type process interface {
	Addr() string
	Restart(context.Context) error
	Terminate()
	Stop() error
}

// alone is a side of one server.
type alone struct {
	process
	real bool
	n    int
}

func (a *alone) Addrs() []string { return []string{a.Addr()} }
func (a *alone) broken() int     { return a.n }

func (a *alone) Break(ctx context.Context, o script.Outage) error {
	if a.real && !o.Real {
		return nil
	}
	a.n++
	if !o.Kill {
		a.Terminate()
	}
	return a.Restart(ctx)
}

func (a *alone) Leave(int, bool) error { return a.never() }
func (a *alone) Return(int) error      { return a.never() }

func (a *alone) never() error {
	if a.real {
		return nil
	}
	return errors.New("it is alone and cannot leave")
}

func (a *alone) trouble() string {
	if z, ok := a.process.(*zkdserver.Server); ok {
		return z.Trouble()
	}
	return ""
}

// several is a side of an ensemble, which ends with the test it was started in.
type several struct {
	*ensemble.Ensemble
	real bool
	n    int
}

func (s *several) Addr() string                  { return s.Servers[0].Addr() }
func (s *several) Stop() error                   { return nil }
func (s *several) trouble() string               { return "" } // the ensemble tells the test itself
func (s *several) broken() int                   { return s.n }
func (s *several) Restart(context.Context) error { return errors.New("an ensemble has outages") }

func (s *several) Addrs() []string {
	var all []string
	for _, srv := range s.Servers {
		all = append(all, srv.Addr())
	}
	return all
}

func (s *several) Break(_ context.Context, o script.Outage) error {
	if s.real && !o.Real {
		return nil
	}
	switch o.Who {
	case "all":
		return s.end(o.Kill, s.Servers...)
	case "leader":
		return s.end(o.Kill, s.AwaitLeader())
	case "rolling":
		for _, srv := range s.Servers {
			if err := s.end(o.Kill, srv); err != nil {
				return err
			}
		}
		return nil
	}
	n, err := strconv.Atoi(o.Who)
	if err != nil || n < 1 || n > len(s.Servers) {
		return fmt.Errorf("no server %q", o.Who)
	}
	return s.end(o.Kill, s.Servers[n-1])
}

func (s *several) Leave(n int, kill bool) error {
	if s.real {
		return nil
	}
	return s.stop(kill, s.Servers[n-1])
}

func (s *several) Return(n int) error {
	if !s.real {
		s.Ensemble.Restart(s.Servers[n-1])
	}
	return nil
}

// end ends servers at once and waits until they serve again.
func (s *several) end(kill bool, servers ...*ensemble.Server) error {
	err := s.stop(kill, servers...)
	s.Ensemble.Restart(servers...)
	return err
}

func (s *several) stop(kill bool, servers ...*ensemble.Server) error {
	for _, srv := range servers {
		s.n++
		if kill {
			srv.Kill()
		} else if err := srv.Terminate(); err != nil {
			return err
		}
	}
	return nil
}
