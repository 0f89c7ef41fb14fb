package main

import (
	"context"
	"strings"
	"testing"
	"time"
)

// limited ends a source after so many requests, so that a test is bounded by count and not by time.
type limited struct {
	source
	left int
}

func (l *limited) next(dst []byte, xid int32) []byte {
	if l.left == 0 {
		return dst
	}
	l.left--
	return l.source.next(dst, xid)
}

func testParams() workloadParams {
	return workloadParams{Sessions: 3, Keys: 7, MultiOps: 3, data: payload(100)}
}

// drive sends n requests of a workload on each of three sessions at depth 5.
func drive(t *testing.T, f *fakeServer, name string, n int) (*load, error) {
	t.Helper()
	w, err := findWorkload(name)
	if err != nil {
		t.Fatal(err)
	}
	p := testParams()
	src := w.sources(p)
	l, err := startLoad(context.Background(), []string{startFake(t, f)}, p.Sessions, 5, 2, func(i int) source {
		return &limited{source: src(i), left: n}
	})
	if err != nil {
		t.Fatal(err)
	}
	return l, l.wait()
}

func TestWorkloadsGetEveryReply(t *testing.T) {
	for _, w := range workloads {
		for _, chunk := range []int{0, 1000, 7} {
			f := &fakeServer{body: plausible(payload(100)), chunk: chunk}
			l, err := drive(t, f, w.name, 40)
			if err != nil {
				t.Errorf("%s, %d bytes a write: %v", w.name, chunk, err)
				continue
			}
			if n, _ := l.replies(); n != 3*40 {
				t.Errorf("%s, %d bytes a write: %d replies, want %d", w.name, chunk, n, 3*40)
			}
			if h := l.latencies(phaseWarm); h.count != 3*40 {
				t.Errorf("%s: %d latencies, want %d", w.name, h.count, 3*40)
			}
		}
	}
}

func TestWrongReplyEndsTheRun(t *testing.T) {
	good := plausible(payload(100))
	for name, c := range map[string]struct {
		fake *fakeServer
		want string
	}{
		"xid": {&fakeServer{body: good, xid: func(n int, xid int32) int32 {
			if n == 9 {
				return xid + 1
			}
			return xid
		}}, "xid"},
		"code": {&fakeServer{body: good, code: func(n int) int32 {
			if n == 9 {
				return -101
			}
			return 0
		}}, "code -101"},
		"data":  {&fakeServer{body: plausible(make([]byte, 100))}, "data is not what was written"},
		"short": {&fakeServer{body: func(int32, []byte) []byte { return nil }}, "body of 0 bytes"},
	} {
		_, err := drive(t, c.fake, "get", 40)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, c.want)
		}
	}
}

func TestServerThatGoesAwayEndsTheRun(t *testing.T) {
	_, err := drive(t, &fakeServer{body: plausible(payload(100)), hangUpAfter: 20}, "set", 40)
	if err == nil { // end of file, or a reset when requests were still on their way
		t.Fatal("no error")
	}
}

func TestCancelEndsTheRun(t *testing.T) {
	w, _ := findWorkload("get")
	ctx, cancel := context.WithCancel(context.Background())
	addr := startFake(t, &fakeServer{body: plausible(payload(100))})
	l, err := startLoad(ctx, []string{addr}, 2, 4, 1, w.sources(testParams()))
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := l.finish(); err != nil && err != context.Canceled {
		t.Fatal(err)
	}
}

func noProfile() (func() error, error) { return func() error { return nil }, nil }

func TestMeasureCountsTheWindow(t *testing.T) {
	w, _ := findWorkload("get")
	addr := startFake(t, &fakeServer{body: plausible(payload(100))})
	l, err := startLoad(context.Background(), []string{addr}, 4, 8, 1, w.sources(testParams()))
	if err != nil {
		t.Fatal(err)
	}
	s := ownServer(t)
	before, after, err := l.measure(&ensemble{kind: s.kind, servers: []*server{s, s}}, 50*time.Millisecond, noProfile)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.finish(); err != nil {
		t.Fatal(err)
	}
	one := throughputSample("get", "fake", before, after, l.latencies(phaseA))
	if one.Values[mThroughput] <= 0 || one.Values[mBatch] < 1 || one.Values[mP50] <= 0 {
		t.Errorf("sample %v", one.Values)
	}
}

// BenchmarkGenerator is the cost of one request and reply, the in-process fake server's part included.
func BenchmarkGenerator(b *testing.B) {
	w, _ := findWorkload("get")
	src := w.sources(testParams())
	addr := startFake(b, &fakeServer{body: plausible(payload(100))})
	const sessions = 16
	l, err := startLoad(context.Background(), []string{addr}, sessions, 16, 1, func(i int) source {
		return &limited{source: src(i), left: b.N/sessions + 1}
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := l.wait(); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(ownCPU().Nanoseconds())/float64(b.N), "cpu-ns/op")
}
