package conf

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"text/tabwriter"
)

// Level ranks a Finding.
type Level int

const (
	Notice  Level = iota // worth knowing; most often a key without effect
	Warning              // probably not what was meant, or unsafe
	Failure              // the server does not start
)

func (l Level) String() string { return [...]string{"notice", "warning", "error"}[l] }

// Finding is one remark about a configuration. It never holds a secret.
type Finding struct {
	Level Level
	Where string // "file:line", the source of a property, or a file
	Text  string

	line int
}

func (f Finding) String() string {
	if f.Where == "" {
		return f.Text
	}
	return f.Where + ": " + f.Text
}

// Row is one key that was met, with what became of it.
type Row struct {
	Key    string
	Value  string // secrets and values of unknown keys are not shown
	Where  string
	Stance Stance
	Reason string // for what is not simply honoured
}

// Report is the outcome of Load, also of one that failed.
type Report struct {
	File     string
	Rows     []Row
	Findings []Finding
}

// Count returns the number of findings of one level.
func (r *Report) Count(level Level) int {
	n := 0
	for _, f := range r.Findings {
		if f.Level == level {
			n++
		}
	}
	return n
}

// WriteTo prints the report for a person: the keys, then the findings with the
// errors last, where a terminal leaves them in view.
func (r *Report) WriteTo(w io.Writer) (int64, error) {
	n, err := io.WriteString(w, r.String())
	return int64(n), err
}

// String implements fmt.Stringer; see WriteTo.
func (r *Report) String() string {
	var b strings.Builder
	if r.File != "" {
		fmt.Fprintf(&b, "configuration %s\n", r.File)
	}
	r.writeRows(&b)
	for level := Notice; level <= Failure; level++ {
		for _, f := range r.Findings {
			if f.Level == level {
				fmt.Fprintf(&b, "%s: %s\n", level, f)
			}
		}
	}
	fmt.Fprintf(&b, "%d keys, %d notices, %d warnings, %d errors\n",
		len(r.Rows), r.Count(Notice), r.Count(Warning), r.Count(Failure))
	return b.String()
}

// writeRows writes the table. Values come last: some are long, and nothing is
// to move to the right for them.
func (r *Report) writeRows(b *strings.Builder) {
	if len(r.Rows) == 0 {
		return
	}
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 8, 2, ' ', 0)
	fmt.Fprintf(table, "WHERE\tSTANCE\tKEY\tVALUE\n")
	for _, row := range r.Rows {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", r.short(row.Where), row.Stance, row.Key, row.Value)
	}
	_ = table.Flush() // a Builder does not fail
	for i, line := range strings.Split(strings.TrimRight(text.String(), "\n"), "\n") {
		b.WriteString(strings.TrimRight(line, " ") + "\n")
		if i == 0 {
			continue // the heads of the columns
		}
		if row := r.Rows[i-1]; row.Stance == HonouredChanged || row.Stance == Overridden { // the others have a finding
			b.WriteString("    " + row.Reason + "\n")
		}
	}
}

// short is a place without the path of the file that the report is about.
func (r *Report) short(where string) string {
	if line, own := strings.CutPrefix(where, r.File+":"); own && r.File != "" {
		return "line " + line
	}
	return where
}

// Origin says where a key got the value that counts, "zoo.cfg:3"; "" if it was
// not set.
func (r *Report) Origin(key string) string {
	for _, row := range r.Rows {
		if row.Key == key && row.Stance != Overridden {
			return row.Where
		}
	}
	return ""
}

// Log writes the findings to the log of a starting server. The failures are
// those of the Error that Load returned, for the caller to report.
func (r *Report) Log(log *slog.Logger) {
	levels := [...]slog.Level{slog.LevelInfo, slog.LevelWarn}
	for _, f := range r.Findings {
		if f.Level == Failure {
			continue
		}
		log.Log(context.Background(), levels[f.Level], "configuration", "where", f.Where, "text", f.Text)
	}
}

// ExitConfig is the exit code of a process whose configuration is bad.
const ExitConfig = 2

// Error lists everything that keeps a configuration from being used.
type Error struct {
	File     string
	Problems []Finding // at least one, in the order of the file
	cause    error
}

func (e *Error) Error() string {
	if len(e.Problems) == 1 {
		return e.Problems[0].String()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d errors in the configuration:", len(e.Problems))
	for _, p := range e.Problems {
		b.WriteString("\n  " + p.String())
	}
	return b.String()
}

// ExitCode is the exit code the process should end with.
func (e *Error) ExitCode() int { return ExitConfig }

// Unwrap returns the error of a file that could not be read, or nil.
func (e *Error) Unwrap() error { return e.cause }

// sortFindings puts findings in the order of the lines they speak of; what
// speaks of no line comes last.
func sortFindings(findings []Finding) {
	slices.SortStableFunc(findings, func(a, b Finding) int {
		switch {
		case a.line == b.line:
			return 0
		case a.line == 0:
			return 1
		case b.line == 0:
			return -1
		}
		return a.line - b.line
	})
}
