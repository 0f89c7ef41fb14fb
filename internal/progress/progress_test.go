package progress

import (
	"crypto/tls"
	"io"
	"net"
	"runtime"
	"testing"
	"time"
)

// pair is a connection over loopback over which something has gone.
func pair(t *testing.T) (here, there net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	there, err = net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	here, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { here.Close(); there.Close() })
	if _, err := there.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(here, make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	return here, there
}

func able(t *testing.T, m *Meter) {
	t.Helper()
	if !m.Able() {
		if runtime.GOOS == "linux" {
			t.Fatal("the kernel does not count")
		}
		t.Skip("this kernel does not count")
	}
}

func TestMeterOfABlockedWriter(t *testing.T) {
	here, there := pair(t)
	m := New(here)
	able(t, &m)
	// Until nothing more is taken.
	_ = here.SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
	if _, err := here.Write(make([]byte, 64<<20)); err == nil {
		t.Fatal("64 MB were taken")
	}
	m.Look(true)
	for range 3 {
		if signs, ok := m.Look(true); !ok || signs.Took || !m.Behind() {
			t.Errorf("nothing was taken: %+v, %v", signs, ok)
		}
	}
	if _, err := io.ReadFull(there, make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	took := false
	for end := time.Now().Add(5 * time.Second); !took && time.Now().Before(end); time.Sleep(time.Millisecond) {
		signs, _ := m.Look(false) // also if nobody waits: some of it is still there
		took = signs.Took
	}
	if !took {
		t.Error("nobody saw that a megabyte was taken")
	}
}

func TestMeterOfAnIdlePeer(t *testing.T) {
	here, there := pair(t)
	m := New(here)
	able(t, &m)
	m.Look(false)
	for range 20 {
		if _, err := here.Write([]byte("event")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
		if signs, ok := m.Look(false); !ok || signs.Took {
			t.Fatalf("its kernel has taken it: %+v, %v", signs, ok)
		}
	}
	time.Sleep(100 * time.Millisecond)
	if signs, _ := m.Look(false); signs.Sent < 50*time.Millisecond || m.Behind() {
		t.Errorf("it has sent something %v ago, is behind: %v", signs.Sent, m.Behind())
	}
	if _, err := there.Write([]byte("ping")); err != nil {
		t.Fatal(err)
	}
	sent := time.Hour
	for end := time.Now().Add(5 * time.Second); sent > 50*time.Millisecond && time.Now().Before(end); {
		signs, _ := m.Look(false)
		sent = signs.Sent
	}
	if sent > 50*time.Millisecond {
		t.Errorf("the last bytes came %v ago", sent)
	}
}

// What goes over a connection that is kept secret is counted below it.
func TestMeterBelowTLS(t *testing.T) {
	here, _ := pair(t)
	m := New(tls.Server(here, &tls.Config{MinVersion: tls.VersionTLS12}))
	able(t, &m)
}

func TestMeterOfNoSocket(t *testing.T) {
	here, there := net.Pipe()
	defer here.Close()
	defer there.Close()
	m := New(here)
	if _, ok := m.Look(true); ok || m.Able() || m.Behind() {
		t.Error("a pipe has a kernel that counts")
	}
}
