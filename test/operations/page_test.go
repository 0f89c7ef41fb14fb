package operations

import (
	"os"
	"strings"
	"testing"
)

// page is the labelled blocks of docs/operations.md.
func page(t *testing.T) map[string]string {
	t.Helper()
	b, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := map[string]string{}
	label, indent, in := "", "", false
	for line := range strings.Lines(string(b)) {
		rest, fence := strings.CutPrefix(strings.TrimLeft(line, " "), "```")
		switch {
		case fence && in:
			in = false
		case fence:
			in, indent = true, line[:len(line)-len("```")-len(rest)]
			_, label, _ = strings.Cut(strings.TrimSpace(rest), " ")
			if _, twice := blocks[label]; twice || label == "" {
				t.Fatalf("docs/operations.md: a block labelled %q, twice or not at all", label)
			}
			blocks[label] = ""
		case in:
			blocks[label] += strings.TrimPrefix(line, indent)
		}
	}
	return blocks
}
