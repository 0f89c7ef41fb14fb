// Package test holds what is tested from outside: one folder a suite. In this
// file are the rules about the repository itself.
package test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// mayImport is the table of docs/architecture.md: what each package may import
// of ours. The pure ones stay pure because this test says so.
var mayImport = map[string][]string{
	"zkd/proto/jute":        {},
	"zkd/proto/zkfile":      {},
	"zkd/digest":            {},
	"zkd/znode":             {"zkd/digest", "zkd/internal/mutant", "zkd/proto/jute"},
	"zkd/session":           {"zkd/digest", "zkd/internal/mutant", "zkd/proto/jute"},
	"zkd/watch":             {"zkd/internal/mutant", "zkd/proto/jute"},
	"zkd/conf":              {},
	"zkd/internal/mutant":   {},
	"zkd/internal/progress": {},
	"zkd/consensus/store":   {"zkd/internal/mutant"},
	"zkd/consensus/peer":    {"zkd/internal/mutant"},
	"zkd/consensus":         {"zkd/internal/mutant", "zkd/consensus/peer", "zkd/consensus/store"},
	"zkd/server/member":     {"zkd/conf", "zkd/internal/mutant", "zkd/proto/jute"},
	"zkd/server":            {"zkd/conf", "zkd/consensus", "zkd/consensus/peer", "zkd/consensus/store", "zkd/digest", "zkd/internal/mutant", "zkd/internal/progress", "zkd/proto/jute", "zkd/proto/zkfile", "zkd/server/member", "zkd/session", "zkd/watch", "zkd/znode"},
	"zkd/health":            {"zkd/conf", "zkd/consensus"},
	"zkd/cmd/zkd":           {"zkd/conf", "zkd/consensus", "zkd/consensus/store", "zkd/health", "zkd/server", "zkd/server/member"},
}

// impure are packages of the standard library that a pure package has no use for.
var impure = []string{"net", "os", "os/exec", "syscall", "log/slog", "math/rand", "math/rand/v2"}

func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "zkd/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		pkg, imports, _ := strings.Cut(line, " ")
		if strings.HasPrefix(pkg, "zkd/test") {
			continue
		}
		seen[pkg] = true
		allowed, known := mayImport[pkg]
		if !known {
			t.Errorf("%s is not in the table of docs/architecture.md", pkg)
		}
		for _, imported := range strings.Fields(imports) {
			if strings.HasPrefix(imported, "zkd/") && !slices.Contains(allowed, imported) {
				t.Errorf("%s imports %s", pkg, imported)
			}
			if pure(pkg) && slices.Contains(impure, imported) {
				t.Errorf("%s is pure and imports %s", pkg, imported)
			}
		}
	}
	for pkg := range mayImport {
		if !seen[pkg] {
			t.Errorf("%s is in the table and not in the repository", pkg)
		}
	}
}

func pure(pkg string) bool {
	return slices.Contains([]string{"zkd/proto/jute", "zkd/digest", "zkd/znode", "zkd/session", "zkd/watch"}, pkg)
}
