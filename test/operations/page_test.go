package operations

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
)

// page reads the labelled blocks of docs/operations.md.
func page() (map[string]string, error) {
	b, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		return nil, err
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
				return nil, fmt.Errorf("docs/operations.md: a block labelled %q, twice or not at all", label)
			}
			blocks[label] = ""
		case in:
			blocks[label] += strings.TrimPrefix(line, indent)
		}
	}
	return blocks, nil
}

// tried are the labels of blocks that some test has used.
var tried sync.Map

// untried tells of a block of the page that no test has used, if all tests ran.
func untried() error {
	blocks, err := page()
	if err != nil || flag.Lookup("test.run").Value.String() != "" {
		return err
	}
	for label := range blocks {
		if _, ok := tried.Load(label); !ok {
			return fmt.Errorf("docs/operations.md: no test runs the block %q", label)
		}
	}
	return nil
}
