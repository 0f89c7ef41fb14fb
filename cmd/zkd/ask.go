package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"

	"zkd/conf"
	"zkd/consensus"
)

// answer is what a server said of itself, or why it did not.
type answer struct {
	status consensus.Status
	err    error
}

// askAll asks all servers at once, until ctx ends.
func askAll(ctx context.Context, cfg *conf.Config) map[int64]answer {
	if !cfg.EnsembleMode() {
		return map[int64]answer{cfg.ServerID: askAlone(ctx, cfg)}
	}
	var mu sync.Mutex
	var asked sync.WaitGroup
	answers := map[int64]answer{}
	for _, s := range cfg.Servers {
		asked.Go(func() {
			a := askServer(ctx, &s, []byte(cfg.QuorumSecret.Reveal()))
			mu.Lock()
			defer mu.Unlock()
			answers[s.ID] = a
		})
	}
	asked.Wait()
	return answers
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
