package test

import (
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// What the binary links is what docs/dependencies.md gives reasons for.
func TestDependencies(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}{{end}}{{end}}", "zkd/cmd/zkd").Output()
	if err != nil {
		t.Fatal(err)
	}
	linked := map[string]bool{}
	for _, module := range strings.Fields(string(out)) {
		linked[module] = true
	}
	doc, err := os.ReadFile("../docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, row := range regexp.MustCompile(`(?m)^\| ([a-z]+\.[^ |]+) \|`).FindAllSubmatch(doc, -1) {
		listed[string(row[1])] = true
	}
	if !maps.Equal(linked, listed) {
		t.Errorf("linked: %v\nlisted: %v", slices.Sorted(maps.Keys(linked)), slices.Sorted(maps.Keys(listed)))
	}
}
