package simulation

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"zkd/test/memdir"
	"zkd/test/quick"
)

var (
	oneSeed = flag.Uint64("sim.seed", 0, "run this seed only")
	seeds   = flag.Int("sim.seeds", 3, "how many seeds to run")
	first   = flag.Uint64("sim.first", 0, "the first seed; 0 draws one")
	only    = flag.String("sim.scenario", "", "run this scenario only")
	verbose = flag.Bool("sim.v", false, "show the log of every run at once, which a crash does not take along")
)

func TestSeeds(t *testing.T) {
	quick.Skip(t)
	for _, seed := range seedList() {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			simulate(t, seed, draw(seed), (*run).play, fmt.Sprintf("-run TestSeeds -sim.seed %d", seed))
		})
	}
}

// seedList are the seeds of this process.
func seedList() (list []uint64) {
	if *oneSeed != 0 {
		return []uint64{*oneSeed}
	}
	if *first == 0 {
		*first = uint64(time.Now().UnixNano()) % 1e9
	}
	for i := range *seeds {
		list = append(list, *first+uint64(i))
	}
	return list
}

// TestFaultsOfASeedRepeat holds a seed to its promise: the same faults at the same times, whatever became of them.
func TestFaultsOfASeedRepeat(t *testing.T) {
	for seed := uint64(1); seed <= 2; seed++ {
		again := fmt.Sprintf("-run TestSeeds -sim.seed %d", seed)
		one, other := simulate(t, seed, draw(seed), (*run).play, again), simulate(t, seed, draw(seed), (*run).play, again)
		if len(one.thrown) < 10 || !slices.Equal(one.thrown, other.thrown) {
			t.Errorf("seed %d: faults %q, and then %q", seed, one.thrown, other.thrown)
		}
	}
}

func TestScenarios(t *testing.T) {
	quick.Skip(t)
	if *only != "" && !slices.ContainsFunc(scenarios, func(s scenario) bool { return s.name == *only }) {
		t.Fatalf("no scenario is called %q", *only)
	}
	for _, s := range scenarios {
		if *only != "" && *only != s.name {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			list := seedList()
			if *only == "" {
				list = list[:1]
			}
			for _, seed := range list {
				simulate(t, seed, s.plan.usual(), func(r *run) { r.perform(&s) },
					fmt.Sprintf("-run TestScenarios -sim.scenario '%s' -sim.seed %d", s.name, seed))
			}
		})
	}
}

// Who looks for a fault in docs/faults.md finds every scenario.
func TestScenariosAreInTheCatalogue(t *testing.T) {
	text, err := os.ReadFile("../../docs/faults.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range scenarios {
		if !strings.Contains(string(text), "["+s.name+"](../test/simulation/") {
			t.Errorf("docs/faults.md does not name %q", s.name)
		}
	}
}

// simulate makes one run, and says how it went; again are the flags that repeat it.
func simulate(t *testing.T, seed uint64, p plan, play func(*run), again string) *run {
	began := time.Now()
	r := simulateOnce(t, seed, p, play, again)
	fmt.Printf(resultLine+" in %v %+v %v\n", seed, r.length, r.stats.Writes, time.Since(began).Round(time.Millisecond), r.stats, r.injected)
	return r
}

func simulateOnce(t *testing.T, seed uint64, p plan, play func(*run), again string) *run {
	t.Helper()
	dir := memdir.New(t)
	defer os.RemoveAll(dir)
	memdir.Note(t, dir, "seed %d was running\nonce more: go test ./test/simulation %s -v", seed, again)
	// Outside of the bubble, where time is real. Nothing in it can be asleep while somebody waits for a lock.
	hung := time.AfterFunc(tooLong, func() {
		buf := make([]byte, 16<<20)
		fmt.Fprintf(os.Stderr, "FAILED: seed %d hangs\n%s\n", seed, buf[:runtime.Stack(buf, true)])
		os.Exit(4)
	})
	defer hung.Stop()
	var r *run
	synctest.Test(t, func(*testing.T) {
		r = newRun(seed, dir, p)
		if *verbose {
			r.shown = os.Stderr
		}
		play(r)
		r.length = r.now()
		if r.stuck { // the bubble would never end
			fmt.Fprintf(os.Stderr, "seed %d\n%s\n", seed, &r.log)
			os.Exit(3)
		}
	})
	if err := r.failed(); err != nil {
		if !*verbose {
			fmt.Fprintf(os.Stderr, "%s\n", &r.log)
		}
		t.Errorf("seed %d, commit %s, %+v: %v\nonce more: go test ./test/simulation %s -v", seed, commit(), r.plan, err, again)
	}
	return r
}

// tooLong is how much real time a run may take on a machine that is not quiet.
const tooLong = 5 * time.Minute
