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

	"zkd/test/quick"
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
	shapeFlag    = flag.String("diff.shape", envOr("DIFF_SHAPE", ""), "servers of zkd and of ZooKeeper, as in 1:1,3:1,3:3; a long run takes turns")
	outagesFlag  = flag.Int("diff.outages", envInt("DIFF_OUTAGES", -1), "percent of the scripts in which servers end and start again; -1 is as the test thinks right")
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
	quick.LeaveOut()
	code := m.Run()
	zkdserver.CleanUp()
	os.Exit(code)
}

// TestRandom compares a few thousand requests, one server with one.
func TestRandom(t *testing.T) {
	short(t, work{shapes: "1:1", requests: fewRequests})
}

// TestOutages compares scripts in which servers end and start again, TestEnsemble such whose sessions are on three
// servers. Both are over soon: it is TestLong that goes far.
func TestOutages(t *testing.T) {
	short(t, work{shapes: "1:1", requests: 400, outages: 100, most: 8 * time.Second})
}

func TestEnsemble(t *testing.T) {
	short(t, work{shapes: "3:1", requests: fewRequests, outages: 15, most: 8 * time.Second})
}

func short(t *testing.T, w work) {
	if *requestsFlag > 0 || *forFlag > 0 {
		t.Skip("Long runs")
	}
	compare(t, w)
}

// TestLong compares as many requests as it is told to.
func TestLong(t *testing.T) {
	if *requestsFlag == 0 && *forFlag == 0 {
		t.Skip("needs -diff.requests or -diff.for")
	}
	w := work{shapes: "1:1,3:1,1:1,3:1,3:3", requests: *requestsFlag, outages: 5, most: *forFlag}
	if w.requests == 0 {
		w.requests = 1 << 40
	}
	compare(t, w)
}

// work is how much a test compares.
type work struct {
	shapes   string
	requests int
	outages  int           // percent of the scripts
	most     time.Duration // 0 is no limit
}

// roundRequests is how many are compared before servers give way to fresh ones, of the next shape.
func roundRequests(s shape) int {
	if s.real > 1 {
		return 3000 // an ensemble of ZooKeeper is slow to begin with
	}
	return 15000
}

func compare(t *testing.T, w work) {
	if *shapeFlag != "" {
		w.shapes = *shapeFlag
	}
	if *outagesFlag >= 0 {
		w.outages = *outagesFlag
	}
	for minor := range strings.SplitSeq(*zkFlag, ",") {
		t.Run(minor, func(t *testing.T) {
			dist, err := realzk.FindVersion(minor)
			if err != nil {
				t.Skip(err)
			}
			r := &runner{dist: dist, work: w, seed: *seedFlag}
			if r.seed == 0 {
				r.seed = rand.Uint64()
			}
			for text := range strings.SplitSeq(w.shapes, ",") {
				s, err := parseShape(text)
				if err != nil {
					t.Fatal(err)
				}
				r.shapes = append(r.shapes, s)
			}
			r.run(t)
			t.Log(r.figures())
		})
	}
}

// runner compares one script after the other, in rounds on servers of their own.
type runner struct {
	dist   realzk.Distribution
	work   work
	shapes []shape
	seed   uint64
	start  time.Time // when the first round's servers were there
	next   uint64    // the number of the next script

	t    *testing.T // of the round
	pair *pair
	s    shape

	scripts, requests int
	spread            [2]int // scripts and requests among them that had several servers
	outages           [2]int // processes ended: of zkd, of ZooKeeper
	ensembles         [2]int // started
	found             int    // differences that came again
	unsteady          int    // differences that did not
	died              int    // ZooKeepers that ended by themselves
}

func (r *runner) figures() string {
	return fmt.Sprintf("seed %d: %d requests in %d scripts compared with ZooKeeper %s in %v; of them %d requests in %d scripts over "+
		"three servers (%d ensembles of zkd, %d of ZooKeeper); %d restarts of zkd, %d of ZooKeeper; %d differences, %d seen once, "+
		"ZooKeeper died %d times", r.seed, r.requests, r.scripts, r.dist.Version, time.Since(r.start).Round(time.Second),
		r.spread[1], r.spread[0], r.ensembles[0], r.ensembles[1], r.outages[0], r.outages[1], r.found, r.unsteady, r.died)
}

