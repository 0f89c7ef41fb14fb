package main

import (
	"os"
	"path"
	"runtime/debug"
	"strconv"
	"strings"
)

// limitMemory makes the garbage collector work harder when memory comes near
// what the cgroup allows, rather than have the kernel kill the server for its
// garbage. An operator's GOMEMLIMIT stands.
func limitMemory() {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return // no Linux
	}
	limit := cgroupLimit(string(own), func(file string) string {
		b, err := os.ReadFile(file)
		if err != nil {
			return "" // of a cgroup that is not mounted here
		}
		return string(b)
	})
	if limit > 0 {
		debug.SetMemoryLimit(limit - limit/10) // files being written are counted, too
	}
}

// cgroupLimit returns the least limit of the cgroups that /proc/self/cgroup
// names and of those above them, 0 if there is none (cgroups(7)).
func cgroupLimit(own string, read func(file string) string) (limit int64) {
	for _, line := range strings.Split(own, "\n") {
		_, rest, _ := strings.Cut(line, ":")
		controllers, dir, ok := strings.Cut(rest, ":")
		root, file := "/sys/fs/cgroup", "memory.max"
		switch {
		case !ok:
			continue
		case controllers == "memory":
			root, file = root+"/memory", "memory.limit_in_bytes"
		case controllers != "":
			continue
		}
		for dir = path.Clean("/" + dir); ; dir = path.Dir(dir) {
			// "max", and without a limit a number near the largest, are none.
			n, err := strconv.ParseInt(strings.TrimSpace(read(path.Join(root, dir, file))), 10, 64)
			if err == nil && n > 0 && n < 1<<60 && (limit == 0 || n < limit) {
				limit = n
			}
			if dir == "/" {
				break
			}
		}
	}
	return limit
}
