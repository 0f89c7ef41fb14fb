package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// event is one of go test -json; see go doc test2json.
type event struct {
	Time       time.Time
	Action     string
	Package    string
	ImportPath string // of what is built
	Test       string
	Elapsed    float64 // in seconds
	Output     string
}

// report makes of events what a person wants to know.
type report struct {
	out   io.Writer
	began time.Time
	said  time.Time // when something was written last

	running map[string]*test // those that run, by package and name
	skipped map[string][]string
	reasons []string        // the keys of skipped, in the order met
	told    map[string]bool // packages of which a failed test was shown
	passed  int
	failed  []string
}

// test is one that runs, or the package itself.
type test struct {
	pkg, name string
	began     time.Time
	output    strings.Builder
}

func newReport(out io.Writer, now time.Time) *report {
	return &report{out: out, began: now, said: now, running: map[string]*test{}, skipped: map[string][]string{}, told: map[string]bool{}}
}

func (r *report) say(format string, args ...any) {
	r.said = time.Now()
	fmt.Fprintf(r.out, format, args...)
}

func (r *report) take(e event) {
	key := e.Package + " " + e.Test
	switch e.Action {
	case "start", "run":
		r.running[key] = &test{pkg: e.Package, name: e.Test, began: e.Time}
	case "output":
		if t := r.running[key]; t != nil {
			t.output.WriteString(e.Output)
		}
	case "build-output":
		r.say("%s", e.Output)
	case "pass", "fail", "skip":
		t := r.running[key]
		delete(r.running, key)
		switch {
		case t == nil:
		case e.Test == "":
			r.endPackage(t, e)
		case e.Action == "fail":
			r.told[t.pkg] = true
			r.say("%s", t.output.String())
		case e.Action == "skip":
			r.skip(t)
		}
	}
}

// endPackage says how a package has ended. One without tests is no news.
func (r *report) endPackage(t *test, e event) {
	text := t.output.String()
	switch {
	case e.Action == "fail":
		r.failed = append(r.failed, t.pkg)
		if !r.told[t.pkg] {
			r.say("%s", text)
		}
		r.say("FAIL  %-28s %7.1fs\n", t.pkg, e.Elapsed)
	case strings.Contains(text, "[no test files]"):
	case strings.Contains(text, "[no tests to run]"):
		r.say("-     %-28s no tests to run\n", t.pkg)
	default:
		r.passed++
		r.say("ok    %-28s %7.1fs\n", t.pkg, e.Elapsed)
	}
	for key, left := range r.running { // a panic ends them without a word
		if left.pkg == t.pkg {
			if e.Action == "fail" {
				r.say("%s", left.output.String())
			}
			delete(r.running, key)
		}
	}
}

// skip notes why a test was skipped: the last line it wrote, without the place and what go test adds.
func (r *report) skip(t *test) {
	reason := "it does not say why"
	for line := range strings.Lines(t.output.String()) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "=== ") || strings.HasPrefix(line, "--- ") {
			continue
		}
		reason = line
		if place, text, ok := strings.Cut(line, ": "); ok && strings.Contains(place, ".go:") {
			reason = text
		}
	}
	reason = t.pkg + ": " + reason
	if r.skipped[reason] == nil {
		r.reasons = append(r.reasons, reason)
	}
	r.skipped[reason] = append(r.skipped[reason], t.name)
}

// progress says what runs, when nothing has been said for long: the test that was started last of the oldest package.
func (r *report) progress(now time.Time) {
	if now.Sub(r.said) < sayEvery {
		return
	}
	var newest *test
	for _, t := range r.running {
		if t.name != "" && (newest == nil || t.began.After(newest.began)) {
			newest = t
		}
	}
	if newest == nil {
		r.say("      go builds\n")
		return
	}
	pkg := r.running[newest.pkg+" "]
	r.say("      %-28s %7.1fs  %s\n", newest.pkg, now.Sub(pkg.began).Seconds(), newest.name)
}

// summary are the last lines.
func (r *report) summary(ok bool, now time.Time) {
	skips := 0
	for _, tests := range r.skipped {
		skips += len(tests)
	}
	if skips > 0 {
		r.say("\nskipped:\n")
		slices.Sort(r.reasons)
	}
	for _, reason := range r.reasons {
		const few = 3
		tests := r.skipped[reason]
		names := strings.Join(tests[:min(few, len(tests))], ", ")
		if more := len(tests) - few; more > 0 {
			names += fmt.Sprintf(" and %d more", more)
		}
		r.say("  %s (%s)\n", reason, names)
	}
	verdict := "ok"
	if !ok {
		verdict = "FAIL"
	}
	if len(r.failed) > 0 {
		r.say("\nfailed: %s\n", strings.Join(r.failed, ", "))
	}
	r.say("\n%s: %d packages passed, %d failed, %d tests skipped, in %v\n", verdict, r.passed, len(r.failed), skips, now.Sub(r.began).Round(time.Second))
}
