package peer

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The follower's end of a pipeline is gone without a word, as when its kernel could not send an answer through a link
// that was cut and gave the connection up. The leader awaits that answer and has nothing to send. It hears of it from
// the follower's kernel long before it would have had enough of waiting.
func TestVanishedFollowerIsNoticed(t *testing.T) {
	p, _, to := pipe(t)
	f := sendTo(t, p, message(7, 4, 2, 1))
	received(t, to) // and never answered
	to.stream.mu.Lock()
	var ends []net.Conn
	for c := range to.stream.conns {
		ends = append(ends, c.Conn)
	}
	to.stream.mu.Unlock()
	// An acknowledgement that is still to come would find that nobody is there.
	for _, c := range append(ends, p.conn.Conn) {
		eventually(t, "everything is acknowledged", func() bool { return unacknowledgedBy(t, c) == 0 })
	}
	for _, c := range ends {
		vanish(t, c)
	}
	select {
	case <-p.Consumer():
	case <-time.After(patient):
		t.Fatal("the leader still waits")
	}
	if err := f.Error(); !errors.Is(err, io.EOF) {
		t.Errorf("the leader was told %v, should hear that the connection is over", err)
	}
}

// unacknowledgedBy is how many segments that an end has sent its peer has not acknowledged.
func unacknowledgedBy(t *testing.T, c net.Conn) (segments uint32) {
	t.Helper()
	onSocket(t, c, func(fd int) error {
		info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		if err == nil {
			segments = info.Unacked
		}
		return err
	})
	return segments
}

// vanish closes an end and sends nothing.
func vanish(t *testing.T, c net.Conn) {
	t.Helper()
	onSocket(t, c, func(fd int) error { return unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_REPAIR, 1) })
	c.Close()
}

func onSocket(t *testing.T, c net.Conn, f func(fd int) error) {
	t.Helper()
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = f(int(fd)) }); err != nil {
		t.Fatal(err)
	}
	if failed != nil {
		t.Skipf("a connection cannot be made to vanish here: %v", failed)
	}
}
