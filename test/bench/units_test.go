package main

import (
	"bytes"
	"context"
	"math"
	"math/rand"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestFramesAcrossReads(t *testing.T) {
	var stream []byte
	var want [][]byte
	rnd := rand.New(rand.NewSource(1))
	for range 200 {
		b := make([]byte, rnd.Intn(300))
		if rnd.Intn(50) == 0 {
			b = make([]byte, readBufferSize+rnd.Intn(readBufferSize)) // the buffer must grow
		}
		rnd.Read(b)
		want = append(want, b)
		stream = appendBuffer(stream, b)
	}
	for _, step := range []int{1, 3, 100, 4096, readBufferSize, len(stream)} {
		var f frames
		i := 0
		for rest := stream; len(rest) > 0; {
			n := copy(f.space(), rest[:min(step, len(rest))])
			rest = rest[n:]
			f.filled(n)
			for {
				b, ok, err := f.next()
				if err != nil {
					t.Fatal(err)
				}
				if !ok {
					break
				}
				if !bytes.Equal(b, want[i]) {
					t.Fatalf("step %d: frame %d differs", step, i)
				}
				i++
			}
		}
		if i != len(want) {
			t.Errorf("step %d: %d frames, want %d", step, i, len(want))
		}
	}
}

func TestFramesRefuseALengthThatCannotBe(t *testing.T) {
	for _, head := range [][]byte{{0xff, 0xff, 0xff, 0xff}, {0x7f, 0, 0, 0}} {
		var f frames
		f.filled(copy(f.space(), head))
		if _, _, err := f.next(); err == nil {
			t.Errorf("length % x is taken", head)
		}
	}
}

func TestHistogram(t *testing.T) {
	var h hist
	if h.quantile(0.5) != 0 {
		t.Error("an empty histogram has a median")
	}
	for i := 1; i <= 100_000; i++ {
		h.record(int64(i) * 1000)
	}
	for _, q := range []float64{0.001, 0.5, 0.99, 0.999, 1} {
		got, want := float64(h.quantile(q)), q*1e8
		if math.Abs(got-want) > want/64+1000 {
			t.Errorf("quantile %v is %v, want %v within 1/64", q, got, want)
		}
	}
	var sum hist
	sum.add(&h)
	sum.add(&h)
	if sum.count != 2*h.count || sum.quantile(0.5) != h.quantile(0.5) || sum.max != h.max {
		t.Error("the sum of a histogram with itself has another median or maximum")
	}
}

func TestHistogramBuckets(t *testing.T) {
	last := -1
	for _, v := range []int64{-5, 0, 1, 127, 128, 129, 130, 255, 256, 1 << 20, 1<<20 + 1<<15, math.MaxInt64} {
		i := bucketOf(v)
		if i < last || i >= histBuckets {
			t.Fatalf("value %d is in bucket %d, the smaller one before in %d of %d", v, i, last, histBuckets)
		}
		last = i
		if m := bucketMiddle(i); v > 0 && math.Abs(float64(m-v)) > float64(v)/64 {
			t.Errorf("value %d is reported as %d", v, m)
		}
	}
}

// TestGoldenFrames compares with frames captured from a real server (create /a, exists, ping).
func TestGoldenFrames(t *testing.T) {
	for name, c := range map[string]struct {
		got  []byte
		want string
	}{
		"create": {appendFrame(nil, createFrame("/a", []byte("x"), 0), 1), "\x00\x00\x00\x32\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x02/a\x00\x00\x00\x01x\x00\x00\x00\x01\x00\x00\x00\x1f\x00\x00\x00\x05world\x00\x00\x00\x06anyone\x00\x00\x00\x00"},
		"exists": {appendFrame(nil, readFrame(opExists, "/b", true), 3), "\x00\x00\x00\x0f\x00\x00\x00\x03\x00\x00\x00\x03\x00\x00\x00\x02/b\x01"},
		"ping":   {appendFrame(nil, frame(opPing, nil), xidPing), "\x00\x00\x00\x08\xff\xff\xff\xfe\x00\x00\x00\x0b"},
		"delete": {appendFrame(nil, deleteFrame("/a"), 11), "\x00\x00\x00\x12\x00\x00\x00\x0b\x00\x00\x00\x02\x00\x00\x00\x02/a\xff\xff\xff\xff"},
	} {
		if string(c.got) != c.want {
			t.Errorf("%s: % x\nwant % x", name, c.got, c.want)
		}
	}
	if n := len(connectRequest(10_000)); n != 4+45 {
		t.Errorf("connect request of %d bytes", n)
	}
}

func TestFillerCreatesEveryZnodeOnceBelowItsParent(t *testing.T) {
	for _, perMulti := range []int{0, 1, 7, 1000} {
		const total, stride = 2*fillDirSize + 345, 2
		seen := map[string]bool{}
		for first := range stride {
			f := newFiller(total, perMulti, stride, first, payload(10))
			var stream []byte
			for xid := int32(1); ; xid++ {
				n := len(stream)
				if stream = f.next(stream, xid); len(stream) == n {
					break
				}
				for _, p := range createdPaths(stream[n:]) {
					if parent := p[:strings.LastIndex(p, "/")]; seen[p] || parent != fillRoot && !seen[parent] {
						t.Fatalf("%d a multi: %s is made twice or before its parent", perMulti, p)
					}
					seen[p] = true
				}
			}
		}
		if len(seen) != total+3 || !seen[fillPath(0)] || !seen[fillPath(total-1)] {
			t.Errorf("%d a multi: %d paths, want %d", perMulti, len(seen), total+3)
		}
	}
	if n := len(fillPath(0)); n != 26 {
		t.Errorf("path of %d bytes, want 26", n)
	}
}

// createdPaths reads the paths of one create or multi frame by the replies a server would give.
func createdPaths(frame []byte) []string {
	body := plausible(nil)(getInt(frame[8:]), frame[lengthSize:])
	if getInt(frame[8:]) == opCreate {
		return []string{string(body[lengthSize:])}
	}
	var paths []string
	for body[4] == 0 {
		n := int(getInt(body[multiHeaderSize:]))
		paths = append(paths, string(body[multiHeaderSize+lengthSize:][:n]))
		body = body[multiHeaderSize+lengthSize+n:]
	}
	return paths
}

func TestPingsAreAnswered(t *testing.T) {
	cs, err := connectMany(startFake(t, &fakeServer{}), 100, sessionTimeout)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cs {
		c.timeout = time.Millisecond // many pings in a short test
	}
	if err := pingAll(context.Background(), cs, 20*time.Millisecond); err != nil {
		t.Error(err)
	}
	if err := closeAll(cs); err != nil {
		t.Error(err)
	}
}

func TestFillAgainstFake(t *testing.T) {
	s := ownServer(t)
	s.addr = startFake(t, &fakeServer{body: plausible(payload(10))})
	o := &options{Znodes: 2500, Size: 10, Threads: 1}
	for _, o.FillMulti = range []int{0, 50} {
		if _, err := fill(context.Background(), s, o); err != nil {
			t.Errorf("fill by %d a multi: %v", o.FillMulti, err)
		}
	}
}

func TestCheckMultiFindsAFailure(t *testing.T) {
	failed := appendInt(appendInt(appendBool(appendInt(nil, -1), false), -101), -101)
	failed = appendMultiHeader(failed, -1, true)
	if err := checkMulti(failed, 1, opSetData, statSize); err == nil {
		t.Error("a failed multi passes")
	}
	if err := newFiller(10, 5, 1, 0, nil).check(failed); err == nil {
		t.Error("a failed multi passes as a fill")
	}
}

func TestReportRatios(t *testing.T) {
	r := &report{Servers: []string{"zkd", "zookeeper"}}
	for i, v := range []float64{1, 3, 2} {
		r.add(sample{Scenario: "get 16×16", Server: "zkd", Round: i, Values: map[metric]float64{mServerCPU: v, mThroughput: 100 * v}})
		r.add(sample{Scenario: "get 16×16", Server: "zookeeper", Round: i, Values: map[metric]float64{mServerCPU: 10 * v, mThroughput: 50 * v}})
	}
	if x, ok := r.ratio("get 16×16", mServerCPU, lower); !ok || x != 10 {
		t.Errorf("CPU is %v times better, want 10", x)
	}
	if x, ok := r.ratio("get 16×16", mThroughput, higher); !ok || x != 2 {
		t.Errorf("throughput is %v times better, want 2", x)
	}
	var out strings.Builder
	r.writeTable(&out)
	for _, want := range []string{"2.00 (1.00–3.00)", "20.0 (10.0–30.0)", "≥ 8× reached", "≥ 3× MISSED", "10.0×"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("table lacks %q:\n%s", want, out.String())
		}
	}
	var js strings.Builder
	if err := r.writeJSON(&js); err != nil || !strings.Contains(js.String(), `"server_cpu_us_per_op": 10`) {
		t.Errorf("JSON: %v\n%s", err, js.String())
	}
}

