package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"zkd/conf"
	"zkd/consensus"
)

// answer is what a server said of itself, or why it did not.
type answer struct {
	status consensus.Status
	err    error
}

// askAll asks all servers at once, and then those that zoo.cfg does not know of.
// It returns the list that the ensemble has agreed on, if it has one.
func askAll(ctx context.Context, cfg *conf.Config, timeout time.Duration) ([]conf.Server, map[int64]answer) {
	if !cfg.EnsembleMode() {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		return cfg.Servers, map[int64]answer{cfg.ServerID: askAlone(ctx, cfg)}
	}
	secret := []byte(cfg.QuorumSecret.Reveal())
	answers := map[int64]answer{}
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
		return was && a.err == nil
	}))
	for _, s := range cfg.Servers {
		// One that was removed may still be there.
		if !slices.ContainsFunc(list, func(l conf.Server) bool { return l.ID == s.ID }) && answers[s.ID].err == nil {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b conf.Server) int { return cmp.Compare(a.ID, b.ID) })
	return list, answers
}

// agreed returns the list of servers of whoever is furthest, nil if nobody has
// one.
func agreed(answers map[int64]answer) (list []conf.Server) {
	var furthest *consensus.Status
	for _, a := range answers {
		if a.err == nil && len(a.status.Servers) > 0 && (furthest == nil || a.status.Applied > furthest.Applied) {
			furthest = &a.status
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
func askServer(ctx context.Context, s *conf.Server, secret []byte) (a answer) {
	var failed []error
	for _, addr := range s.Addrs {
		a.status, a.err = consensus.AskStatus(ctx, addr.Election().String(), secret)
		switch {
		case a.err != nil:
			failed = append(failed, a.err)
		case a.status.ServerID != uint64(s.ID):
			failed = append(failed, fmt.Errorf("server %d answers there", a.status.ServerID))
		default:
			return a
		}
	}
	return answer{err: errors.Join(failed...)}
}

// askAlone asks a server that is its whole cluster.
func askAlone(ctx context.Context, cfg *conf.Config) answer {
	if cfg.ClientAddr == "" {
		return answer{err: errors.New("it has no client port")}
	}
	text, err := fourLetters(ctx, reachable(cfg.ClientAddr), "srvr")
	if err != nil {
		return answer{err: err}
	}
	s, err := parseSrvr(text)
	s.ServerID = uint64(cfg.ServerID)
	return answer{s, err}
}

// reachable is the address to dial for one to listen on.
func reachable(addr string) string {
	if port, all := strings.CutPrefix(addr, ":"); all {
		return "127.0.0.1:" + port
	}
	return addr
}

// fourLetters sends a four-letter word.
func fourLetters(ctx context.Context, addr, word string) (string, error) {
	c, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return "", err
	}
	defer c.Close()
	if end, ok := ctx.Deadline(); ok {
		_ = c.SetDeadline(end)
	}
	if _, err := io.WriteString(c, word); err != nil {
		return "", err
	}
	const longest = 1 << 20
	b, err := io.ReadAll(io.LimitReader(c, longest))
	return string(b), err
}

// parseSrvr takes from srvr what a Status has of a server without peers, which
// is its own leader.
func parseSrvr(text string) (s consensus.Status, err error) {
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch key {
		case "Mode":
			s.Role = value
		case "Zxid":
			if s.Zxid, err = strconv.ParseInt(value, 0, 64); err != nil {
				return s, fmt.Errorf("srvr says Zxid: %s", value)
			}
		}
	}
	if s.Role == "" {
		line, _, _ := strings.Cut(text, "\n")
		return s, fmt.Errorf("it says: %.80s", line)
	}
	return s, nil
}
