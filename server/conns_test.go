package server

import (
	"net/netip"
	"testing"
)

// Who is refused by a limit is found in the log: which limit it is, how many there are, and from where.
func TestRefusalsNameTheLimit(t *testing.T) {
	client := func(addr string) *conn { return &conn{peer: netip.MustParseAddrPort(addr)} }
	all := newConns()
	for _, addr := range []string{"10.0.0.1:1", "10.0.0.1:2", "10.0.0.2:1"} {
		if err := all.add(client(addr), 3, 2); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		total, perAddr int
		want           string
	}{
		{0, 2, "too many connections from 10.0.0.1: 2 are open, and maxClientCnxns is 2"},
		{3, 2, "too many connections: 3 are open, and the limit by maxCnxns and ulimit -n is 3"},
	} {
		if err := all.add(client("10.0.0.1:3"), tt.total, tt.perAddr); err == nil || err.Error() != tt.want {
			t.Errorf("limits %d and %d: %v", tt.total, tt.perAddr, err)
		}
	}
}