func TestReportOfOneServer(t *testing.T) {
	r := &report{Servers: []string{"zkd"}}
	r.add(sample{Scenario: "get 16×16", Server: "zkd", Values: map[metric]float64{mServerCPU: 1}})
	var out strings.Builder
	r.writeTable(&out)
	if strings.Contains(out.String(), "target") {
		t.Errorf("one server is compared:\n%s", out.String())
	}
}

func TestMedian(t *testing.T) {
	if m := median([]float64{1, 2, 9}); m != 2 {
		t.Errorf("median %v", m)
	}
	if m := median([]float64{1, 2, 4, 9}); m != 3 {
		t.Errorf("median of four %v", m)
	}
}

func TestParseProc(t *testing.T) {
	got, err := parseCPU([]byte("42 (a (b) c) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20"))
	if err != nil || got != 2*time.Second {
		t.Errorf("CPU time %v, %v", got, err)
	}
	if _, err := parseCPU([]byte("42 (x) S 1")); err == nil {
		t.Error("a short stat passes")
	}
	if n := statusKB([]byte("Name:\tx\nVmHWM:\t  123 kB\nVmRSS:\t 99 kB\n"), "VmHWM:"); n != 123 {
		t.Errorf("VmHWM %d", n)
	}
	m, err := memoryOf(os.Getpid())
	if err != nil || m.rss <= 0 || m.peak < m.rss {
		t.Errorf("own memory %+v, %v", m, err)
	}
}

