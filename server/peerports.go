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
	if cfg.Ensemble != nil {
		cfg.Ensemble.ListenAgain = s.listenAgain(ctx)
	}
	n, err := consensus.Open(cfg, newMachine(s))
	switch {
	case err == nil:
		return n, nil
	case unresolved(err) != nil || listening(err):
		return nil, &peerPortError{err}
	}
	return nil, &dataError{err}
}

// listenAgain waits until the next attempt, if there is to be one.
func (s *Server) listenAgain(ctx context.Context) func(error) bool {
	attempt, unnamed := 0, 0
	return func(err error) bool {
		if name := unresolved(err); name != nil {
			if unnamed%sayAgain == 0 {
				s.log.Warn("this server's own name does not resolve yet, waiting for it", "name", name.Name, "err", err)
			}
			unnamed++
		} else {
			if attempt++; !listening(err) || attempt == s.cfg.PeerBindRetries {
				return false
			}
			s.log.Warn("cannot listen for the other servers, trying again", "err", err, "attempt", attempt)
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(bindPause):
			return true
		}
	}
}

// unresolved returns the error about a name that does not resolve, if err is one.
func unresolved(err error) (name *net.DNSError) {
	errors.As(err, &name)
	return name
}

// listening tells whether err is about an address that cannot be listened on.
func listening(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "listen"
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
