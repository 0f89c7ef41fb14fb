package mutants

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// rule is a mutant as internal/mutant has it.
type rule struct{ name, says string }

// rules reads the names and what they stand for from the source, so that they
// stand in one place.
func rules(t *testing.T) (all []rule) {
	file, err := parser.ParseFile(token.NewFileSet(), "../../internal/mutant/rules.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok {
			name, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, rule{name, strings.TrimSpace(v.Comment.Text())})
		}
		return true
	})
	return all
}

// TestEveryMutantIsRun holds the table and the rules to each other.
func TestEveryMutantIsRun(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range rules(t) {
		if seen[r.name] = true; len(caught[r.name]) == 0 {
			t.Errorf("%s: no test is named that catches it", r.name)
		}
		if r.says == "" {
			t.Errorf("%s: nothing says what is left out", r.name)
		}
	}
	for _, name := range slices.Concat(slices.Collect(maps.Keys(caught)), slices.Collect(maps.Keys(unsimulated)), fast) {
		if !seen[name] {
			t.Errorf("%s is no mutant", name)
		}
	}
}

// TestNothingIsLeftWithoutTheTag holds a server that is built as usual to having
// nothing of the mutants in it.
func TestNothingIsLeftWithoutTheTag(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds zkd, and this is -short")
	}
	words := []string{"ZKD_MUTANT", "zkd/internal/mutant", "server.(*conn).foretell"}
	for tags, want := range map[string]bool{"": false, "mutant": true} {
		path := filepath.Join(t.TempDir(), "zkd")
		cmd := exec.Command("go", "build", "-tags", tags, "-o", path, "./cmd/zkd")
		cmd.Dir = "../.."
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		binary, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range words {
			if has := bytes.Contains(binary, []byte(word)); has != want {
				t.Errorf("built with the tag %q: %q is in it: %t", tags, word, has)
			}
		}
	}
}
