package mutants

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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

// checks returns what is to catch a mutant.
func checks(r rule) []check {
	all := caught[r.name]
	if _, not := unsimulated[r.name]; !not && *seeds > 0 {
		all = append(slices.Clone(all), simulated(*seeds))
	}
	return all
}

// simulated runs so many seeds, or fewer if one fails. They are new each time.
func simulated(seeds int) check {
	first := time.Now().UnixNano() % 1e9
	return check{simulation, "TestSeeds", []string{"-sim.first", fmt.Sprint(first), "-sim.seeds", fmt.Sprint(seeds)}}
}

const simulation = "test/simulation"

// packages returns those whose tests are to catch the mutants.
func packages(chosen []rule) (pkgs []string) {
	for _, r := range chosen {
		for _, c := range checks(r) {
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

// soundWithout checks that the same tests pass where no bug is built in.
func (b *bench) soundWithout(chosen []rule) {
	var all []check
	for _, pkg := range packages(chosen) {
		if pkg == simulation {
			all = append(all, simulated(*seeds))
			continue
		}
		var tests []string
		for _, r := range chosen {
			for _, c := range checks(r) {
				if c.pkg == pkg && !slices.Contains(tests, c.run) {
					tests = append(tests, c.run)
				}
			}
		}
		all = append(all, check{pkg: pkg, run: strings.Join(tests, "|")})
	}
	each(all, func(c check) {
		if found := b.try("", c); found.by != "" {
			b.t.Errorf("without any mutant: %s", found)
		}
	})
}

// run returns what each of the checks makes of a mutant.
func (b *bench) run(r rule) (found []result) {
	for _, c := range checks(r) {
		found = append(found, b.try(r.name, c))
	}
	return found
}

// tries is how often a test is run that has noticed nothing but that time
// passes: the machine may have been busy.
const tries = 3

func (b *bench) try(mutant string, c check) (found result) {
	for range tries {
		if found = b.test(mutant, c); !found.late {
			break
		}
		if c.pkg == simulation {
			c = simulated(*seeds)
		}
	}
	return found
}

// limit is how long a check may take.
const limit = 2 * time.Minute

func (b *bench) test(mutant string, c check) result {
	args := append([]string{"-test.run", "^(" + c.run + ")$", "-test.failfast", "-test.timeout", limit.String()}, c.args...)
	cmd := exec.Command(b.binary(c.pkg), args...)
	cmd.Dir = filepath.Join(b.root, c.pkg)
	cmd.Env = append(os.Environ(), "ZKD_MUTANT="+mutant)
	began := time.Now()
	out, err := cmd.CombinedOutput()
	found := result{rule: mutant, check: c, took: time.Since(began)}
	if err != nil {
		found.read(string(out))
	}
	return found
}
