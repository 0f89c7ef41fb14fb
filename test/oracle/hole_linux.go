package oracle

import (
	"os"

	"golang.org/x/sys/unix"
)

// punchHole gives n bytes of a file back to the disk; the file stays as long as it is.
func punchHole(f *os.File, at, n int64) error {
	return unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, at, n)
}