// over reports whether enough was compared.
func (r *runner) over() bool {
	return r.requests >= r.work.requests || r.found >= *keepFlag ||
		r.work.most > 0 && !r.start.IsZero() && time.Since(r.start) > r.work.most
}

func (r *runner) run(t *testing.T) {
	if *onlyFlag >= 0 {
		r.next = uint64(*onlyFlag)
	}
	for n := 0; !r.over(); n++ {
		r.s = r.shapes[n%len(r.shapes)]
		t.Run(fmt.Sprintf("%v/round%d", r.s, n), r.round)
		if *onlyFlag >= 0 {
			return
		}
		if n%4 == 3 {
			t.Log(r.figures())
		}
	}
}

// round compares scripts on one pair.
func (r *runner) round(t *testing.T) {
	r.t, r.pair = t, newPair(t, r.dist, r.s)
	if r.start.IsZero() {
		r.start = time.Now()
	}
	for i, servers := range []int{r.s.zkd, r.s.real} {
		if servers > 1 {
			r.ensembles[i]++
		}
	}
	defer func() {
		r.outages[0] += r.pair.zkd.broken()
		r.outages[1] += r.pair.real.broken()
		for _, s := range []side{r.pair.zkd, r.pair.real} {
			if trouble := s.trouble(); trouble != "" {
				t.Error(trouble)
			}
		}
	}()
	for until := r.requests + roundRequests(r.s); r.requests < until && !r.over(); {
		n := r.next
		r.next++
		lines := generate(r.seed, n, plan{old: !r.dist.AtLeast("3.9"), shape: r.s, outages: r.work.outages})
		ok := legal(lines, r.s)
		if *onlyFlag >= 0 && !ok {
			t.Fatalf("script %d of seed %d breaks a rule over servers %v: no run has played it; see -diff.shape", n, r.seed, r.s)
		}
		if ok && !r.script(n, lines) || *onlyFlag >= 0 {
			return
		}
	}
	if e, ok := r.pair.zkd.(*several); ok {
		e.CompareDigests(e.Servers)
	}
}

// script compares one script, and reports whether the servers are still good for another one.
func (r *runner) script(n uint64, lines []string) bool {
	requests := 0
	for _, l := range lines {
		if l := parse(l); asks(l) {
			requests++
		}
	}
	r.scripts++
	r.requests += requests
	if r.s.spread() {
		r.spread[0]++
		r.spread[1] += requests
	}
	real, zkd := r.pair.transcripts(lines)
	if real == zkd {
		return true
	}
	again := fmt.Sprintf("go test ./test/diff -run Random -diff.seed %d -diff.only %d -diff.shape %v -diff.outages %d", r.seed, n, r.s, r.work.outages)
	if !r.pair.realServes() {
		r.t.Logf("%s ended ZooKeeper %s:\n%s\n%s", again, r.dist.Version, strings.Join(lines, "\n"), tail(real))
		r.died++
		return false
	}
	fails := func(l []string) bool {
		a, b := r.pair.transcripts(l)
		if a != b {
			real, zkd = a, b
		}
		return a != b
	}
	first := script.Diff(real, zkd)
	steady := fails(lines)
	if !steady {
		steady = fails(lines)
	}
	if !steady {
		r.unsteady++
		r.t.Errorf("%s differed once and not again (- is ZooKeeper %s):\n%s", again, r.dist.Version, around(first))
		return false
	}
	r.found++
	r.t.Logf("%s differs, and again (- is ZooKeeper %s):\n%s", again, r.dist.Version, around(first))
	small := shrink(lines, func(l []string) bool { return legal(l, r.s) }, fails)
	fails(small)
	r.t.Errorf("%s: zkd differs (- is ZooKeeper %s, + is zkd)\n%s\nas a case:\n%s", again, r.dist.Version,
		script.Diff(real, zkd), asCase(r.seed, n, small))
	return false // the trees are no longer alike
}

// asks reports whether a line sends a request.
func asks(l line) bool {
	switch l.verb {
	case "flush", "mark", "eof", "drop", "part", "bytes", "outage", "leave", "return":
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
	const most = 120
	return strings.Join(out[:min(len(out), most)], "\n")
}

func tail(s string) string { return s[max(0, len(s)-2000):] }
