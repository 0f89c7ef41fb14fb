package soak

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// quietTB is a testing.TB whose failures are nobody's but the recorder's.
type quietTB struct{ testing.TB }

func (quietTB) Error(...any)          {}
func (quietTB) Errorf(string, ...any) {}
func (quietTB) Helper()               {}

// sampleRun is a run of a minute that nobody made.
func sampleRun(t *testing.T) *run {
	r := &run{
		opts: Options{For: time.Minute, Seed: 7, Faults: 30 * time.Second, Out: t.TempDir(), Commit: "abc<def"},
		ctx:  context.Background(), began: time.Now().Add(-time.Minute), times: map[Check]int{Digests: 3},
	}
	r.recorder = &recorder{TB: quietTB{t}, clock: r.now}
	r.fleet = &fleet{r: r}
	r.in = &injector{}
	r.watcher = &watcher{looks: map[int][]Look{}}
	for i := range 50 {
		at := time.Duration(i) * time.Second
		r.fleet.writes.note(at, time.Duration(i+1)*time.Millisecond)
		r.fleet.written.Add(1)
		r.watcher.looks[1] = append(r.watcher.looks[1], Look{At: at, Alive: true, State: "leader", Zxid: int64(i/20+1) << 32, Goroutines: 9})
	}
	n := r.in.history.begin(Fault{Kind: Stop, Servers: []int{1}, From: 3 * time.Second})
	r.in.history.endAll(5*time.Second, []int{n})
	r.in.history.begin(Fault{Kind: Halves, Servers: []int{1, 2}, From: 50 * time.Second})
	r.rounds = []Round{{Number: 0, To: time.Minute, Faults: 2, Served: time.Second}}
	return r
}

func TestReport(t *testing.T) {
	r := sampleRun(t)
	if err := r.report(true); err != nil {
		t.Fatal(err)
	}
	good := readPage(t, r)
	for _, want := range []string{"passed", "seed 7", "abc&lt;def", "<svg", "p99", "halves", "server 1", "3 times", "not made", "50.0 ms"} {
		if !strings.Contains(good, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(good, "FAILED") || strings.Contains(good, "http") && strings.Contains(good, "src=") {
		t.Error("the page of a good run says that it failed, or needs something else to be shown")
	}
	f := r.figures()
	if f.Writes != 50 || f.Faults != 2 || f.LeaderChanges != 2 || f.ServedMax != time.Second || f.ByKind[Halves] != 1 {
		t.Errorf("%+v", f)
	}

	r.during(Digests)
	r.Errorf("server %d <differs>", 2)
	if err := r.report(true); err != nil {
		t.Fatal(err)
	}
	bad := readPage(t, r)
	for _, want := range []string{"FAILED", "server 2 &lt;differs&gt;", "broken: 1"} {
		if !strings.Contains(bad, want) {
			t.Errorf("the page of a bad run lacks %q", want)
		}
	}
	var s Summary
	b, err := os.ReadFile(filepath.Join(r.opts.Out, "soak.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &s); err != nil || s.Passed || s.Figures.Writes != 50 {
		t.Errorf("%v: %+v", err, s)
	}
}

// A run that ends before there is anything has a page as well.
func TestReportOfNothing(t *testing.T) {
	r := &run{opts: Options{Out: t.TempDir()}, ctx: context.Background(), began: time.Now(), times: map[Check]int{}}
	r.recorder = &recorder{TB: quietTB{t}, clock: r.now, check: Setup}
	r.Error("no network")
	if err := r.report(true); err != nil {
		t.Fatal(err)
	}
	if p := readPage(t, r); !strings.Contains(p, "FAILED") || !strings.Contains(p, "no network") {
		t.Error(p)
	}
}

func readPage(t *testing.T, r *run) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(r.opts.Out, "index.html"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
