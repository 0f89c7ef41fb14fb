package main

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

var hoard [][]byte // of the process that is to run out of memory

// A panic and memory that has run out end the process otherwise than a bad configuration does.
func TestPanicIsNoBadConfiguration(t *testing.T) {
	const how = "ZKD_TEST_PANIC"
	switch os.Getenv(how) {
	case "panic":
		abortOnPanic()
		go panic("on some goroutine")
		select {}
	case "memory":
		abortOnPanic()
		_ = unix.Setrlimit(unix.RLIMIT_AS, &unix.Rlimit{Cur: 2 << 30, Max: 2 << 30})
		for {
			hoard = append(hoard, make([]byte, 64<<20))
		}
	case "config":
		os.Exit(run([]string{"server", "/nowhere/zoo.cfg"}))
	}
	for way, says := range map[string]string{"panic": "on some goroutine", "memory": "out of memory", "config": "/nowhere/zoo.cfg"} {
		if way == "memory" && underRace {
			continue
		}
		cmd := exec.Command(os.Args[0], "-test.run", "^TestPanicIsNoBadConfiguration$")
		cmd.Env = append(os.Environ(), how+"="+way)
		cmd.Dir = t.TempDir() // for a core, where the machine makes some
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			t.Fatalf("%s: %v", way, err)
		}
		status := exit.Sys().(syscall.WaitStatus)
		code := status.ExitStatus()
		if status.Signaled() {
			code = 128 + int(status.Signal())
		}
		if want := map[bool]int{true: exitConfig, false: exitAborted}[way == "config"]; code != want {
			t.Errorf("%s: exit code %d, not %d", way, code, want)
		}
		if !strings.Contains(string(out), says) {
			t.Errorf("%s: it says %.300q", way, out)
		}
	}
}
