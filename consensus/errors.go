package consensus

import "errors"

// Errors of Open and OpenRecovery.
var (
	// ErrIdentity is returned for a directory of another server.
	ErrIdentity = errors.New("the data directory belongs to another server")
	// ErrNoState is returned by OpenRecovery where there is nothing to recover
	// from.
	ErrNoState = errors.New("the data directory has no state of a server")
)

// Errors that end a server, see Config.OnFatal.
var (
	// ErrRejoin ends a server that was removed from the ensemble, or whose
	// state cannot be trusted. It is to be started again, in the same process:
	// it then sets its state aside and joins as a new member.
	ErrRejoin = errors.New("this server must join anew")
	// ErrDamaged ends a server whose state in memory is not what its own digest
	// says.
	ErrDamaged = errors.New("this server's state is damaged")
)

// ErrClosed is returned once the node was closed.
var ErrClosed = errors.New("consensus: closed")
