package test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// link is a test or a scenario that docs/faults.md names, and the file it is in.
var link = regexp.MustCompile(`\[([^\]]+)\]\(([^)]+\.(?:go|py|java))\)`)

// The table of faults is true: each test is in the file it is said to be in, and each fault is tested somewhere. What
// is not called Test… or Fuzz… is a scenario, whose name is a string there; of other languages it is a whole file.
func TestFaultsAreTested(t *testing.T) {
	text, err := os.ReadFile("../docs/faults.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range link.FindAllStringSubmatch(string(text), -1) {
		name, file := m[1], m[2]
		source, err := os.ReadFile(filepath.Join("../docs", file))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if filepath.Ext(file) != ".go" {
			continue // a whole file of another language
		}
		want := `"` + name + `"`
		if strings.HasPrefix(name, "Test") || strings.HasPrefix(name, "Fuzz") {
			want = "\nfunc " + name + "("
		}
		if !strings.Contains(string(source), want) {
			t.Errorf("%s is not in %s", name, file)
		}
	}
	_, table, found := strings.Cut(string(text), "\n|---")
	if !found {
		t.Fatal("docs/faults.md has no table")
	}
	rows := 0
	for line := range strings.Lines(table) {
		if !strings.HasPrefix(line, "| ") {
			continue
		}
		rows++
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 5 {
			t.Errorf("%d cells instead of 5: %s", len(cells), line)
			continue
		}
		for _, c := range cells[2:4] {
			if !link.MatchString(c) && !strings.HasPrefix(c, " – ") {
				t.Errorf("a cell has no test, and does not say why: %s", cells[0])
			}
		}
		if !link.MatchString(line) {
			t.Errorf("nothing tests it: %s", cells[0])
		}
	}
	if rows < 26 {
		t.Errorf("%d rows", rows)
	}
}

// kept is what docs/testing.md says keeps a bug away: a folder and the tests in it, as in `consensus` TestThis, TestThat.
var kept = regexp.MustCompile("`([a-z/]+)` (Test[A-Za-z]+(?:, Test[A-Za-z]+)*)")

// The list of bugs is true: what is said to keep them away is there.
func TestBugsAreKeptAway(t *testing.T) {
	text, err := os.ReadFile("../docs/testing.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "\n## Bugs found\n")
	found := 0
	for _, m := range kept.FindAllStringSubmatch(table, -1) {
		sources, err := filepath.Glob(filepath.Join("..", m[1], "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		var all strings.Builder
		for _, path := range sources {
			source, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			all.Write(source)
		}
		for name := range strings.SplitSeq(m[2], ", ") {
			found++
			if !strings.Contains(all.String(), "\nfunc "+name+"(") {
				t.Errorf("%s is not in %s", name, m[1])
			}
		}
	}
	if found < 30 {
		t.Errorf("%d tests are named", found)
	}
}
