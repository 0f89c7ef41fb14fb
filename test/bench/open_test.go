package main

import (
	"context"
	"strings"
	"testing"
	"time"
)

// gated is a source whose replies are looked at only when the gate is open: a server that stalls.
type gated struct {
	source
	gate <-chan struct{}
}

func (g gated) check(body []byte) error {
	<-g.gate
	return g.source.check(body)
}

// A stall is charged to every request that was due in it, not to the one that met it.
func TestOpenLoopChargesAStallToAllThatWereDue(t *testing.T) {
	addr := startFake(t, &fakeServer{body: plausible(payload(100))})
	gate := make(chan struct{})
	w := testParams()
	l, err := startOpenLoad(context.Background(), addr, []openStream{{rate: 2000, sessions: 3, source: func(i int) source {
		return gated{newGet(w)(i), gate}
	}}})
	if err != nil {
		t.Fatal(err)
	}
	const stall = 100 * time.Millisecond
	if err := l.sleep(stall); err != nil {
		t.Fatal(err)
	}
	close(gate)
	if err := l.sleep(stall); err != nil {
		t.Fatal(err)
	}
	if err := l.finish(); err != nil {
		t.Fatal(err)
	}
	first := l.outcomes[0].due
	slow := 0
	for i, c := range l.outcomes {
		if c.done < c.due || i > 0 && c.due-l.outcomes[i-1].due != int64(time.Second)/2000 {
			t.Fatalf("request %d was due at %d and done at %d, the one before due at %d", i, c.due-first, c.done-first, l.outcomes[max(i-1, 0)].due-first)
		}
		if c.done-c.due > int64(stall)/10 {
			slow++
		}
	}
	// Of those due within the stall, nine tenths waited for longer than a tenth of it.
	if want := int(stall.Seconds() * 2000 * 0.8); slow < want {
		t.Errorf("%d requests were slow, want %d at least", slow, want)
	}
}

func TestOpenLoopSeesWrongReplies(t *testing.T) {
	addr := startFake(t, &fakeServer{body: plausible(make([]byte, 100))})
	l, err := startOpenLoad(context.Background(), addr, []openStream{{rate: 1000, sessions: 1, source: newGet(testParams())}})
	if err != nil {
		t.Fatal(err)
	}
	<-l.ended
	if err := l.finish(); err == nil || !strings.Contains(err.Error(), "data is not what was written") {
		t.Errorf("error %v", err)
	}
}

func TestOpenSamplesTellQuietFromSnapshot(t *testing.T) {
	ms := int64(time.Millisecond)
	var all []outcome
	for i := range int64(1000) {
		latency := ms
		if i >= 500 {
			latency = 4 * ms
		}
		all = append(all, outcome{due: i * ms, done: i*ms + latency, stream: int(i % 2)})
	}
	spans := []span{{500 * ms, 2000 * ms}}
	samples, err := openSamples("open", "zkd", all, spans)
	if err != nil {
		t.Fatal(err)
	}
	if len(samples) != 3 {
		t.Fatalf("%d samples", len(samples))
	}
	for _, s := range samples {
		if x := s.Values[mSnapSlowdown]; x < 3.8 || x > 4.2 {
			t.Errorf("%s: %v times slower, want 4", s.Scenario, x)
		}
	}
	if _, err := openSamples("open", "zkd", all, nil); err == nil {
		t.Error("no error without a snapshot")
	}
	line := timeLine(all, spans, 0)
	if n := len(line[seriesP99]); n != 10 {
		t.Errorf("%d points, want one for each 100 ms of a second", n)
	}
	if first, last := line[seriesMax][0], line[seriesMax][9]; first.Y != 1000 || last.Y != 4000 || last.X != 0.9 {
		t.Errorf("time line from %+v to %+v", first, last)
	}
}

func TestARequestMeetsASnapshot(t *testing.T) {
	spans := []span{{10, 20}, {40, 50}}
	for _, c := range []struct {
		due, done int64
		want      bool
	}{{0, 10, false}, {0, 11, true}, {12, 13, true}, {19, 30, true}, {20, 40, false}, {0, 60, true}, {50, 60, false}} {
		if got := (outcome{due: c.due, done: c.done}).meets(spans); got != c.want {
			t.Errorf("from %d to %d: %v", c.due, c.done, got)
		}
	}
}
