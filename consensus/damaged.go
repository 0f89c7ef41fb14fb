package consensus

import "errors"

// ErrDamaged is why a server stops whose state in memory is not what its own
// digest says.
var ErrDamaged = errors.New("this server's state is damaged")
