package simulation

import (
	"flag"
	"fmt"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

var (
	oneSeed = flag.Uint64("sim.seed", 0, "run this seed only")
	seeds   = flag.Int("sim.seeds", 3, "how many seeds to run")
	first   = flag.Uint64("sim.first", 0, "the first seed; 0 draws one")
	verbose = flag.Bool("sim.v", false, "show the log of every run")
)

func TestSeeds(t *testing.T) {
	list := []uint64{}
	switch {
	case *oneSeed != 0:
		list = append(list, *oneSeed)
	default:
		if *first == 0 {
			*first = uint64(time.Now().UnixNano()) % 1e9
		}
		for i := range *seeds {
			list = append(list, *first+uint64(i))
		}
	}
	for _, seed := range list {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { simulate(t, seed) })
	}
}

func simulate(t *testing.T, seed uint64) {
	dir, err := os.MkdirTemp("/dev/shm", "zkd-simulation-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	began := time.Now()
	var r *run
	var virtual time.Duration
	synctest.Test(t, func(t *testing.T) {
		r = newRun(seed, dir, draw(seed))
		r.play()
		virtual = r.now()
		if r.stuck {
			fmt.Fprintf(os.Stderr, "%s\n", &r.log)
			os.Exit(3)
		}
	})
	if err := r.failed(); err != nil || *verbose {
		fmt.Fprintf(os.Stderr, "%s\n", &r.log)
		if err != nil {
			t.Errorf("seed %d %+v: %v", seed, r.plan, err)
		}
	}
	t.Logf("seed %d %+v: %v in %v, %+v, %v", seed, r.plan, virtual, time.Since(began), r.stats, r.injected)
}
