package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"zkd/test/bench/chart"
)

// sample is what one scenario measured on one server in one round.
type sample struct {
	Scenario string             `json:"scenario"`
	Server   string             `json:"server"`
	Round    int                `json:"round"`
	Note     string             `json:"note,omitempty"`
	Values   map[metric]float64 `json:"values"`
	// Series are lines for charts.
	Series map[string][]chart.Point `json:"series,omitempty"`
}

// report gathers samples. Servers are columns in the given order. One of them is ours; where ZooKeeper or
// the floor ran too, ratios and targets are about the three.
type report struct {
	Servers []string          `json:"servers"`
	Facts   map[string]string `json:"facts"` // machine, versions, options
	Samples []sample          `json:"samples"`
}

// ours is the server under test, theirs the one to be compared with; empty when it did not run.
func (r *report) ours() string   { return r.first(func(s string) bool { return s == zkdName }) }
func (r *report) theirs() string { return r.first(isZooKeeper) }

func (r *report) first(is func(string) bool) string {
	if i := slices.IndexFunc(r.Servers, is); i >= 0 {
		return r.Servers[i]
	}
	return ""
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

// ratio is how many times better a figure is than another; ok is false when that has no meaning.
func ratio(dir direction, better, worse float64) (float64, bool) {
	switch {
	case dir == higher && worse > 0:
		return better / worse, true
	case dir == lower && better > 0 && worse > 0:
		return worse / better, true
	}
	return 0, false
}

// writeTable prints a Markdown table, which also reads well on a terminal.
func (r *report) writeTable(w io.Writer) {
	pairs := r.pairs()
	head := append([]string{"workload", "measure"}, r.Servers...)
	for _, p := range pairs {
		head = append(head, fmt.Sprintf("%s : %s", p.better, p.worse))
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
			for _, p := range pairs {
				row = append(row, r.ratioCell(p, sc, m.id, m.dir))
			}
			rows = append(rows, row)
			label = ""
		}
	}
	writeMarkdown(w, 2, rows)
}

// pair is two columns to compare: how many times better one is than the other.
type pair struct{ better, worse string }

func (r *report) pairs() (all []pair) {
	if ours, theirs := r.ours(), r.theirs(); ours != "" && theirs != "" {
		all = append(all, pair{ours, theirs})
	}
	if ours := r.ours(); ours != "" && slices.Contains(r.Servers, floorName) {
		all = append(all, pair{floorName, ours})
	}
	return all
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

func (r *report) ratio(p pair, scenario string, m metric, dir direction) (float64, bool) {
	better, worse := r.values(scenario, p.better, m), r.values(scenario, p.worse, m)
	if len(better) == 0 || len(worse) == 0 {
		return 0, false
	}
	return ratio(dir, median(better), median(worse))
}

func (r *report) ratioCell(p pair, scenario string, m metric, dir direction) string {
	x, ok := r.ratio(p, scenario, m, dir)
	if !ok {
		return ""
	}
	return number(x) + "×"
}

// writeVerdicts prints the targets that were measured, reached or missed.
func (r *report) writeVerdicts(w io.Writer) {
	rows := [][]string{{"target", "workload", "measure", "to reach", "", "reached"}}
	row, reached := "", 0
	all := r.verdicts()
	if len(all) == 0 {
		return
	}
	for _, v := range all {
		cell := "MISSED"
		if v.Reached {
			cell = "reached"
			reached++
		}
		figure := number(v.Figure)
		if v.Note != "" {
			figure += "; " + v.Note
		}
		if row == v.Row {
			v.Row = ""
		} else {
			row = v.Row
		}
		rows = append(rows, []string{v.Row, v.Scenario, labelOf(v.Metric), v.Bound, figure, cell})
	}
	fmt.Fprintf(w, "\nTargets: %d of %d reached\n\n", reached, len(all))
	writeMarkdown(w, 4, rows)
}

// writeMarkdown aligns the columns: the first ones, which are text, to the left, numbers to the right.
func writeMarkdown(w io.Writer, text int, rows [][]string) {
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
			if j < text {
				fmt.Fprintf(w, " %s%s |", c, pad)
			} else {
				fmt.Fprintf(w, " %s%s |", pad, c)
			}
		}
		fmt.Fprintln(w)
		if i == 0 {
			writeRule(w, text, width)
		}
	}
}

func writeRule(w io.Writer, text int, width []int) {
	fmt.Fprint(w, "|")
	for j, n := range width {
		if j < text {
			fmt.Fprintf(w, "%s|", strings.Repeat("-", n+2))
		} else {
			fmt.Fprintf(w, "%s:|", strings.Repeat("-", n+1))
		}
	}
	fmt.Fprintln(w)
}

// writeDocument is the table with the facts above, the targets and the notes below.
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
	r.writeVerdicts(w)
	seen := map[string]bool{}
	for _, s := range r.Samples {
		if note := fmt.Sprintf("%s, %s: %s", s.Scenario, s.Server, s.Note); s.Note != "" && !seen[note] {
			seen[note] = true
			fmt.Fprintf(w, "\n%s\n", note)
		}
	}
}

// writeJSON writes all rounds of all figures, from which charts can be drawn, and the verdicts.
func (r *report) writeJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(struct {
		*report
		Verdicts []verdict `json:"verdicts"`
	}{r, r.verdicts()})
}
