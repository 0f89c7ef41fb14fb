package guard

import (
	"context"
	"fmt"
	"net"
	"os"
	"runtime"
	"testing"
	"time"

	"zkd/test/quick"
	"zkd/test/wire"
	"zkd/test/zkdserver"
)

const patience = 30 * time.Second

func TestMain(m *testing.M) {
	quick.LeaveOut()
	code := m.Run()
	zkdserver.CleanUp()
	os.Exit(code)
}

// counts are what the kernel counts of a process (proc_pid_io(5)).
type counts struct{ reads, writes, written int64 }

func countsOf(t *testing.T, pid int) (c counts) {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
	if err != nil {
		t.Fatal(err)
	}
	var rchar, wchar, readBytes int64
	if _, err := fmt.Sscanf(string(b), "rchar: %d\nwchar: %d\nsyscr: %d\nsyscw: %d\nread_bytes: %d\nwrite_bytes: %d",
		&rchar, &wchar, &c.reads, &c.writes, &readBytes, &c.written); err != nil {
		t.Fatalf("/proc/%d/io: %v: %q", pid, err, b)
	}
	return c
}

// guarded starts a server with ten znodes of 100 bytes below /g and connects to it.
func guarded(t *testing.T) (*zkdserver.Server, net.Conn) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("system calls are counted by Linux alone")
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	s, err := zkdserver.Start(ctx, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Stop() })
	nc, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	c := wire.NewConn(nc)
	if _, err := c.Connect(wire.ConnectRequest{TimeoutMs: 60_000, Password: make([]byte, 16)}, patience); err != nil {
		t.Fatal(err)
	}
	if err := nc.SetDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	newLot(t, nc, 11, wire.OpCreate, func(i int) wire.Body {
		path := "/g"
		if i > 0 {
			path = znodeOf(i)
		}
		return wire.Create{Path: path, Data: make([]byte, 100), ACL: wire.OpenACL}
	})
	return s, nc
}

func znodeOf(i int) string { return fmt.Sprintf("/g/%d", i%10) }

func newLot(t *testing.T, nc net.Conn, n int, op wire.Op, body func(i int) wire.Body) *wire.Lot {
	t.Helper()
	l, err := wire.NewLot(nc, n, op, body)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// play sends a lot so many times, each when the one before is answered.
func play(t *testing.T, l *wire.Lot, times int) {
	t.Helper()
	for range times {
		if err := l.Play(); err != nil {
			t.Fatal(err)
		}
	}
}

// However many reads a client has sent, they are taken in by one read(2) and answered by one write(2). Another read(2)
// finds that there is no more, since this client waits for its replies.
func TestSystemCallsOfReads(t *testing.T) {
	s, nc := guarded(t)
	for _, n := range []int{1, 16, 64} {
		l := newLot(t, nc, n, wire.OpGetData, func(i int) wire.Body { return wire.PathWatch{Path: znodeOf(i)} })
		const lots = 1000
		before := countsOf(t, s.PID())
		play(t, l, lots)
		after := countsOf(t, s.PID())
		reads, writes := float64(after.reads-before.reads)/lots, float64(after.writes-before.writes)/lots
		t.Logf("%d getData: %.2f read(2), %.2f write(2)", n, reads, writes)
		if reads > 2.2 || writes > 1.2 {
			t.Errorf("%d getData took %.2f read(2) and %.2f write(2), at most 2.2 and 1.2", n, reads, writes)
		}
	}
}

// A durable set of 100 bytes is logged once, next to many others: what reaches the disk for it is little more than
// itself.
func TestBytesToDiskOfDurableSets(t *testing.T) {
	const sets, lots, limit = 256, 40, 400.0
	s, nc := guarded(t)
	l := newLot(t, nc, sets, wire.OpSetData, func(i int) wire.Body {
		return wire.SetData{Path: znodeOf(i), Data: make([]byte, 100), Version: -1}
	})
	before := countsOf(t, s.PID())
	play(t, l, lots)
	got := float64(countsOf(t, s.PID()).written-before.written) / (sets * lots)
	if got == 0 {
		t.Skip("the temporary directory is on no disk")
	}
	t.Logf("%.0f bytes to disk for a setData of 100 bytes", got)
	if got > limit {
		t.Errorf("%.0f bytes to disk for a setData of 100 bytes, at most %.0f", got, limit)
	}
}
