package diff

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"zkd/test/realzk"
	"zkd/test/script"
	"zkd/test/zkdserver"
)

var (
	seedFlag     = flag.Uint64("diff.seed", uint64(envInt("DIFF_SEED", 0)), "seed of the scripts; 0 takes a fresh one")
	requestsFlag = flag.Int("diff.requests", envInt("DIFF_REQUESTS", 0), "requests to compare; 0 is a few thousand")
	forFlag      = flag.Duration("diff.for", envDuration("DIFF_FOR"), "how long to compare; 0 is until the requests are done")
	onlyFlag     = flag.Int("diff.only", envInt("DIFF_ONLY", -1), "the number of the one script to run")
	zkFlag       = flag.String("diff.zk", envOr("DIFF_ZK", "3.9"), "release lines to compare with, as in 3.8,3.9")
	keepFlag     = flag.Int("diff.keep", envInt("DIFF_KEEP", 1), "differences to look for before giving up")
)

// fewRequests is a run's length when nothing is asked for.
const fewRequests = 3000

func envOr(name, missing string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return missing
}

func envInt(name string, missing int) int {
	n, err := strconv.Atoi(envOr(name, strconv.Itoa(missing)))
	if err != nil {
		panic(name + ": " + err.Error())
	}
	return n
}

func envDuration(name string) time.Duration {
	d, err := time.ParseDuration(envOr(name, "0s"))
	if err != nil {
		panic(name + ": " + err.Error())
	}
	return d
}

func TestMain(m *testing.M) {
	code := m.Run()
	zkdserver.CleanUp()
	os.Exit(code)
}

// TestRandom compares a few thousand requests.
func TestRandom(t *testing.T) {
	if *requestsFlag > 0 || *forFlag > 0 {
		t.Skip("Long runs")
	}
	compare(t, fewRequests)
}

// TestLong compares as many requests as it is told to.
func TestLong(t *testing.T) {
	if *requestsFlag == 0 && *forFlag == 0 {
		t.Skip("needs -diff.requests or -diff.for")
	}
	n := *requestsFlag
	if n == 0 {
		n = 1 << 40
	}
	compare(t, n)
}

func compare(t *testing.T, requests int) {
	for minor := range strings.SplitSeq(*zkFlag, ",") {
		t.Run(minor, func(t *testing.T) {
			if _, err := realzk.FindVersion(minor); err != nil {
				t.Skip(err)
			}
			seed := *seedFlag
			if seed == 0 {
				seed = rand.Uint64()
			}
			p, err := newPair(minor)
			if err != nil {
				t.Fatal(err)
			}
			r := &runner{t: t, pair: p, seed: seed}
			defer func() {
				if trouble := r.pair.stop(); trouble != "" {
					t.Error(trouble)
				}
			}()
			r.compare(requests)
			t.Logf("seed %d: %d scripts, %d requests compared with ZooKeeper %s; %d differences, %d seen once, "+
				"ZooKeeper died %d times", seed, r.scripts, r.requests, p.dist.Version, r.found, r.unsteady, p.died)
		})
	}
}

// runner compares one script after the other.
type runner struct {
	t        *testing.T
	pair     *pair
	seed     uint64
	scripts  int
	requests int
	found    int // differences that came again
	unsteady int // differences that did not
}

func (r *runner) compare(requests int) {
	start := time.Now()
	for n := uint64(0); r.requests < requests && r.found < *keepFlag; n++ {
		if *forFlag > 0 && time.Since(start) > *forFlag {
			return
		}
		if *onlyFlag >= 0 {
			if n > 0 {
				return
			}
			n = uint64(*onlyFlag)
		}
		lines := generate(r.seed, n, !r.pair.dist.AtLeast("3.9"))
		if !legal(lines) {
			if *onlyFlag >= 0 {
				r.t.Fatalf("script %d breaks a rule", n)
			}
			continue
		}
		if !r.script(n, lines) {
			return
		}
	}
}

// script compares one script, and reports whether the run can go on.
func (r *runner) script(n uint64, lines []string) bool {
	r.scripts++
	for _, l := range lines {
		if l := parse(l); asks(l) {
			r.requests++
		}
	}
	real, zkd := r.pair.transcripts(lines)
	if real == zkd {
		return true
	}
	if !r.pair.realServes() {
		r.t.Logf("seed %d script %d ended ZooKeeper %s:\n%s\n%s", r.seed, n, r.pair.dist.Version, strings.Join(lines, "\n"),
			tail(real))
		r.pair.died++
		return r.renew()
	}
	fails := func(l []string) bool {
		a, b := r.pair.transcripts(l)
		if a != b {
			real, zkd = a, b
		}
		return a != b
	}
	first := script.Diff(real, zkd)
	again := false
	for range 2 {
		again = again || fails(lines)
	}
	if !again {
		r.unsteady++
		r.t.Errorf("seed %d script %d differed once and not again (- is ZooKeeper %s):\n%s", r.seed, n, r.pair.dist.Version,
			around(first))
		return r.renew()
	}
	r.found++
	small := shrink(lines, fails)
	fails(small)
	defer r.renew() // the trees are no longer alike
	r.t.Errorf("seed %d script %d: zkd differs (- is ZooKeeper %s, + is zkd)\n%s\nas a case:\n%s", r.seed, n,
		r.pair.dist.Version, script.Diff(real, zkd), asCase(r.seed, n, small))
	return true
}

// renew goes on with empty servers.
func (r *runner) renew() bool {
	if trouble := r.pair.stop(); trouble != "" {
		r.t.Error(trouble)
		return false
	}
	if err := r.pair.start(); err != nil {
		r.t.Fatal(err)
	}
	return true
}

// asks reports whether a line sends a request.
func asks(l line) bool {
	switch l.verb {
	case "flush", "mark", "eof", "drop", "bytes":
		return false
	}
	return true
}

// asCase writes a script as a row of test/compat's tables.
func asCase(seed, n uint64, lines []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\t{ID: \"diff-%d-%d\", Name: \"\", Alone: true, Script: `\n", seed%10000, n)
	for _, l := range lines {
		fmt.Fprintf(&b, "\t\t%s\n", l)
	}
	return strings.TrimSuffix(b.String(), "\n") + "`},\n"
}

// around keeps of a difference the lines near changes.
func around(diff string) string {
	lines := strings.Split(diff, "\n")
	var out []string
	const near = 6
	last := -1
	for i, l := range lines {
		if strings.HasPrefix(l, "  ") || l == "" {
			continue
		}
		for j := max(last+1, i-near); j <= min(i+near, len(lines)-1); j++ {
			out = append(out, lines[j])
			last = j
		}
	}
	const most = 40
	return strings.Join(out[:min(len(out), most)], "\n")
}

func tail(s string) string { return s[max(0, len(s)-2000):] }
