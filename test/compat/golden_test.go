package compat

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Golden files hold one section a case: a line "=== ID name", then the transcript.

func goldenFile(area string) string { return filepath.Join("testdata", area+".txt") }

func readGolden(area string) (map[string]string, error) {
	b, err := os.ReadFile(goldenFile(area))
	if os.IsNotExist(err) {
		return map[string]string{}, nil
	}
	if err != nil {
		return nil, err
	}
	sections := map[string]string{}
	for s := range strings.SplitSeq("\n"+string(b), "\n=== ") {
		head, body, _ := strings.Cut(s, "\n")
		if id, _, ok := strings.Cut(head, " "); ok {
			sections[id] = strings.TrimSpace(body) + "\n"
		}
	}
	return sections, nil
}

// writeGolden writes the sections of the cases that the table has, in its order.
func writeGolden(area Area, sections map[string]string) error {
	var b strings.Builder
	for _, c := range area.Cases {
		if text, ok := sections[c.ID]; ok && c.asksReal() {
			fmt.Fprintf(&b, "=== %s %s\n%s\n", c.ID, c.Name, text)
		}
	}
	if err := os.MkdirAll("testdata", 0o755); err != nil {
		return err
	}
	return os.WriteFile(goldenFile(area.Name), []byte(b.String()), 0o644)
}

var eventZxid = regexp.MustCompile(`(?m)( event \w+ \S+) (z\d+)$`)

// beforeZxids turns a transcript into what a server before 3.9 answers: its notifications carry no zxid.
func beforeZxids(text string) string { return eventZxid.ReplaceAllString(text, "$1 -1") }
