package health

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"zkd/conf"
	"zkd/consensus"
)

// Live returns nil if the server with that client port answers or hangs up,
// whether it serves clients or not: it need not be started anew. What it says
// does not matter, as the word may not be on its whitelist. A server that has as
// many connections as it may have closes the next one; one that hangs does not.
func Live(ctx context.Context, addr string) error {
	_, err := fourLetters(ctx, addr, "ruok")
	if err != nil && !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
		return fmt.Errorf("%s: %s", addr, reason(err))
	}
	return nil
}

// Ready returns what the server with that client port says of itself if it
// serves clients: it is in contact with a leader that has a majority, and does
// not stop. One that only lets clients read is not ready.
func Ready(ctx context.Context, addr string) (consensus.Status, error) {
	text, err := fourLetters(ctx, addr, "srvr") // no whitelist forbids it
	if err != nil {
		return consensus.Status{}, fmt.Errorf("%s: %s", addr, reason(err))
	}
	s, err := parseSrvr(text)
	if err == nil && s.Role == "read-only" {
		err = errors.New("it has no leader and lets clients only read")
	}
	if err != nil {
		return s, fmt.Errorf("%s: %w", addr, err)
	}
	return s, nil
}

// Local is where this machine's own clients reach the server with that
// configuration; "" if it has no client port.
func Local(cfg *conf.Config) string {
	if cfg.ClientAddr == "" {
		return ""
	}
	return reachable(cfg.ClientAddr)
}
