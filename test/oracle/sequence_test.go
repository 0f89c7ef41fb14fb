package oracle

import (
	"strings"
	"testing"
	"time"

	"zkd/test/wire"
)

// TestStreams has servers that apply something else than others, or not everything.
func TestStreams(t *testing.T) {
	type streams = map[string][]Entry
	for _, w := range []struct {
		name  string
		check Check // "" if nothing is wrong
		of    func(e []Entry) streams
	}{
		{"both are alike", "", func(e []Entry) streams { return streams{"s1": e, "s2": e} }},
		{"the digests differ", Replicas, func(e []Entry) streams {
			other := append([]Entry{}, e...)
			other[2].Digest++
			return streams{"s1": e, "s2": other}
		}},
		{"the results differ", Replicas, func(e []Entry) streams {
			other := append([]Entry{}, e...)
			other[2].Code = wire.CodeNoNode
			return streams{"s1": e, "s2": other}
		}},
		{"an entry is left out", Durable, func(e []Entry) streams {
			return streams{"s1": e, "s2": append(append([]Entry{}, e[:2]...), e[3:]...)}
		}},
		{"the last entry is lost", Durable, func(e []Entry) streams { return streams{"s1": e, "s2": e[:3]} }},
		{"a request of an entry is lost", Durable, func(e []Entry) streams {
			group := append([]Entry{}, e...)
			group[2].Index = group[1].Index
			return streams{"s1": group, "s2": append(append([]Entry{}, group[:2]...), group[3:]...)}
		}},
		{"an entry comes again", Replicas, func(e []Entry) streams {
			return streams{"s1": e, "s2": append(append([]Entry{}, e[:3]...), e[1:]...)}
		}},
		{"an entry is applied twice", Replicas, func(e []Entry) streams {
			return streams{"s1": e, "s2": append(append([]Entry{}, e[:3]...), e[2:]...)}
		}},
	} {
		// Whoever comes first must not matter.
		for _, order := range [][]string{{"s1", "s2"}, {"s2", "s1"}} {
			t.Run(w.name+", "+order[0]+" first", func(t *testing.T) {
				f := newFake(t)
				c := f.client()
				c.create("/a")
				c.create("/b")
				c.create("/c")
				of := w.of(f.entries)
				seq := NewSequence()
				for _, name := range order {
					stream := seq.Stream(name)
					for _, e := range of[name] {
						stream.Add(e)
					}
				}
				list := f.judge(seq, Options{Strangers: true})
				if w.check == "" && len(list) > 0 {
					t.Error(Error(list))
				}
				if w.check != "" {
					mustSay(t, list, w.check)
				}
			})
		}
	}
}

// TestLostTail: what was applied and lost everywhere is missed when the next term goes on without it.
func TestLostTail(t *testing.T) {
	f := newFake(t)
	c := f.client()
	c.create("/a")
	c.create("/lost")
	seq := NewSequence()
	first := seq.Stream("s1")
	for _, e := range f.entries {
		first.Add(e)
	}
	// After the power failure there is an entry of the new term in its place, which applies nothing.
	again := seq.Stream("s1")
	for _, e := range f.entries[:2] {
		again.Add(e)
	}
	again.Add(Entry{Index: 5, Term: 2, Zxid: 2 << 32, Op: wire.OpSync})
	list := seq.Faults()
	mustSay(t, list, Durable)
	if !strings.Contains(Error(list).Error(), "entry 4 was applied and lost") {
		t.Error(list)
	}
}

// TestSnapshot: a server that begins from a snapshot need not repeat what is in it.
func TestSnapshot(t *testing.T) {
	f := newFake(t)
	c := f.client()
	for range 5 {
		c.set("/", "x")
	}
	seq := NewSequence()
	s1, s2 := seq.Stream("s1"), seq.Stream("s2")
	for _, e := range f.entries {
		s1.Add(e)
	}
	s2.Restored(f.entries[3].Zxid)
	for _, e := range f.entries[4:] {
		s2.Add(e)
	}
	if err := Error(f.judge(seq, Options{})); err != nil {
		t.Error(err)
	}
}

// TestAdvance judges a run in pieces, and comes to the same faults and figures.
func TestAdvance(t *testing.T) {
	f := newFake(t)
	a, b := f.client(), f.client()
	seq := NewSequence()
	stream := seq.Stream("s1")
	check := NewChecker(f.h, seq, all)
	given := 0
	for range 20 {
		a.create("/a")
		b.ask(wire.OpGetData, "/a", true)
		a.delete("/a")
		b.event(nodeDeleted, "/a")
		b.sync()
		for _, e := range f.entries[given:] {
			stream.Add(e)
		}
		given = len(f.entries)
		for _, c := range f.clients {
			c.log.Add(c.items...)
			c.items = nil
		}
		check.Advance()
	}
	if entries := check.Stats().Entries; entries < 50 {
		t.Errorf("%d entries were judged while the run went on", entries)
	}
	if left := len(a.log.Items()); left > 10 {
		t.Errorf("%d items are still held", left)
	}
	// The last one is wrong.
	a.create("/a")
	b.get("/a").Code = wire.CodeNoNode
	for _, e := range f.entries[given:] {
		stream.Add(e)
	}
	for _, c := range f.clients {
		c.log.Add(c.items...)
		c.log.End()
	}
	list := check.Finish()
	mustSay(t, list, SessionView)
	if len(list) != 1 || check.Stats().Reads != 20 || check.Stats().Writes != 41 {
		t.Errorf("%v, %+v", list, check.Stats())
	}
}

// TestRequire: a run in which nothing happened proves nothing.
func TestRequire(t *testing.T) {
	if list := (Stats{Writes: 5}).Require(Stats{Writes: 5}); len(list) > 0 {
		t.Error(list)
	}
	mustSay(t, (Stats{Writes: 4, Reads: 100}).Require(Stats{Writes: 5}), NotVacuous)
}

// BenchmarkVerify judges a run as a simulation has it.
func BenchmarkVerify(b *testing.B) {
	for range b.N {
		b.StopTimer()
		f := newFake(b)
		var clients []*fakeClient
		for range 10 {
			clients = append(clients, f.client())
		}
		clients[0].create("/a")
		for i := range 20_000 {
			c := clients[i%10]
			if i%3 == 0 {
				c.set("/a", "x")
			} else {
				c.get("/a")
			}
		}
		b.StartTimer()
		began := time.Now()
		if err := Error(f.verify(Options{})); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(time.Since(began).Microseconds())/20_000, "µs/item")
	}
}
