// Package mutants shows that the tests notice bugs: it builds them with the tag
// "mutant", gives them each of the deliberate bugs of internal/mutant in turn,
// and says which test noticed it, by what, and how fast.
//
//	go test ./test/mutants -v -mutants          all
//	go test ./test/mutants -v -mutants.quick    one of each kind
//	go test ./test/mutants -v -mutants -mutants.only once,gap
package mutants

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	all   = flag.Bool("mutants", false, "run every mutant")
	quick = flag.Bool("mutants.quick", false, "run the mutants that are caught within seconds")
	only  = flag.String("mutants.only", "", "run these mutants, with commas between them")
)

// workers is how many tests run at a time.
const workers = 2

func TestMutants(t *testing.T) {
	if !*all && !*quick && *only == "" {
		t.Skip("takes minutes: -mutants, -mutants.quick or -mutants.only")
	}
	chosen := choose(t)
	b := newBench(t)
	if !b.build(chosen) || !b.soundWithout(chosen) {
		return
	}
	results := make([]result, 0, len(chosen))
	var mu sync.Mutex
	each(chosen, func(r rule) {
		found := b.run(r)
		mu.Lock()
		defer mu.Unlock()
		results = append(results, found...)
		for _, f := range found {
			fmt.Fprintln(os.Stderr, f)
		}
	})
	report(t, chosen, results)
}

// choose returns the mutants that the flags ask for.
func choose(t *testing.T) (chosen []rule) {
	named := strings.Split(*only, ",")
	for _, r := range rules(t) {
		if *only != "" && slices.Contains(named, r.name) || *only == "" && (*all || slices.Contains(fast, r.name)) {
			chosen = append(chosen, r)
		}
	}
	if len(chosen) == 0 {
		t.Fatalf("no mutant is named in %q", *only)
	}
	return chosen
}

// each calls f for all mutants, some at a time.
func each(chosen []rule, f func(rule)) {
	next := make(chan rule)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for r := range next {
				f(r)
			}
		})
	}
	for _, r := range chosen {
		next <- r
	}
	close(next)
	wg.Wait()
}

// report prints the table, and fails for each mutant that survives.
func report(t *testing.T, chosen []rule, results []result) {
	var text strings.Builder
	var took []time.Duration
	fmt.Fprintf(&text, "\n| mutant | a server that is right | caught by | s | it says |\n|---|---|---|---|---|\n")
	for _, r := range chosen {
		survives := true
		for _, f := range results {
			if f.rule != r.name {
				continue
			}
			if f.caught {
				survives = false
			}
			fmt.Fprintf(&text, "| `%s` | %s | %s | %.1f | %s |\n", r.name, r.says, f.by, f.took.Seconds(), f.message)
		}
		if first := fastest(results, r.name); first > 0 {
			took = append(took, first)
		}
		if survives {
			t.Errorf("%s survives: no check notices that it is not so that %s", r.name, r.says)
		}
	}
	slices.Sort(took)
	if len(took) > 0 {
		fmt.Fprintf(&text, "\n%d mutants, %d caught, median %.1f s, slowest %.1f s\n",
			len(chosen), len(took), took[len(took)/2].Seconds(), took[len(took)-1].Seconds())
	}
	t.Log(text.String())
}

// fastest returns how soon a mutant was first caught, 0 if it was not.
func fastest(results []result, name string) (first time.Duration) {
	for _, f := range results {
		if f.rule == name && f.caught && (first == 0 || f.took < first) {
			first = f.took
		}
	}
	return first
}
