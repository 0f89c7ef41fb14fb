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

// sayAgain is how many attempts lie between two lines about the same.
const sayAgain = 10

// open opens the node. Peer ports that cannot be listened on are tried as often
// as electionPortBindRetry says: the predecessor of a container may still be
// about to end. A name of this server's own that does not resolve is waited for,
// as the others' are: a container may start before it has its name.
func (s *Server) open(ctx context.Context, cfg consensus.Config) (*consensus.Node, error) {
	unnamed := 0
	for try := 1; ; try++ {
		n, err := consensus.Open(cfg, newMachine(s))
		var op *net.OpError
		var name *net.DNSError
		if errors.As(err, &name) {
			if try--; unnamed%sayAgain == 0 {
				s.log.Warn("this server's own name does not resolve yet, waiting for it", "name", name.Name, "err", err)
			}
			unnamed++
			select {
			case <-ctx.Done():
				return nil, &peerPortError{err}
			case <-time.After(bindPause):
			}
			continue
		}
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
