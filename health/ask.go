package health

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"zkd/conf"
	"zkd/consensus"
)

// Answer is what a server said of itself, or why it did not.
type Answer struct {
	Status consensus.Status
	Err    error
}

// Survey is what the servers of an ensemble answered.
type Survey struct {
	Config  string           // a zoo.cfg
	File    []conf.Server    // its server lines
	ByFile  bool             // by zkd.membership=file
	Agreed  []conf.Server    // those that the ensemble has agreed on, nil if nobody knows of any
	Answers map[int64]Answer // by server id
}

// Ask asks all servers of a zoo.cfg at once, and then those that only the
// ensemble knows of. Each round ends after timeout.
func Ask(ctx context.Context, cfg *conf.Config, timeout time.Duration) *Survey {
	s := &Survey{Config: cfg.File, File: cfg.Servers, ByFile: cfg.MembershipByFile, Answers: map[int64]Answer{}}
	if !cfg.EnsembleMode() {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		s.File = []conf.Server{{ID: cfg.ServerID}}
		s.Answers[cfg.ServerID] = askAlone(ctx, cfg)
		return s
	}
	secret := []byte(cfg.QuorumSecret.Reveal())
	s.ask(ctx, s.File, secret, timeout)
	s.Agreed = agreed(s.Answers)
	s.ask(ctx, slices.DeleteFunc(slices.Clone(s.Agreed), func(l conf.Server) bool {
		a, was := s.Answers[l.ID]
		return was && a.Err == nil
	}), secret, timeout)
	return s
}

// ask asks servers at once and notes what they answer.
func (s *Survey) ask(ctx context.Context, servers []conf.Server, secret []byte, timeout time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var mu sync.Mutex
	var asked sync.WaitGroup
	for _, l := range servers {
		asked.Go(func() {
			a := askServer(ctx, &l, secret)
			mu.Lock()
			defer mu.Unlock()
			s.Answers[l.ID] = a
		})
	}
	asked.Wait()
}

// agreed returns the list of servers of whoever is furthest, nil if nobody has
// one.
func agreed(answers map[int64]Answer) (list []conf.Server) {
	var furthest *consensus.Status
	for _, a := range answers {
		if a.Err == nil && len(a.Status.Servers) > 0 && (furthest == nil || a.Status.Applied > furthest.Applied) {
			furthest = &a.Status
		}
	}
	if furthest == nil {
		return nil
	}
	for _, line := range furthest.Servers {
		key, value, _ := strings.Cut(line, "=")
		s, err := conf.ParseServer(key, value)
		if err != nil {
			return nil // a server of another release may write what this one cannot read
		}
		list = append(list, s)
	}
	return list
}

// askServer tries the addresses of a server in order.
func askServer(ctx context.Context, s *conf.Server, secret []byte) (a Answer) {
	var failed []error
	for _, addr := range s.Addrs {
		a.Status, a.Err = consensus.AskStatus(ctx, addr.Election().String(), secret)
		switch {
		case a.Err != nil:
			failed = append(failed, a.Err)
		case a.Status.ServerID != uint64(s.ID):
			failed = append(failed, fmt.Errorf("server %d answers there", a.Status.ServerID))
		default:
			return a
		}
	}
	return Answer{Err: errors.Join(failed...)}
}

// askAlone asks a server that is its whole cluster.
func askAlone(ctx context.Context, cfg *conf.Config) Answer {
	if cfg.ClientAddr == "" {
		return Answer{Err: errors.New("it has no client port")}
	}
	text, err := fourLetters(ctx, Local(cfg), "srvr")
	if err != nil {
		return Answer{Err: err}
	}
	s, err := parseSrvr(text)
	s.ServerID = uint64(cfg.ServerID)
	return Answer{s, err}
}
