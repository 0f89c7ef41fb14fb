//go:build !linux

package peer

import (
	"net"
	"time"
)

// setUserTimeout does nothing here: the kernel's own patience counts.
func setUserTimeout(*net.TCPConn, time.Duration) {}
