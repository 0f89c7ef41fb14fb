package suite

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"zkd/test/proc"
)

// Program is a test program of another language.
type Program struct {
	Args  []string
	Dir   string
	Env   []string // the whole environment; nil is the driver's own
	Limit time.Duration
}

// tapLine is a result: "ok", perhaps a number, a name, perhaps "# SKIP reason".
var tapLine = regexp.MustCompile(`^(not )?ok\b(?: +\d+)?(?: +-)? *(.*?)(?: *# *(?i:SKIP)\S* *(.*))?$`)

// Run runs the program and makes a subtest of each TAP line it prints; comment lines ("# …") that follow a
// "not ok" are its failure's text. A program that ends badly, or says nothing, fails the test itself.
func Run(t *testing.T, p Program) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), p.Limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, p.Args[0], p.Args[1:]...)
	cmd.Dir, cmd.Env = p.Dir, p.Env
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
	results, failed, rest := readTAP(out)
	err = cmd.Wait()
	for _, r := range results {
		r.report(t)
	}
	switch {
	case ctx.Err() != nil:
		t.Errorf("%s is not done after %v\n%s%s", p.Args[0], p.Limit, rest, errs.String())
	case len(results) == 0 || (err != nil && !failed):
		t.Errorf("%s ended with %v after %d results\n%s%s", p.Args[0], err, len(results), rest, errs.String())
	}
}

type result struct {
	name, skip string
	ok         bool
	notes      []string
}

func (r result) report(t *testing.T) {
	t.Run(r.name, func(t *testing.T) {
		switch {
		case !r.ok:
			t.Error(strings.Join(r.notes, "\n"))
		case r.skip != "":
			t.Skip(r.skip)
		}
	})
}

// readTAP returns the results, whether one of them failed, and all that was not TAP.
func readTAP(out io.Reader) (results []result, failed bool, rest string) {
	var other strings.Builder
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		if m := tapLine.FindStringSubmatch(line); m != nil {
			results = append(results, result{name: m[2], skip: m[3], ok: m[1] == ""})
			failed = failed || m[1] != ""
		} else if note, ok := strings.CutPrefix(line, "#"); ok && len(results) > 0 {
			r := &results[len(results)-1]
			r.notes = append(r.notes, strings.TrimPrefix(note, " "))
		} else {
			other.WriteString(line + "\n")
		}
	}
	io.Copy(io.Discard, out) // a line too long must not block the program
	return results, failed, other.String()
}
