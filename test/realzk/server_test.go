package realzk

import (
	"net"
	"os"
	"strings"
	"testing"
)

// Every ZooKeeper found here starts, answers, comes back after a crash and leaves nothing behind.
func TestStart(t *testing.T) {
	if testing.Short() {
		t.Skip("a ZooKeeper takes long to start, and this is -short")
	}
	found := Find()
	if len(found) == 0 {
		t.Skip("no ZooKeeper here (run test/realzk/install.sh)")
	}
	for _, dist := range found {
		t.Run(dist.Version, func(t *testing.T) {
			s, err := Start(t.Context(), dist, Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Stop()
			first := s.PID()
			if !strings.HasPrefix(s.Addr(), "127.0.0.1:") || first == 0 {
				t.Fatalf("addr %s, pid %d", s.Addr(), first)
			}
			if err := s.Restart(t.Context()); err != nil {
				t.Fatal(err)
			}
			if s.PID() == first {
				t.Fatal("Restart kept the process")
			}
			addr, dir := s.Addr(), s.dir
			if err := s.Stop(); err != nil {
				t.Fatal(err)
			}
			if c, err := net.Dial("tcp", addr); err == nil {
				c.Close()
				t.Fatal("still listening after Stop")
			}
			if _, err := os.Stat(dir); err == nil {
				t.Fatalf("%s is still there after Stop", dir)
			}
		})
	}
}

// The newest release of a line is the one that counts, also past a patch number of one digit.
func TestOrderOfReleases(t *testing.T) {
	for _, pair := range [][2]string{{"3.8.9", "3.9.0"}, {"3.9.4", "3.9.5"}, {"3.9.5", "3.9.10"}, {"3.9", "3.9.1"}, {"3.9.10", "3.10.0"}} {
		older, newer := Distribution{Version: pair[0]}, Distribution{Version: pair[1]}
		if !older.before(newer) || newer.before(older) {
			t.Errorf("%s does not come before %s", pair[0], pair[1])
		}
	}
}
