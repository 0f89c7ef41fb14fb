package main

import "testing"

func TestCgroupLimit(t *testing.T) {
	files := map[string]string{
		"/sys/fs/cgroup/memory.max":                                     "max\n",
		"/sys/fs/cgroup/pod/memory.max":                                 "2000\n",
		"/sys/fs/cgroup/pod/box/memory.max":                             "3000\n",
		"/sys/fs/cgroup/free/memory.max":                                "max\n",
		"/sys/fs/cgroup/memory/memory.limit_in_bytes":                   "9223372036854771712\n",
		"/sys/fs/cgroup/memory/docker/0123/memory.limit_in_bytes":       "5000\n",
		"/sys/fs/cgroup/memory/docker/unlimited/memory.limit_in_bytes":  "9223372036854771712\n",
		"/sys/fs/cgroup/cpu/docker/unlimited/memory.limit_in_bytes":     "1\n",
		"/sys/fs/cgroup/memory/docker/nonsense/memory.limit_in_bytes":   "plenty\n",
		"/sys/fs/cgroup/memory/docker/nonsense/a/memory.limit_in_bytes": "7000\n",
	}
	for own, want := range map[string]int64{
		"0::/\n":        0,
		"0::/free\n":    0,
		"0::/pod\n":     2000,
		"0::/pod/box\n": 2000,
		"0::/gone/x\n":  0,
		"12:cpu,cpuacct:/docker/unlimited\n4:memory:/docker/0123\n0::/\n": 5000,
		"4:memory:/docker/unlimited\n":                                    0,
		"4:memory:/docker/nonsense/a\n":                                   7000,
		"":                                                                0,
		"broken":                                                          0,
	} {
		if got := cgroupLimit(own, func(file string) string { return files[file] }); got != want {
			t.Errorf("%q: %d, want %d", own, got, want)
		}
	}
}
