package soak

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"zkd/test/ensemble"
)

// Fault is one that happened.
type Fault struct {
	Kind     Kind
	Round    int
	Servers  []int // ids of those it met
	From, To time.Duration
}

// injector does what plans say, and knows what is wrong with whom. Not for concurrent use, but for its history.
type injector struct {
	t        testing.TB
	e        *ensemble.Ensemble
	links    *links
	disks    []int // ids of the servers whose disks can be filled
	operator *operator
	clients  []int // spaces where clients live, if not beside their servers
	clock    func() time.Duration
	log      func(format string, args ...any)
	round    int

	state   map[*ensemble.Server]condition
	fragile map[*ensemble.Server]bool // its disk was full: it may end even when that is over
	active  []*fault
	history history
}

// condition is what is wrong with a process.
type condition string

const (
	well    condition = ""
	down    condition = "down"
	stopped condition = "stopped"
	full    condition = "its disk is full" // it may have ended, or not
)

// fault is one that lasts.
type fault struct {
	until time.Duration
	undo  func()
	note  int // in the history
}

func newInjector(r *run, network *ensemble.Network) *injector {
	return &injector{
		t: r, e: r.e, disks: smallDisks, clients: clientSpaces, clock: r.now, log: r.say,
		links: &links{network: network},
		state: map[*ensemble.Server]condition{}, fragile: map[*ensemble.Server]bool{},
	}
}

// begin does a step, unless whom it would meet is unwell already. It tells whether it did.
func (in *injector) begin(s Step) bool {
	who, other := in.e.Servers[s.Who], in.e.Servers[s.Other]
	if s.Kind == KillLeader || s.Kind == StopLeader || s.Kind == CutLeader {
		if who = in.leader(); who == nil {
			return false
		}
	}
	switch s.Kind {
	case Kill, KillLeader:
		if in.state[who] != well {
			return false
		}
		who.Kill()
		in.ends(s, down, who)
	case Terminate:
		if in.state[who] != well {
			return false
		}
		// Without a majority to hand over to it may take its time; what counts is that it loses nothing.
		_ = who.Terminate()
		in.ends(s, down, who)
	case KillAll:
		in.killAll(s)
	case Stop, StopLeader:
		if in.state[who] != well {
			return false
		}
		who.Pause()
		in.ends(s, stopped, who)
	case FillDisk:
		if in.state[who] != well || !slices.Contains(in.disks, who.ID) {
			return false
		}
		if err := who.FillDisk(); err != nil {
			in.t.Errorf("fill the disk of %v: %v", who, err)
			return false
		}
		in.fragile[who] = true
		in.ends(s, full, who)
	default:
		return in.link(s, who, other)
	}
	return true
}

// link does something to the links of a server.
func (in *injector) link(s Step, who, other *ensemble.Server) bool {
	w, o, rest := ensemble.IDs(who), ensemble.IDs(other), ensemble.IDs(in.e.Except(who)...)
	all := append(slices.Clone(rest), in.clients...)
	cut := ensemble.Rule{Loss: 1}
	var undo func()
	met := []*ensemble.Server{who}
	switch s.Kind {
	case CutOff, CutLeader:
		undo = in.links.cut(both(w, rest, cut)...)
	case Isolate:
		undo = in.links.cut(both(w, all, cut)...)
	case CutOneWay:
		undo = in.links.cut(&ensemble.Rule{From: w, To: o, Loss: 1})
		met = append(met, other)
	case CutPair:
		undo = in.links.cut(both(w, o, cut)...)
		met = append(met, other)
	case Halves:
		met = nil
		for _, i := range s.Group {
			met = append(met, in.e.Servers[i])
		}
		undo = in.links.cut(both(ensemble.IDs(met...), ensemble.IDs(in.e.Except(met...)...), cut)...)
	case CutClients:
		if len(in.clients) == 0 {
			return false
		}
		undo = in.links.cut(both(w, in.clients, cut)...)
	case HalfOpen:
		undo = in.links.cut(both(w, all, ensemble.Rule{Loss: 1, Established: true})...)
	case Reset:
		undo = in.links.cut(both(w, all, ensemble.Rule{Reset: true})...)
	case Narrow:
		undo = in.links.worsen(both(w, all, ensemble.Rule{Rate: 10_000 << s.Bad})...)
	case Slow:
		undo = in.links.worsen(both(w, all, ensemble.Rule{Delay: 10 * time.Millisecond << s.Bad, Jitter: 5 * time.Millisecond << s.Bad})...)
	case Lossy:
		undo = in.links.worsen(both(w, all, ensemble.Rule{Loss: 0.05 * float64(1+s.Bad)})...)
	default:
		panic("soak: no such fault: " + s.Kind)
	}
	in.lasts(s, undo, met...)
	return true
}

// leader is who says that it leads, nil if nobody does.
func (in *injector) leader() *ensemble.Server {
	for _, s := range in.e.Servers {
		if in.state[s] == well && s.Mode() == string(ensemble.Leader) {
			return s
		}
	}
	return nil
}

// ends notes the condition of a server, and how it ends.
func (in *injector) ends(s Step, c condition, who *ensemble.Server) {
	in.state[who] = c
	in.lasts(s, func() { in.revive(who) }, who)
}

