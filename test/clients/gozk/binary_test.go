package gozk

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zkd/test/proc"
)

// build compiles the tests of the module in source.
func build(t *testing.T, source, dir string) string {
	t.Helper()
	bin := filepath.Join(dir, "zk.test")
	cmd := exec.Command("go", "test", "-c", "-o", bin, ".")
	cmd.Dir = source
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building the tests in %s: %v\n%s", source, err, out)
	}
	return bin
}

// runTests runs a test binary and makes a subtest of each of its tests, but not of their subtests.
func runTests(t *testing.T, dir, bin string, env []string, args ...string) *events {
	t.Helper()
	const limit = 2 * time.Minute
	ctx, cancel := context.WithTimeout(context.Background(), limit+10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", append([]string{"tool", "test2json", bin, "-test.v=test2json",
		"-test.timeout=" + limit.String()}, args...)...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	cmd.SysProcAttr = proc.Child()
	cmd.WaitDelay = 5 * time.Second
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	results := readEvents(out)
	err = cmd.Wait()
	failed := results.report(t)
	if len(results.order) == 0 || (err != nil && !failed) {
		t.Errorf("the tests ended with %v\n%s\n%s", err, strings.Join(results.rest, ""), errs.String())
	}
	return results
}

// events is what test2json says about a run.
type events struct {
	order  []string // tests with a result, as they ended
	action map[string]string
	output map[string][]string
	rest   []string // of no test
}

func readEvents(out io.Reader) *events {
	e := &events{action: map[string]string{}, output: map[string][]string{}}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<22)
	for lines.Scan() {
		var ev struct{ Action, Test, Output string }
		if json.Unmarshal(lines.Bytes(), &ev) != nil {
			continue
		}
		switch {
		case ev.Test == "":
			e.rest = append(e.rest, ev.Output)
		case ev.Action == "output":
			e.output[ev.Test] = append(e.output[ev.Test], ev.Output)
		case ev.Action == "pass" || ev.Action == "fail" || ev.Action == "skip":
			e.order = append(e.order, ev.Test)
			e.action[ev.Test] = ev.Action
		}
	}
	io.Copy(io.Discard, out) // a line too long must not block the program
	return e
}

// passed counts the tests, without their subtests, that have.
func (e *events) passed() (n int) {
	for _, name := range e.order {
		if !strings.Contains(name, "/") && e.action[name] == "pass" {
			n++
		}
	}
	return n
}

func (e *events) report(t *testing.T) (failed bool) {
	for _, name := range e.order {
		if strings.Contains(name, "/") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			switch e.action[name] {
			case "fail":
				failed = true
				t.Error(strings.Join(e.output[name], ""))
			case "skip":
				t.Skip(strings.Join(e.output[name], ""))
			}
		})
	}
	return failed
}
