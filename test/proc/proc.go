// Package proc reads what Linux tells of a process in /proc (time, memory, writes, descriptors: proc(5)), and has the
// processes that a test starts end with it.
package proc

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// clockTick is the unit of /proc/PID/stat; USER_HZ is 100 on every Linux platform Go runs on.
const clockTick = 10 * time.Millisecond

// CPU is the user and system time a process has used, its threads that ended included.
func CPU(pid int) (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	return parseCPU(b)
}

// parseCPU reads fields 14 and 15 of proc(5) stat. The command (field 2) may hold blanks and ends at
// the last parenthesis.
func parseCPU(stat []byte) (time.Duration, error) {
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc stat has %d fields after the command", len(fields))
	}
	user, err := strconv.ParseInt(string(fields[11]), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("/proc stat utime: %w", err)
	}
	sys, err := strconv.ParseInt(string(fields[12]), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("/proc stat stime: %w", err)
	}
	return time.Duration(user+sys) * clockTick, nil
}

// Memory is the resident memory of a process, now and at its highest, in bytes.
type Memory struct{ RSS, Peak int64 }

// MemoryOf returns the memory of a process.
func MemoryOf(pid int) (Memory, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return Memory{}, err
	}
	return Memory{RSS: statusKB(b, "VmRSS:") << 10, Peak: statusKB(b, "VmHWM:") << 10}, nil
}

func statusKB(status []byte, key string) int64 {
	for line := range bytes.Lines(status) {
		if f := bytes.Fields(line); len(f) >= 2 && string(f[0]) == key {
			n, _ := strconv.ParseInt(string(f[1]), 10, 64)
			return n
		}
	}
	return 0
}

// Written is the number of bytes that a process has caused to be written to disks. Only its own user may read it.
func Written(pid int) (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
	if err != nil {
		return 0, err
	}
	return parseWritten(b)
}

func parseWritten(io []byte) (int64, error) {
	for line := range bytes.Lines(io) {
		if f := bytes.Fields(line); len(f) == 2 && string(f[0]) == "write_bytes:" {
			return strconv.ParseInt(string(f[1]), 10, 64)
		}
	}
	return 0, fmt.Errorf("/proc io without write_bytes")
}

// Descriptors are the files that a process has open, each as what its descriptor leads to, "" if it was closed meanwhile.
func Descriptors(pid int) ([]string, error) {
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	all := make([]string, len(entries))
	for i, e := range entries {
		all[i], _ = os.Readlink(filepath.Join(dir, e.Name()))
	}
	return all, nil
}
