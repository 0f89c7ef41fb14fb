package health

import (
	"cmp"
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

// Ask asks all servers of a zoo.cfg at once, and then those that only the
// ensemble knows of; each may take timeout. It returns the list that the ensemble
// has agreed on, that of zoo.cfg if there is none, and the answers by server id.
func Ask(ctx context.Context, cfg *conf.Config, timeout time.Duration) ([]conf.Server, map[int64]Answer) {
	if !cfg.EnsembleMode() {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		return cfg.Servers, map[int64]Answer{cfg.ServerID: askAlone(ctx, cfg)}
	}
	secret := []byte(cfg.QuorumSecret.Reveal())
	answers := map[int64]Answer{}
	ask := func(servers []conf.Server) {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		var mu sync.Mutex
		var asked sync.WaitGroup
		for _, s := range servers {
			asked.Go(func() {
				a := askServer(ctx, &s, secret)
				mu.Lock()
				defer mu.Unlock()
				answers[s.ID] = a
			})
		}
		asked.Wait()
	}
	ask(cfg.Servers)
	list := agreed(answers)
	if list == nil {
		return cfg.Servers, answers
	}
	ask(slices.DeleteFunc(slices.Clone(list), func(s conf.Server) bool {
		a, was := answers[s.ID]
		return was && a.Err == nil
	}))
	for _, s := range cfg.Servers {
		// One that was removed may still be there.
		if !slices.ContainsFunc(list, func(l conf.Server) bool { return l.ID == s.ID }) && answers[s.ID].Err == nil {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b conf.Server) int { return cmp.Compare(a.ID, b.ID) })
	return list, answers
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
	text, err := fourLetters(ctx, reachable(cfg.ClientAddr), "srvr")
	if err != nil {
		return Answer{Err: err}
	}
	s, err := parseSrvr(text)
	s.ServerID = uint64(cfg.ServerID)
	return Answer{s, err}
}
