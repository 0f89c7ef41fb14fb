package main

import (
	"os"
	"os/exec"
	"testing"
)

func TestParseHeap(t *testing.T) {
	n, err := parseHistogramTotal([]byte(" num     #instances         #bytes  class name\n   1:   10   20  [B\nTotal          4711       589000\n"))
	if err != nil || n != 589000 {
		t.Errorf("total %d, %v", n, err)
	}
	if n, ok := mntrValue("zk_version\t3.9.5\nzk_zkd_live_heap_bytes\t12345\n", liveHeapKey); !ok || n != 12345 {
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