// revive makes a server whole, whatever it suffers from.
func (in *injector) revive(s *ensemble.Server) {
	switch in.state[s] {
	case stopped:
		s.Resume()
	case full:
		if err := s.FreeDisk(); err != nil {
			in.t.Errorf("free the disk of %v: %v", s, err)
		}
		if !s.Alive() {
			in.launch(s)
		}
	case down:
		in.launch(s)
	}
	in.state[s] = well
}

func (in *injector) launch(s *ensemble.Server) {
	if err := s.Launch(); err != nil {
		in.t.Fatal(err)
	}
}

func (in *injector) killAll(s Step) {
	in.history.endAll(in.clock(), in.mended(in.e.Servers...))
	for _, all := range in.e.Servers {
		if pid := all.PID(); pid != 0 {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	for _, all := range in.e.Servers {
		all.Kill() // waits
		if in.state[all] == full {
			if err := all.FreeDisk(); err != nil {
				in.t.Error(err)
			}
		}
		in.state[all] = down
	}
	in.lasts(s, func() {
		for _, all := range in.e.Servers {
			in.revive(all)
		}
	}, in.e.Servers...)
}

// mended takes the faults off the list that a kill of their process ends, and returns their notes.
func (in *injector) mended(servers ...*ensemble.Server) (notes []int) {
	in.active = slices.DeleteFunc(in.active, func(f *fault) bool {
		n := in.history.at(f.note)
		if !ofProcess(n.Kind) || !slices.ContainsFunc(servers, func(s *ensemble.Server) bool { return slices.Contains(n.Servers, s.ID) }) {
			return false
		}
		notes = append(notes, f.note)
		return true
	})
	return notes
}

func ofProcess(k Kind) bool {
	return slices.Contains([]Kind{Kill, KillLeader, KillAll, Terminate, Stop, StopLeader, FillDisk}, k)
}

func (in *injector) lasts(s Step, undo func(), met ...*ensemble.Server) {
	now := in.clock()
	in.log("%s %s for %v", s.Kind, ids(met), s.For.Round(time.Millisecond))
	in.active = append(in.active, &fault{now + s.For, undo, in.history.begin(Fault{Kind: s.Kind, Round: in.round, Servers: numbers(met), From: now})})
}

// endDue ends the faults whose time is over.
func (in *injector) endDue() {
	now := in.clock()
	in.active = slices.DeleteFunc(in.active, func(f *fault) bool {
		if f.until > now {
			return false
		}
		in.end(f)
		return true
	})
}

func (in *injector) end(f *fault) {
	f.undo()
	in.history.endAll(in.clock(), []int{f.note})
}

// nextEnd is when the next fault ends, or far away.
func (in *injector) nextEnd() time.Duration {
	next := time.Duration(1<<63 - 1)
	for _, f := range in.active {
		next = min(next, f.until)
	}
	return next
}

// heal ends all faults.
func (in *injector) heal() {
	for _, f := range in.active {
		in.end(f)
	}
	in.active = nil
}

// lookForEnded finds servers that have ended without being asked to.
func (in *injector) lookForEnded() {
	for _, s := range in.e.Servers {
		if in.state[s] != well || s.Alive() {
			continue
		}
		if !in.fragile[s] {
			in.t.Errorf("%v ended by itself", s)
		}
		in.launch(s)
	}
}

// awaitServing waits until all servers serve.
func (in *injector) awaitServing() {
	for _, s := range in.e.Servers {
		in.e.Await(fmt.Sprintf("%v serves", s), func() bool {
			in.lookForEnded()
			mode := s.Mode()
			return mode != "" && mode != "read-only"
		})
	}
	clear(in.fragile)
}

// before does what is borne by one server at a time only: it loses its disk, finds it damaged, or leaves the ensemble
// and is taken in again.
func (in *injector) before(p Plan) {
	s := in.e.Servers[p.Who]
	in.log("%s: server %d", p.Before, s.ID)
	note := in.history.begin(Fault{Kind: p.Before, Round: in.round, Servers: []int{s.ID}, From: in.clock()})
	if p.Before == Leave {
		in.operator.leave(s)
	}
	if p.Before != Leave || p.Killed {
		s.Kill()
		in.state[s] = down
	}
	switch p.Before {
	case LoseDisk:
		if err := s.Blank(); err != nil {
			in.t.Fatal(err)
		}
	case Rot:
		changed, err := s.CorruptFiles(damageable)
		if err != nil {
			in.t.Fatal(err)
		}
		in.log("damaged %d files", len(changed))
	}
	in.revive(s)
	if p.Before == Leave {
		in.operator.join(s)
	}
	in.e.AwaitServing(s)
	in.history.endAll(in.clock(), []int{note})
}

// damageable are the files that may be damaged: logs and snapshots, each sealed with checksums.
func damageable(path string) bool {
	return strings.HasSuffix(path, ".wal") || strings.Contains(path, "snapshots")
}

func numbers(servers []*ensemble.Server) []int {
	return slices.Sorted(slices.Values(ensemble.IDs(servers...)))
}

func ids(servers []*ensemble.Server) string { return fmt.Sprint(numbers(servers)) }
