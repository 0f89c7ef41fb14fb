package server

import "golang.org/x/sys/unix"

// osName and osRelease are what envi calls os.name and os.version, as uname(2) has them.
func osName() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return "?"
	}
	return unix.ByteSliceToString(u.Sysname[:])
}

func osRelease() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return "?"
	}
	return unix.ByteSliceToString(u.Release[:])
}
