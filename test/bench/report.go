package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// sample is what one scenario measured on one server in one round.
type sample struct {
	Scenario string             `json:"scenario"`
	Server   string             `json:"server"`
	Round    int                `json:"round"`
	Note     string             `json:"note,omitempty"`
	Values   map[metric]float64 `json:"values"`
}

// report gathers samples. Servers are columns in the given order; the first is ours, the second the one
// the ratios are against, further ones are printed only.
type report struct {
	Servers []string          `json:"servers"`
	Facts   map[string]string `json:"facts"` // machine, versions, options
	Samples []sample          `json:"samples"`
}

func (r *report) add(s sample) { r.Samples = append(r.Samples, s) }

// scenarios in the order they were first run.
func (r *report) scenarios() []string {
	var names []string
	for _, s := range r.Samples {
		if !slices.Contains(names, s.Scenario) {
			names = append(names, s.Scenario)
		}
	}
	return names
}

// values of all rounds, sorted.
func (r *report) values(scenario, server string, m metric) []float64 {
	var vs []float64
	for _, s := range r.Samples {
		if v, ok := s.Values[m]; ok && s.Scenario == scenario && s.Server == server {
			vs = append(vs, v)
		}
	}
	slices.Sort(vs)
	return vs
}

// median of sorted values; the mean of the middle two when even.
func median(sorted []float64) float64 {
	n := len(sorted)
	if n%2 == 1 {
		return sorted[n/2]
	}
	return (sorted[n/2-1] + sorted[n/2]) / 2
}

// ratio is how many times better ours is than theirs; ok is false when that has no meaning.
func ratio(dir direction, ours, theirs float64) (float64, bool) {
	switch {
	case dir == higher && theirs > 0:
		return ours / theirs, true
	case dir == lower && ours > 0 && theirs > 0:
		return theirs / ours, true
	}
	return 0, false
}

// writeTable prints a Markdown table, which also reads well on a terminal.
func (r *report) writeTable(w io.Writer) {
	head := append([]string{"workload", "measure"}, r.Servers...)
	compare := len(r.Servers) > 1
	if compare {
		head = append(head, "times better", "target")
	}
	rows := [][]string{head}
	for _, sc := range r.scenarios() {
		label := sc
		for _, m := range metrics {
			cells, any := r.cells(sc, m.id)
			if !any {
				continue
			}
			row := append([]string{label, m.label}, cells...)
			if compare {
				row = append(row, r.ratioCell(sc, m.id, m.dir), r.targetCell(sc, m.id, m.dir))
			}
			rows = append(rows, row)
			label = ""
		}
	}
	writeMarkdown(w, rows)
}

// cells: one for each server, median and, after several rounds, min–max.
func (r *report) cells(scenario string, m metric) (cells []string, any bool) {
	for _, server := range r.Servers {
		vs := r.values(scenario, server, m)
		switch len(vs) {
		case 0:
			cells = append(cells, "")
			continue
		case 1:
			cells = append(cells, number(vs[0]))
		default:
			cells = append(cells, fmt.Sprintf("%s (%s–%s)", number(median(vs)), number(vs[0]), number(vs[len(vs)-1])))
		}
		any = true
	}
	return cells, any
}

func (r *report) ratio(scenario string, m metric, dir direction) (float64, bool) {
	ours, theirs := r.values(scenario, r.Servers[0], m), r.values(scenario, r.Servers[1], m)
	if len(ours) == 0 || len(theirs) == 0 {
		return 0, false
	}
	return ratio(dir, median(ours), median(theirs))
}

func (r *report) ratioCell(scenario string, m metric, dir direction) string {
	x, ok := r.ratio(scenario, m, dir)
	if !ok {
		return ""
	}
	return number(x) + "×"
}

func (r *report) targetCell(scenario string, m metric, dir direction) string {
	t, ok := targetFor(scenario, m)
	if !ok {
		return ""
	}
	var reached bool
	if t.atMost > 0 {
		vs := r.values(scenario, r.Servers[0], m)
		if len(vs) == 0 {
			return t.String()
		}
		reached = median(vs) <= t.atMost && (t.never == 0 || vs[len(vs)-1] <= t.never)
	} else {
		x, ok := r.ratio(scenario, m, dir)
		if !ok {
			return t.String()
		}
		reached = x >= t.timesBetter
	}
	if reached {
		return t.String() + " reached"
	}
	return t.String() + " MISSED"
}

// writeMarkdown aligns the columns; a number column is aligned to the right.
func writeMarkdown(w io.Writer, rows [][]string) {
	width := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, c := range row {
			width[i] = max(width[i], len([]rune(c)), 3)
		}
	}
	for i, row := range rows {
		fmt.Fprint(w, "|")
		for j, c := range row {
			pad := strings.Repeat(" ", width[j]-len([]rune(c)))
			if j < 2 {
				fmt.Fprintf(w, " %s%s |", c, pad)
			} else {
				fmt.Fprintf(w, " %s%s |", pad, c)
			}
		}
		fmt.Fprintln(w)
		if i == 0 {
			writeRule(w, width)
		}
	}
}

func writeRule(w io.Writer, width []int) {
	fmt.Fprint(w, "|")
	for j, n := range width {
		if j < 2 {
			fmt.Fprintf(w, "%s|", strings.Repeat("-", n+2))
		} else {
			fmt.Fprintf(w, "%s:|", strings.Repeat("-", n+1))
		}
	}
	fmt.Fprintln(w)
}

// writeDocument is the table with the facts above and the notes below.
func (r *report) writeDocument(w io.Writer) {
	keys := make([]string, 0, len(r.Facts))
	for k := range r.Facts {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		fmt.Fprintf(w, "- %s: %s\n", k, r.Facts[k])
	}
	fmt.Fprintln(w)
	r.writeTable(w)
	seen := map[string]bool{}
	for _, s := range r.Samples {
		if note := fmt.Sprintf("%s, %s: %s", s.Scenario, s.Server, s.Note); s.Note != "" && !seen[note] {
			seen[note] = true
			fmt.Fprintf(w, "\n%s\n", note)
		}
	}
}

func (r *report) writeJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}
