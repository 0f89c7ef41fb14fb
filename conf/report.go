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
	if len(r.Rows) > 0 {
		var rows strings.Builder
		table := tabwriter.NewWriter(&rows, 0, 8, 2, ' ', 0)
		fmt.Fprintf(table, "KEY\tVALUE\tSTANCE\tWHERE\t\n")
		for _, row := range r.Rows {
			reason := ""
			if row.Stance == HonouredChanged || row.Stance == Overridden {
				reason = row.Reason // the others have a finding
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", row.Key, row.Value, row.Stance, row.Where, reason)
		}
		_ = table.Flush() // a Builder does not fail
		for line := range strings.Lines(rows.String()) {
			b.WriteString(strings.TrimRight(line, " \n") + "\n")
		}
	}
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

// Log writes the findings to the log of a starting server.
func (r *Report) Log(log *slog.Logger) {
	levels := [...]slog.Level{slog.LevelInfo, slog.LevelWarn, slog.LevelError}
	for _, f := range r.Findings {
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
