package simulation

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

var (
	oneSeed = flag.Uint64("sim.seed", 0, "run this seed only")
	seeds   = flag.Int("sim.seeds", 3, "how many seeds to run")
	first   = flag.Uint64("sim.first", 0, "the first seed; 0 draws one")
	only    = flag.String("sim.scenario", "", "run this scenario only")
	verbose = flag.Bool("sim.v", false, "show the log of every run")
)

func TestSeeds(t *testing.T) {
	for _, seed := range seedList() {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { simulate(t, seed, draw(seed), (*run).play) })
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

func TestScenarios(t *testing.T) {
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
				simulate(t, seed, s.plan.usual(), func(r *run) { r.perform(&s) })
			}
		})
	}
}

func simulate(t *testing.T, seed uint64, p plan, play func(*run)) {
	dir := folderInMemory(t)
	defer os.RemoveAll(dir)
	began := time.Now()
	// Outside of the bubble, where time is real. Nothing in it can be asleep while somebody waits for a lock.
	hung := time.AfterFunc(tooLong, func() {
		buf := make([]byte, 16<<20)
		fmt.Fprintf(os.Stderr, "FAILED: seed %d hangs\n%s\n", seed, buf[:runtime.Stack(buf, true)])
		os.Exit(4)
	})
	defer hung.Stop()
	var r *run
	var virtual time.Duration
	synctest.Test(t, func(*testing.T) {
		r = newRun(seed, dir, p)
		play(r)
		virtual = r.now()
		if r.stuck { // the bubble would never end
			fmt.Fprintf(os.Stderr, "seed %d\n%s\n", seed, &r.log)
			os.Exit(3)
		}
	})
	if err := r.failed(); err != nil || *verbose {
		fmt.Fprintf(os.Stderr, "%s\n", &r.log)
		if err != nil {
			t.Errorf("seed %d, commit %s, %+v: %v", seed, commit(), r.plan, err)
		}
	}
	fmt.Printf(resultLine+" in %v %+v %v\n", seed, virtual, r.stats.Writes, time.Since(began).Round(time.Millisecond), r.stats, r.injected)
}

// folderInMemory makes a folder for disks, which the caller removes. It is in memory where the machine has a file
// system there: runs make and sync many files.
func folderInMemory(t *testing.T) string {
	t.Helper()
	for _, parent := range []string{"/dev/shm", ""} {
		if dir, err := os.MkdirTemp(parent, "zkd-simulation-"); err == nil {
			return dir
		}
	}
	t.Fatal("no folder can be made, neither in memory nor on disk")
	return ""
}

// tooLong is how much real time a run may take on a machine that is not quiet.
const tooLong = 5 * time.Minute
