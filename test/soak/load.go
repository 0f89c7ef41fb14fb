package soak

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"

	"zkd/test/ensemble"
	"zkd/test/wire"
)

// load is the clients of a run. Each round has clients of its own, whose histories are examined and forgotten at its
// end.
type load struct {
	r             *run
	writes, reads meter
	parts         []*ensemble.Load
	from          time.Duration // when the round's clients began
}

func newLoad(r *run) *load { return &load{r: r} }

func (l *load) begin() {
	l.parts = []*ensemble.Load{
		l.r.e.StartLoad(ensemble.LoadOptions{Clients: 12, Pause: 20 * time.Millisecond, Timeout: 55 * time.Second}),
		l.r.e.StartLoad(ensemble.LoadOptions{Clients: 4, Pause: 100 * time.Millisecond, Timeout: 55 * time.Second, Depth: 10}),
	}
	l.from = l.r.now() - l.parts[0].Now()
}

func (l *load) awaitAll(take func(home *ensemble.Server) bool) {
	for _, p := range l.parts {
		p.AwaitAll(take)
	}
}

// end ends the round's clients and examines what they were told.
func (l *load) end() (writes, unknown, reads int) {
	for _, p := range l.parts {
		p.Halt()
	}
	var all []ensemble.Write
	for _, p := range l.parts {
		all = append(all, p.History()...)
	}
	slices.SortFunc(all, func(a, b ensemble.Write) int { return cmp.Compare(a.Return, b.Return) })
	for _, w := range all {
		switch w.Outcome {
		case ensemble.Acknowledged:
			writes++
			l.writes.note(l.from+w.Return, w.Return-w.Call)
		case ensemble.Unknown:
			unknown++
		}
	}
	l.r.expect(Clients)
	l.r.times[Replicas]++
	for _, p := range l.parts {
		p.Stop()
		l.clear(p.Root())
	}
	return writes, unknown, reads
}

// clear removes what clients have made, so that trees stay small however long the run is.
func (l *load) clear(path string) {
	s := ensemble.Open(l.r, 30*time.Second, l.r.e.Servers...)
	defer s.Close()
	s.Sync()
	l.remove(s, path)
}

func (l *load) remove(s *ensemble.Session, path string) {
	names := s.Must(wire.OpGetChildren, wire.PathWatch{Path: path}).Names
	if strings.Contains(path, "/seq/") { // none of these has children
		for some := range slices.Chunk(names, 500) {
			var all wire.Multi
			for _, n := range some {
				all.Ops = append(all.Ops, wire.SubOp{Op: wire.OpDelete, Body: wire.PathVersion{Path: path + "/" + n, Version: -1}})
			}
			l.repeat(s, wire.OpMulti, all)
		}
	} else {
		for _, n := range names {
			l.remove(s, path+"/"+n)
		}
	}
	l.repeat(s, wire.OpDelete, wire.PathVersion{Path: path, Version: -1})
}

// repeat sends a request until it is answered. That it was applied before, unanswered, is no trouble: the digests tell
// whether it was.
func (l *load) repeat(s *ensemble.Session, op wire.Op, body wire.Body) {
	for {
		if _, err := s.Call(op, body); !errors.Is(err, ensemble.ErrLost) {
			if err != nil {
				l.r.Fatal(err)
			}
			return
		}
	}
}
