package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"zkd/test/proc"
)

const (
	zkdName     = "zkd"
	liveHeapKey = "zk_zkd_live_heap_bytes"
)

// zkdKind runs the given binary, or one built from the module into work.
func zkdKind(ctx context.Context, binary, work string, warm time.Duration) (*kind, error) {
	if binary == "" {
		binary = filepath.Join(work, "zkd")
		build := exec.CommandContext(ctx, "go", "build", "-o", binary, "zkd/cmd/zkd")
		if out, err := build.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("build zkd: %w\n%s", err, out)
		}
	}
	binary, err := filepath.Abs(binary)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(binary); err != nil {
		return nil, fmt.Errorf("zkd binary: %w", err)
	}
	return &kind{
		name:      zkdName,
		firstWarm: warm,
		warm:      warm,
		argv:      func(s *server) []string { return []string{binary, "server", "--config", s.cfg()} },
		env:       []string{goTrace},
		liveHeap:  zkdLiveHeap,
		pauses:    goPauses,
	}, nil
}

// zkdLiveHeap reads the server's own figure, which is that of its last garbage collection; resident
// memory, never less than the truth, when it has none (yet).
func zkdLiveHeap(s *server) (heap, error) {
	out, err := fourLetterWord(s.addr, "mntr")
	if err != nil {
		return heap{}, err
	}
	if n, ok := mntrValue(out, liveHeapKey); ok && n > 0 {
		return heap{bytes: n, how: "mntr " + liveHeapKey + ", as of its last collection"}, nil
	}
	m, err := proc.MemoryOf(s.pid())
	return heap{bytes: m.RSS, how: "none yet, as nothing was collected", resident: true}, err
}

func fourLetterWord(addr, word string) (string, error) {
	c, err := net.DialTimeout("tcp", addr, dialTimeout)
	if err != nil {
		return "", err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(callTimeout))
	if _, err := c.Write([]byte(word)); err != nil {
		return "", fmt.Errorf("%s: %w", word, err)
	}
	out, err := io.ReadAll(c)
	if err != nil {
		return "", fmt.Errorf("%s: %w", word, err)
	}
	return string(out), nil
}

// mntrValue finds one key of mntr's "key<TAB>value" lines.
func mntrValue(out, key string) (int64, bool) {
	for lines := bufio.NewScanner(strings.NewReader(out)); lines.Scan(); {
		if f := strings.Fields(lines.Text()); len(f) == 2 && f[0] == key {
			n, err := strconv.ParseFloat(f[1], 64)
			return int64(n), err == nil
		}
	}
	return 0, false
}
