package progress

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// read asks the kernel (tcp(7), TCP_INFO and SIOCOUTQ). Before Linux 4.1, and
// where something else stands in for it, bytes are not counted.
func read(raw syscall.RawConn) (s sample, ok bool) {
	err := raw.Control(func(fd uintptr) {
		info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
		if err != nil || info.Bytes_acked == 0 && info.Bytes_received == 0 {
			return
		}
		waiting, err := unix.IoctlGetInt(int(fd), unix.SIOCOUTQ)
		if err != nil {
			return
		}
		s = sample{
			acked: info.Bytes_acked, waiting: uint64(max(waiting, 0)),
			received: time.Duration(info.Last_data_recv) * time.Millisecond,
		}
		ok = true
	})
	return s, ok && err == nil
}