func TestParseHeap(t *testing.T) {
	n, err := parseHistogramTotal([]byte(" num     #instances         #bytes  class name\n   1:   10   20  [B\nTotal          4711       589000\n"))
	if err != nil || n != 589000 {
		t.Errorf("total %d, %v", n, err)
	}
	if n, ok := mntrValue("zk_version\t3.9.4\nzk_zkd_live_heap_bytes\t12345\n", liveHeapKey); !ok || n != 12345 {
		t.Errorf("mntr %d, %v", n, ok)
	}
}

func TestSnapshotWatch(t *testing.T) {
	at := time.Unix(0, 0)
	w := snapshotWatch{sizes: map[string]int64{"snapshot.0": 10}}
	for i, c := range []struct {
		sizes   map[string]int64
		after   time.Duration
		running bool
	}{
		{map[string]int64{"snapshot.0": 10}, 0, false},
		{map[string]int64{"snapshot.0": 10, "snapshot.5": 0}, time.Millisecond, true},
		{map[string]int64{"snapshot.0": 10, "snapshot.5": 90}, time.Millisecond, true},
		{map[string]int64{"snapshot.0": 10, "snapshot.5": 90}, snapshotQuiet / 2, true},
		{map[string]int64{"snapshot.5": 90}, snapshotQuiet, false},
	} {
		at = at.Add(c.after)
		if w.look(c.sizes, at); w.running != c.running {
			t.Errorf("step %d: running %v", i, w.running)
		}
	}
}

func TestOptions(t *testing.T) {
	for _, args := range [][]string{{"-parts", "restart"}, {"-ops", "nonsense"}, {"-ops", "get:0x1"}, {"-rounds", "0"}, {"-parts", "x"}} {
		if _, err := parseOptions(args); err == nil {
			t.Errorf("%v is taken", args)
		}
	}
	o, err := parseOptions([]string{"-quick", "-rounds", "2", "-ops", "get:1x2"})
	if err != nil || o.Rounds != 2 || o.Time != time.Second || len(o.Parts) != 1 {
		t.Fatalf("options %+v, %v", o, err)
	}
	if sc, _ := o.scenarios(); sc[0].name() != "get 1×2" {
		t.Errorf("scenario %q", sc[0].name())
	}
	if o, err := parseOptions([]string{"-full"}); err != nil || len(o.Parts) != len(allParts) {
		t.Errorf("full: %+v, %v", o, err)
	}
}

func TestQueueKeepsOrderAsItGrows(t *testing.T) {
	var q queue[int]
	in, out := 0, 0
	for round := range 200 {
		for range round % 37 {
			q.push(in)
			in++
		}
		for q.size() > round%11 {
			if v := q.pop(); v != out {
				t.Fatalf("popped %d, want %d", v, out)
			}
			out++
		}
	}
}

// ownServer stands for a server process by the test's own, for what reads /proc.
func ownServer(t *testing.T) *server {
	t.Helper()
	p, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	return &server{kind: &kind{name: "fake"}, cmd: &exec.Cmd{Process: p}, done: make(chan error, 1)}
}
