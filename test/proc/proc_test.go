package proc

import (
	"os"
	"path/filepath"
	"slices"
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
	m, err := MemoryOf(os.Getpid())
	if err != nil || m.RSS <= 0 || m.Peak < m.RSS {
		t.Errorf("own memory %+v, %v", m, err)
	}
}

func TestParseIO(t *testing.T) {
	n, err := parseWritten([]byte("rchar: 7\nwchar: 8\nread_bytes: 0\nwrite_bytes: 4096\ncancelled_write_bytes: 9\n"))
	if err != nil || n != 4096 {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := parseWritten([]byte("rchar: 7\n")); err == nil {
		t.Error("no write_bytes, and no error")
	}
}

func TestDescriptors(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "open"))
	if err != nil {
		t.Fatal(err)
	}
	open := func() bool {
		all, err := Descriptors(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		return slices.Contains(all, f.Name())
	}
	if !open() {
		t.Error("an open file is missing")
	}
	f.Close()
	if open() {
		t.Error("a closed file is there")
	}
}
