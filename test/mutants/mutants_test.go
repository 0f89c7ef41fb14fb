// Package mutants shows that the tests notice bugs: it builds them with the tag
// "mutant", gives them each of the deliberate bugs of internal/mutant in turn,
// and says which test noticed it, by what, and how fast.
//
//	go test ./test/mutants -v -mutants          all
//	go test ./test/mutants -v -mutants.quick    some of each kind, without the simulation
//	go test ./test/mutants -v -mutants.only once,gap
//
// A mutant is caught when a test fails and says what is wrong. That a test waits
// in vain for something does not count.
package mutants

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

var (
	all   = flag.Bool("mutants", false, "run every mutant")
	quick = flag.Bool("mutants.quick", false, "run some mutants of each kind, without the simulation")
	only  = flag.String("mutants.only", "", "run these mutants, with commas between them")
	seeds = flag.Int("mutants.seeds", 10, "how many seeds of the simulation a mutant has to survive; 0 leaves it out")
)

// workers is how many tests run at a time.
const workers = 2

func TestMutants(t *testing.T) {
	if !*all && !*quick && *only == "" {
		t.Skip("takes minutes: -mutants, -mutants.quick or -mutants.only")
	}
	if *quick && !*all {
		*seeds = 0
	}
	chosen := choose(t)
	b := newBench(t)
	if !b.build(chosen) {
		return
	}
	b.soundWithout(chosen)
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
	known := rules(t)
	for _, name := range named {
		if *only != "" && !slices.ContainsFunc(known, func(r rule) bool { return r.name == name }) {
			t.Fatalf("%q is no mutant", name)
		}
	}
	for _, r := range known {
		if *only != "" && slices.Contains(named, r.name) || *only == "" && (*all || slices.Contains(fast, r.name)) {
			chosen = append(chosen, r)
		}
	}
	return chosen
}

// each calls f for all, some at a time.
func each[T any](all []T, f func(T)) {
	next := make(chan T)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for r := range next {
				f(r)
			}
		})
	}
	for _, r := range all {
		next <- r
	}
	close(next)
	wg.Wait()
}
