package ensemble

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// CorruptMemory changes a byte of every copy of a marker in the memory of the server's process, and returns how many
// there were. The marker must be known to nothing else in it.
func (s *Server) CorruptMemory(marker []byte) (found int, err error) {
	regions, err := writable(s.PID())
	if err != nil {
		return 0, err
	}
	mem, err := os.OpenFile(fmt.Sprintf("/proc/%d/mem", s.PID()), os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	defer mem.Close()
	for _, r := range regions {
		n, err := corruptRegion(mem, r, marker)
		if err != nil {
			return found, err
		}
		found += n
	}
	return found, nil
}

type region struct{ from, to int64 }

// writable are the regions of a process's memory that it can write itself.
func writable(pid int) (all []region, err error) {
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(maps)) {
		fields := strings.Fields(line)
		if len(fields) < 2 || !strings.HasPrefix(fields[1], "rw") || strings.Contains(line, "[v") {
			continue
		}
		a, b, _ := strings.Cut(fields[0], "-")
		from, err1 := strconv.ParseInt(a, 16, 64)
		to, err2 := strconv.ParseInt(b, 16, 64)
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		all = append(all, region{from, to})
	}
	return all, nil
}

func corruptRegion(mem *os.File, r region, marker []byte) (found int, err error) {
	const step = 4 << 20
	buf := make([]byte, step+len(marker))
	for at := r.from; at < r.to; at += step {
		n, err := mem.ReadAt(buf[:min(int64(len(buf)), r.to-at)], at)
		if err != nil && !errors.Is(err, io.EOF) {
			break // a region that has gone, or cannot be read
		}
		for from := 0; ; {
			i := bytes.Index(buf[from:n], marker)
			if i < 0 || from+i >= step {
				break
			}
			// The last byte, so that the rest can still be found.
			last := at + int64(from+i+len(marker)-1)
			if _, err := mem.WriteAt([]byte{marker[len(marker)-1] ^ 1}, last); err != nil {
				return found, err
			}
			found++
			from += i + len(marker)
		}
	}
	return found, nil
}

// CorruptFiles flips bits in the middle of what the server has on its disk, in files whose path the filter takes, and
// returns their names. The server must not run.
func (s *Server) CorruptFiles(take func(path string) bool) (changed []string, err error) {
	all, err := files(s.DataDir())
	if err != nil {
		return nil, err
	}
	for _, path := range all {
		if !take(path) {
			continue
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return changed, err
		}
		// A preallocated file ends in zeros, which nobody reads.
		used := len(bytes.TrimRight(b, "\x00"))
		if used < 512 {
			continue
		}
		for at := used / 2; at < used/2+64; at++ {
			b[at] ^= 0x55
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			return changed, err
		}
		changed = append(changed, path)
	}
	return changed, nil
}
