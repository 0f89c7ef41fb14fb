package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"zkd/test/proc"
)

// profileHz is prime, so that it does not beat with timers.
const profileHz = 997

// startProfile has perf(1) sample the stacks of all servers until stop is called, when a directory for
// profiles was given. zkd has no profiling endpoint and needs none for this: Go keeps frame pointers, and
// the bench builds zkd with its symbols. Sampling costs the servers a few per cent of what is measured.
//
//	perf report -i FILE --no-children -g caller
func startProfile(e *ensemble, name string, o *options) (stop func() error, err error) {
	if o.Profiles == "" {
		return func() error { return nil }, nil
	}
	if err := os.MkdirAll(o.Profiles, 0o755); err != nil {
		return nil, err
	}
	var pids []string
	for _, s := range e.servers {
		pids = append(pids, strconv.Itoa(s.pid()))
	}
	file := strings.NewReplacer(" ", "-", ":", "", "×", "x").Replace(e.kind.name + " " + e.name(name) + ".perf")
	var said strings.Builder
	perf := exec.Command("perf", "record", "-q", "-g", "-F", strconv.Itoa(profileHz), "-p", strings.Join(pids, ","),
		"-o", filepath.Join(o.Profiles, file))
	perf.Stdout, perf.Stderr = &said, &said
	perf.SysProcAttr = proc.Child()
	if err := perf.Start(); err != nil {
		return nil, fmt.Errorf("profile: %w", err)
	}
	return func() error {
		// perf writes its file on an interrupt and then ends by that signal itself.
		_ = perf.Process.Signal(syscall.SIGINT)
		err := perf.Wait()
		var exit *exec.ExitError
		if err == nil || errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGINT {
			return nil
		}
		return fmt.Errorf("profile: perf: %w\n%s", err, said.String())
	}, nil
}
