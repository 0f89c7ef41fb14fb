package main

import (
	"io"
	"os"
	"strconv"
	"strings"
)

// foldFor breaks the lines of a text for a terminal. Files and pipes get them
// whole: programs read those.
func foldFor(out io.Writer, text string) string {
	f, ok := out.(*os.File)
	if !ok {
		return text
	}
	if info, err := f.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return text
	}
	width, err := strconv.Atoi(os.Getenv("COLUMNS"))
	if err != nil || width < 40 {
		width = 80
	}
	return fold(text, width)
}

// fold breaks lines longer than width at blanks. What is moved down is indented.
func fold(text string, width int) string {
	const indent = "    "
	var b strings.Builder
	for line := range strings.Lines(text) {
		for first := indent; len(line) > width+1; first = indent {
			at := strings.LastIndexByte(line[len(first):width+1], ' ') + len(first)
			if at < len(first) {
				break // one long word
			}
			b.WriteString(strings.TrimRight(line[:at], " ") + "\n")
			line = indent + strings.TrimLeft(line[at:], " ")
		}
		b.WriteString(line)
	}
	return b.String()
}
