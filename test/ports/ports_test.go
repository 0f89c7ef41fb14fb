package ports

import (
	"fmt"
	"net"
	"testing"
)

// Ports are given once, can be listened on, and are none that the kernel gives to connections.
func TestTake(t *testing.T) {
	seen := map[int]bool{}
	for range 50 {
		port := For(t)
		if seen[port] {
			t.Errorf("%d is given twice", port)
		}
		seen[port] = true
		if port < lowest || port > highest {
			t.Errorf("%d is out of range", port)
		}
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			t.Error(err)
			continue
		}
		l.Close()
		if other, err := listen(guard, port); err == nil {
			other.Close()
			t.Errorf("another process may take %d", port)
		}
	}
}
