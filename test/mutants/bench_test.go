package mutants

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// bench holds the tests of each package, built once.
type bench struct {
	t    *testing.T
	root string // of the repository
	dir  string
}

func newBench(t *testing.T) *bench {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return &bench{t: t, root: root, dir: t.TempDir()}
}

func (b *bench) binary(pkg string) string {
	return filepath.Join(b.dir, strings.ReplaceAll(pkg, "/", "-")+".test")
}

// packages returns those whose tests are to catch the mutants.
func packages(chosen []rule) (pkgs []string) {
	for _, r := range chosen {
		for _, c := range caught[r.name] {
			if !slices.Contains(pkgs, c.pkg) {
				pkgs = append(pkgs, c.pkg)
			}
		}
	}
	return pkgs
}

func (b *bench) build(chosen []rule) bool {
	for _, pkg := range packages(chosen) {
		cmd := exec.Command("go", "test", "-c", "-tags", "mutant", "-o", b.binary(pkg), "./"+pkg)
		cmd.Dir = b.root
		if out, err := cmd.CombinedOutput(); err != nil {
			b.t.Errorf("%s: %v\n%s", cmd, err, out)
			return false
		}
	}
	return true
}

// soundWithout tells whether the same tests pass where no bug is built in.
func (b *bench) soundWithout(chosen []rule) bool {
	sound := true
	for _, pkg := range packages(chosen) {
		var tests []string
		for _, r := range chosen {
			for _, c := range caught[r.name] {
				if c.pkg == pkg && !slices.Contains(tests, c.run) {
					tests = append(tests, c.run)
				}
			}
		}
		found := b.test("", check{pkg, strings.Join(tests, "|")})
		if found.by != "nothing" {
			b.t.Errorf("without any mutant: %s", found)
			sound = false
		}
	}
	return sound
}

// run returns what each of the checks makes of a mutant.
func (b *bench) run(r rule) (found []result) {
	for _, c := range caught[r.name] {
		found = append(found, b.test(r.name, c))
	}
	return found
}

// result is what came of a check.
type result struct {
	rule    string
	caught  bool
	by      string // the test, and where it stands
	message string
	took    time.Duration
}

func (r result) String() string {
	return fmt.Sprintf("%-14s %6.1f s  %s: %s", r.rule, r.took.Seconds(), r.by, r.message)
}

// limit is how long a check may take. A mutant that is noticed only by that is
// not caught: nothing says what is wrong.
const limit = 2 * time.Minute

var (
	failed  = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)
	message = regexp.MustCompile(`(?m)^\s+(\S+_test\.go|\S+\.go):\d+: (.+)`)
	// late are the words of tests, and watchdogs, that have waited in vain.
	late = regexp.MustCompile(`(?i)timed out|time is up|deadline|i/o timeout|no progress|never happened|after \d+m?s\b|within \d`)
)

func (b *bench) test(name string, c check) result {
	cmd := exec.Command(b.binary(c.pkg), "-test.run", "^("+c.run+")$", "-test.failfast", "-test.timeout", limit.String())
	cmd.Dir = filepath.Join(b.root, c.pkg)
	cmd.Env = append(os.Environ(), "ZKD_MUTANT="+name)
	began := time.Now()
	out, err := cmd.CombinedOutput()
	found := result{rule: name, took: time.Since(began)}
	found.judge(c, string(out), err)
	return found
}

// judge reads what a test says.
func (r *result) judge(c check, out string, err error) {
	if err == nil {
		r.by, r.message = "nothing", c.pkg+" "+c.run
		if strings.Contains(out, "no tests to run") {
			r.by, r.message = "no such test", c.pkg+" "+c.run
		}
		return
	}
	r.caught = true
	names := failed.FindAllStringSubmatch(out, -1)
	if len(names) > 0 {
		r.by = names[0][1]
	}
	if m := message.FindStringSubmatch(out); m != nil {
		r.message = m[2]
	}
	if at := strings.Index(out, "panic: "); at >= 0 {
		r.message, _, _ = strings.Cut(out[at:], "\n")
		if running := regexp.MustCompile(`running tests:\n\s+(\S+)`).FindStringSubmatch(out); running != nil {
			r.by = running[1]
		}
	}
	if len(r.message) > 160 {
		r.message = r.message[:160] + "…"
	}
	r.message = strings.ReplaceAll(r.message, "|", "¦")
	if late.MatchString(r.message) {
		r.caught, r.message = false, "time limit: "+r.message
	}
	if r.by == "" {
		r.by = c.pkg
	}
}
