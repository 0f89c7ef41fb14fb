// Command run runs the tests as go test does, and says meanwhile how far they are. What was skipped, and why, is in its
// last lines. Flags and packages are those of go test; without packages it is all of them.
//
//	go run ./test/run
//	go run ./test/run -short
//	go run ./test/run -run Kill ./test/crash
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

func main() { os.Exit(run(os.Args[1:], ".", os.Stdout)) }

// run runs go test in a directory, and returns its exit code.
func run(args []string, dir string, out io.Writer) int {
	if !slices.ContainsFunc(args, func(a string) bool { return !strings.HasPrefix(a, "-") }) {
		args = append(args, "./...")
	}
	// One suite after the other: those that run servers want the machine for themselves.
	cmd := exec.Command("go", append([]string{"test", "-json", "-count=1", "-p", "1"}, args...)...)
	cmd.Dir = dir
	// Not the standard error of this process: a test that leaves a child behind would keep it open for whoever reads it.
	pipe, err := cmd.StdoutPipe()
	if err == nil {
		cmd.Stderr = cmd.Stdout
		err = cmd.Start()
	}
	if err != nil {
		fmt.Fprintln(out, "run:", err)
		return 1
	}
	r := newReport(out, time.Now())
	r.read(pipe)
	err = cmd.Wait()
	r.summary(err == nil, time.Now())
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit) && exit.ExitCode() > 0:
		return exit.ExitCode()
	}
	return 1
}

// sayEvery is how long the report is silent at most.
const sayEvery = 10 * time.Second

// read reports on the events of go test as they come, and on the test that runs when none comes.
func (r *report) read(events io.Reader) {
	lines := make(chan string)
	go func() {
		defer close(lines)
		in := bufio.NewReader(events)
		for {
			line, err := in.ReadString('\n')
			if line != "" {
				lines <- line
			}
			if err != nil {
				return
			}
		}
	}()
	tick := time.NewTicker(sayEvery)
	defer tick.Stop()
	for {
		select {
		case line, ok := <-lines:
			if !ok {
				return
			}
			var e event
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				r.say("%s", line) // of go itself
				continue
			}
			r.take(e)
		case now := <-tick.C:
			r.progress(now)
		}
	}
}
