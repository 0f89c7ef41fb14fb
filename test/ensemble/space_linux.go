package ensemble

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// newSpace makes a namespace with its tunnel.
func newSpace(id int) (s *Space, err error) {
	s = &Space{ID: id, IP: fmt.Sprintf("10.77.0.%d", id)}
	err = onOwnThread(-1, func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return err
		}
		fd, err := unix.Open(threadNamespace(), unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		s.fd = os.NewFile(uintptr(fd), "netns")
		return s.tunnel()
	})
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// tunnel makes the device in the namespace of the thread, with the space's address, and sets it and lo up.
func (s *Space) tunnel() error {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return fmt.Errorf("/dev/net/tun: %w", err)
	}
	sock, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		unix.Close(fd)
		return err
	}
	defer unix.Close(sock)
	set := func(on int, name string, request uint, value func(r *unix.Ifreq) error) {
		var r *unix.Ifreq
		if err == nil {
			r, err = unix.NewIfreq(name)
		}
		if err == nil {
			err = value(r)
		}
		if err == nil {
			err = unix.IoctlIfreq(on, request, r)
		}
	}
	flags := func(f uint16) func(r *unix.Ifreq) error {
		return func(r *unix.Ifreq) error { r.SetUint16(f); return nil }
	}
	number := func(v uint32) func(r *unix.Ifreq) error {
		return func(r *unix.Ifreq) error { r.SetUint32(v); return nil }
	}
	address := func(a net.IP) func(r *unix.Ifreq) error {
		return func(r *unix.Ifreq) error { return r.SetInet4Addr(a.To4()) }
	}
	set(fd, device, unix.TUNSETIFF, flags(unix.IFF_TUN|unix.IFF_NO_PI))
	set(sock, device, unix.SIOCSIFADDR, address(net.ParseIP(s.IP)))
	set(sock, device, unix.SIOCSIFNETMASK, address(net.IPv4(255, 255, 255, 0)))
	set(sock, device, unix.SIOCSIFMTU, number(mtu))
	set(sock, device, unix.SIOCSIFTXQLEN, number(5000))
	set(sock, device, unix.SIOCSIFFLAGS, flags(unix.IFF_UP|unix.IFF_RUNNING))
	set(sock, "lo", unix.SIOCSIFFLAGS, flags(unix.IFF_UP|unix.IFF_RUNNING))
	if err != nil {
		unix.Close(fd)
		return err
	}
	s.tun = os.NewFile(uintptr(fd), device)
	return nil
}

func threadNamespace() string { return fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid()) }

// onOwnThread runs f on a thread in another namespace (-1: f moves it itself) and brings the thread back: it may be the
// parent of a server, which would end with it.
func onOwnThread(namespace int, f func() error) error {
	runtime.LockOSThread()
	home, err := unix.Open(threadNamespace(), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		runtime.UnlockOSThread()
		return err
	}
	defer func() {
		if err := unix.Setns(home, unix.CLONE_NEWNET); err != nil {
			panic(fmt.Sprintf("a thread is lost in a namespace: %v", err))
		}
		unix.Close(home)
		runtime.UnlockOSThread()
	}()
	if namespace >= 0 {
		if err := unix.Setns(namespace, unix.CLONE_NEWNET); err != nil {
			return err
		}
	}
	return f()
}

func mountless(bytes int) (fd int, err error) {
	fs, err := unix.Fsopen("tmpfs", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return -1, err
	}
	defer unix.Close(fs)
	if err := unix.FsconfigSetString(fs, "size", strconv.Itoa(bytes)); err != nil {
		return -1, err
	}
	if err := unix.FsconfigCreate(fs); err != nil {
		return -1, err
	}
	return unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, 0)
}
