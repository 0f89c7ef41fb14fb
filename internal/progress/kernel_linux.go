package progress

import (
	"time"

	"golang.org/x/sys/unix"
)

// Count asks the kernel (tcp(7), TCP_INFO and SIOCOUTQ). Before Linux 4.1, and
// where something else stands in for it, bytes are not counted.
func (c socket) Count() (s Sample, ok bool) {
	err := c.raw.Control(func(fd uintptr) {
		info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
		if err != nil || info.Bytes_acked == 0 && info.Bytes_received == 0 {
			return
		}
		waiting, err := unix.IoctlGetInt(int(fd), unix.SIOCOUTQ)
		if err != nil {
			return
		}
		s = Sample{
			Acked: info.Bytes_acked, Waiting: uint64(max(waiting, 0)),
			Sent: time.Duration(info.Last_data_recv) * time.Millisecond,
		}
		ok = true
	})
	return s, ok && err == nil
}
