package soak

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"ms":      func(d time.Duration) string { return fmt.Sprintf("%.1f ms", d.Seconds()*1000) },
	"seconds": func(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) },
	"clock":   func(d time.Duration) string { return fmt.Sprintf("%d:%02d", int(d.Minutes()), int(d.Seconds())%60) },
	"mib":     func(n int64) string { return fmt.Sprintf("%d MiB", n>>20) },
}).Parse(pageText))

// Summary is all that the page says in words and numbers; soak.json holds it too, with durations in nanoseconds.
type Summary struct {
	Done     bool // the run is over
	Passed   bool
	Cut      bool // before its time, by a signal
	Began    time.Time
	Options  Options
	Machine  string
	Figures  Figures
	Verdicts []Verdict
	Rounds   []Round
	Kinds    []kindCount     `json:"-"`
	Faults   []Fault         `json:"-"`
	Charts   []template.HTML `json:"-"`
}

type kindCount struct {
	Kind  Kind
	Count int
}

// report writes the page and the summary. It replaces those of before at once, so that whoever looks at the page while
// the run goes on sees a whole one.
func (r *run) report(done bool) error {
	now := r.now()
	s := Summary{
		Done: done, Passed: len(r.broken()) == 0 && !r.Failed(), Cut: r.ctx.Err() != nil,
		Began: r.began, Options: r.opts, Machine: fmt.Sprintf("%d CPUs, %s", runtime.NumCPU(), runtime.Version()),
		Figures: r.figures(), Verdicts: r.verdicts(), Rounds: r.rounds,
	}
	for _, k := range slices.Sorted(maps.Keys(s.Figures.ByKind)) {
		s.Kinds = append(s.Kinds, kindCount{k, s.Figures.ByKind[k]})
	}
	slices.SortStableFunc(s.Kinds, func(a, b kindCount) int { return cmp.Compare(b.Count, a.Count) })
	if r.watcher != nil {
		writes, _ := r.fleet.writes.until(now)
		reads, _ := r.fleet.reads.until(now)
		s.Faults = r.in.history.list(now)
		drawn, err := charts(now, writes, reads, r.watcher.all(), s.Faults)
		if err != nil {
			return err
		}
		for _, svg := range drawn {
			s.Charts = append(s.Charts, template.HTML(svg))
		}
	}
	var html bytes.Buffer
	if err := page.Execute(&html, s); err != nil {
		return err
	}
	text, err := json.MarshalIndent(s, "", "\t")
	if err != nil {
		return err
	}
	if err := replace(filepath.Join(r.opts.Out, "soak.json"), text); err != nil {
		return err
	}
	return replace(filepath.Join(r.opts.Out, "index.html"), html.Bytes())
}

func replace(file string, content []byte) error {
	if err := os.WriteFile(file+".new", content, 0o644); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

func sortedKeys[V any](m map[int]V) []int { return slices.Sorted(maps.Keys(m)) }
