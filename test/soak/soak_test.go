package soak

import (
	"context"
	"flag"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"zkd/test/quick"
	"zkd/test/zkdserver"
)

var (
	length = flag.Duration("soak.for", 0, "how long faults are made; 0 is two short rounds")
	seed   = flag.Uint64("soak.seed", 0, "of the faults; 0 draws one")
	from   = flag.Int("soak.from", 0, "the first round")
	faults = flag.Duration("soak.faults", 40*time.Second, "of a round, before all must be well")
	out    = flag.String("soak.out", "", "folder of the page; none is a temporary one that goes when all is well")
	commit = flag.String("soak.commit", "", "what is tested, for the page; none is what git says")
)

func TestMain(m *testing.M) {
	quick.LeaveOut()
	zkdserver.Tags = "witness"
	code := m.Run()
	zkdserver.CleanUp()
	os.Exit(code)
}

// Faults come at random for as long as is wanted, and nothing that was promised is broken.
func TestSoak(t *testing.T) {
	o := Options{For: *length, Seed: *seed, From: *from, Faults: *faults, Out: *out, Commit: *commit}
	if o.For == 0 {
		o.For, o.Faults = 10*time.Second, 5*time.Second
	}
	if o.Seed == 0 {
		o.Seed = rand.Uint64()
	}
	if o.Commit == "" {
		o.Commit = described()
	}
	kept := true
	if o.Out == "" {
		var err error
		kept = false
		if o.Out, err = os.MkdirTemp("", "zkd-soak-"); err != nil {
			t.Fatal(err)
		}
	} else if abs, err := filepath.Abs(o.Out); err == nil {
		o.Out = abs
	}
	ctx, stop := signal.NotifyContext(t.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process
	t.Cleanup(func() {
		if !kept && !t.Failed() {
			os.RemoveAll(o.Out)
			t.Logf("seed %d; -soak.out keeps the page", o.Seed)
			return
		}
		t.Logf("seed %d; page: %s", o.Seed, filepath.Join(o.Out, "index.html"))
	})
	Run(ctx, t, o)
}

func described() string {
	b, err := exec.Command("git", "describe", "--always", "--dirty").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(b))
}
