package server

import (
	"context"
	"errors"
	"net"
	"time"

	"zkd/consensus"
)

// bindPause is the time between two attempts to listen on the peer ports.
const bindPause = time.Second

// open opens the node. Peer ports that cannot be listened on are tried as often
// as electionPortBindRetry says: a container may start before it has its name,
// or while its predecessor still ends.
func (s *Server) open(ctx context.Context, cfg consensus.Config) (*consensus.Node, error) {
	for try := 1; ; try++ {
		n, err := consensus.Open(cfg, newMachine(s))
		var op *net.OpError
		switch listening := errors.As(err, &op) && op.Op == "listen"; {
		case err == nil:
			return n, nil
		case !listening:
			return nil, &dataError{err}
		case try == s.cfg.PeerBindRetries:
			return nil, &peerPortError{err}
		}
		s.log.Warn("cannot listen for the other servers, trying again", "err", err, "attempt", try)
		select {
		case <-ctx.Done():
			return nil, &peerPortError{err}
		case <-time.After(bindPause):
		}
	}
}

// peerPortError is about the ports for the other servers.
type peerPortError struct{ err error }

func (e *peerPortError) Error() string { return e.err.Error() }
func (e *peerPortError) Unwrap() error { return e.err }

// IsPeerPortError tells whether Start failed because a port for the other
// servers cannot be listened on.
func IsPeerPortError(err error) bool {
	var p *peerPortError
	return errors.As(err, &p)
}
