package consensus

import "errors"

// ErrRejoin ends a server whose raft directory was set aside: it was removed
// from the ensemble, or what it had could not be trusted. It is to be started
// again, in the same process, and then joins as a new member.
var ErrRejoin = errors.New("this server must join anew")
