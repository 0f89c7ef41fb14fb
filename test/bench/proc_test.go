package main

import (
	"os"
	"os/exec"
	"testing"
	"time"
)

func TestParseProc(t *testing.T) {
	got, err := parseCPU([]byte("42 (a (b) c) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20"))
	if err != nil || got != 2*time.Second {
		t.Errorf("CPU time %v, %v", got, err)
	}
	if _, err := parseCPU([]byte("42 (x) S 1")); err == nil {
		t.Error("a short stat passes")
	}
	if n := statusKB([]byte("Name:\tx\nVmHWM:\t  123 kB\nVmRSS:\t 99 kB\n"), "VmHWM:"); n != 123 {
		t.Errorf("VmHWM %d", n)
	}
	m, err := memoryOf(os.Getpid())
	if err != nil || m.rss <= 0 || m.peak < m.rss {
		t.Errorf("own memory %+v, %v", m, err)
	}
}

func TestParseHeap(t *testing.T) {
	n, err := parseHistogramTotal([]byte(" num     #instances         #bytes  class name\n   1:   10   20  [B\nTotal          4711       589000\n"))
	if err != nil || n != 589000 {
		t.Errorf("total %d, %v", n, err)
	}
	if n, ok := mntrValue("zk_version\t3.9.4\nzk_zkd_live_heap_bytes\t12345\n", liveHeapKey); !ok || n != 12345 {
		t.Errorf("mntr %d, %v", n, ok)
	}
}

// ownServer stands for a server process by the test's own, for what reads /proc.
func ownServer(t *testing.T) *server {
	t.Helper()
	p, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	return &server{kind: &kind{name: "fake", stateless: true}, cmd: &exec.Cmd{Process: p}, done: make(chan error, 1)}
}
