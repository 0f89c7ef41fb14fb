package mutants

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// result is what came of a check.
type result struct {
	rule    string
	check   check
	by      string // the test that failed, "" if none did
	message string // its first complaint
	late    bool   // which is only that it has waited in vain
	took    time.Duration
}

// caught tells whether the check has said what is wrong.
func (r result) caught() bool { return r.by != "" && !r.late }

func (r result) String() string {
	by := r.by
	switch {
	case by == "":
		by = "nothing, by " + r.check.run
	case r.late:
		by += ", by a time limit only"
	}
	return fmt.Sprintf("%-14s %6.1f s  %s: %s", r.rule, r.took.Seconds(), by, r.message)
}

var (
	failed    = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)
	complaint = regexp.MustCompile(`(?m)^\s+\S+\.go:\d+: (.+)`)
	promise   = regexp.MustCompile(`\bI\d [a-z -]+: .+`) // of test/oracle and test/simulation
	panicked  = regexp.MustCompile(`(?m)^panic: (.+)`)
	running   = regexp.MustCompile(`running tests:\n\s+(\S+)`)
	// late are the words of tests, and watchdogs, that have waited in vain.
	late = regexp.MustCompile(`(?i)timed out|time is up|deadline exceeded|before the deadline|i/o timeout|no progress|never happened|after \d+m?s\b`)
)

// longest is how much of a complaint is shown.
const longest = 200

// read finds in the output of a test that failed what was wrong.
func (r *result) read(out string) {
	r.by = r.check.run
	if m := failed.FindStringSubmatch(out); m != nil {
		r.by = m[1]
	}
	if m := panicked.FindStringSubmatch(out); m != nil {
		r.message = m[1]
		if m := running.FindStringSubmatch(out); m != nil {
			r.by = m[1]
		}
	} else if m := promise.FindString(out); m != "" && r.check.pkg == simulation {
		var check string
		check, r.message, _ = strings.Cut(m, ": ")
		r.by = "simulation, " + check
	} else if m := complaint.FindStringSubmatch(out); m != nil {
		r.message = m[1]
	}
	r.late = late.MatchString(r.message)
	if len(r.message) > longest {
		r.message = strings.ToValidUTF8(r.message[:longest], "") + "…"
	}
}

// report prints the table, and fails for each mutant that survives.
func report(t *testing.T, chosen []rule, results []result) {
	var text strings.Builder
	var took []time.Duration
	both := 0
	fmt.Fprintf(&text, "\n| mutant | a server that is right | caught by | s | which says |\n|---|---|---|---|---|\n")
	for _, r := range chosen {
		var catches []result
		simulation := false
		for _, f := range results {
			if f.rule != r.name {
				continue
			}
			if f.caught() {
				catches = append(catches, f)
				simulation = simulation || strings.HasPrefix(f.by, "simulation")
			}
			fmt.Fprintf(&text, "| `%s` | %s | %s | %.1f | %s |\n", r.name, r.says, shown(f), f.took.Seconds(),
				strings.ReplaceAll(f.message, "|", `\|`))
		}
		if len(catches) == 0 {
			t.Errorf("%s survives: no check notices that it is not so that %s", r.name, r.says)
			continue
		}
		if simulation && len(catches) > 1 {
			both++
		}
		took = append(took, slices.MinFunc(catches, func(a, b result) int { return int(a.took - b.took) }).took)
	}
	slices.Sort(took)
	if len(took) > 0 {
		fmt.Fprintf(&text, "\n%d mutants, %d caught, %d of them by a test and by the simulation; median %.1f s, slowest %.1f s\n",
			len(chosen), len(took), both, took[len(took)/2].Seconds(), took[len(took)-1].Seconds())
	}
	t.Log(text.String())
}

// shown is what the table has as the catcher.
func shown(r result) string {
	switch {
	case r.by == "" && r.check.pkg == simulation:
		return "(not the simulation, this time)"
	case r.by == "":
		return "(not " + r.check.run + ")"
	case r.late:
		return "(" + r.by + ", by a time limit only)"
	}
	return r.by
}
