package soak

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"
)

// Kind is a sort of fault.
type Kind string

// The kinds.
const (
	Kill       Kind = "kill"
	KillLeader Kind = "kill the leader"
	KillAll    Kind = "kill all"
	Terminate  Kind = "terminate"
	Stop       Kind = "stop"
	StopLeader Kind = "stop the leader"
	CutOff     Kind = "cut off from its peers"
	CutLeader  Kind = "cut the leader off"
	Isolate    Kind = "cut off from all"
	CutOneWay  Kind = "cut one way"
	CutPair    Kind = "cut one link"
	Halves     Kind = "halves"
	CutClients Kind = "cut off from clients"
	Narrow     Kind = "narrow links"
	Slow       Kind = "slow links"
	Lossy      Kind = "lossy links"
	HalfOpen   Kind = "half-open connections"
	Reset      Kind = "reset connections"
	FillDisk   Kind = "fill the disk"
	LoseDisk   Kind = "lose the disk"
	Rot        Kind = "damage files"
	Leave      Kind = "leave and join again"
)

// fleeting are the kinds that come at random in a round; how long one lasts is drawn between its bounds. How often a
// kind is drawn is its weight.
var fleeting = []struct {
	kind          Kind
	weight        int
	short, longer time.Duration
}{
	{Kill, 4, 50 * time.Millisecond, 6 * time.Second},
	{KillLeader, 4, 50 * time.Millisecond, 4 * time.Second},
	{KillAll, 1, time.Millisecond, 500 * time.Millisecond},
	{Terminate, 2, 50 * time.Millisecond, 3 * time.Second},
	{Stop, 3, 100 * time.Millisecond, 10 * time.Second},
	{StopLeader, 3, 100 * time.Millisecond, 8 * time.Second},
	{CutOff, 3, 200 * time.Millisecond, 8 * time.Second},
	{CutLeader, 3, 200 * time.Millisecond, 8 * time.Second},
	{Isolate, 3, 200 * time.Millisecond, 8 * time.Second},
	{CutOneWay, 3, 200 * time.Millisecond, 8 * time.Second},
	{CutPair, 3, 200 * time.Millisecond, 8 * time.Second},
	{Halves, 2, 200 * time.Millisecond, 6 * time.Second},
	{CutClients, 3, 200 * time.Millisecond, 8 * time.Second},
	{Narrow, 2, time.Second, 10 * time.Second},
	{Slow, 2, time.Second, 10 * time.Second},
	{Lossy, 2, time.Second, 10 * time.Second},
	{HalfOpen, 2, time.Second, 8 * time.Second},
	{Reset, 3, 20 * time.Millisecond, 300 * time.Millisecond},
	{FillDisk, 2, 500 * time.Millisecond, 5 * time.Second},
}

// Step is one fault of a plan: when in the round it begins, how long it lasts and whom it meets. Who the leader is, is
// seen only then. Numbers of servers count from 0.
type Step struct {
	At, For    time.Duration
	Kind       Kind
	Who, Other int
	Group      []int // of Halves: one of the two
	Bad        int   // of a link: how bad it is, from 0 to 5
}

// Plan is what a round does. It follows from the seed and the number of the round alone.
type Plan struct {
	Before Kind // LoseDisk, Rot, Leave or "", done to Who while all others are well
	Who    int
	Killed bool   // of Leave: while it is no member
	Steps  []Step // in order of At
	Faults time.Duration
	// Standing is a fault that lasts through a first demand for progress, before all is made whole: one minority
	// is then unwell still. Kind "" is none.
	Standing Step
}

// NewPlan draws the plan of a round for so many servers. Rounds are of one sort each: some kinds of faults only, at a
// pace of their own, since a mixture of everything never goes deep into anything.
func NewPlan(seed uint64, round, servers, voters int, faults time.Duration) Plan {
	rnd := rand.New(rand.NewPCG(seed, uint64(round)))
	p := Plan{Faults: faults, Who: rnd.IntN(servers)}
	switch rnd.IntN(6) {
	case 0:
		p.Before = LoseDisk
	case 1:
		p.Before = Rot
	case 2:
		p.Before, p.Killed = Leave, rnd.IntN(2) == 0
	}
	some := rnd.Perm(len(fleeting))[:2+rnd.IntN(5)]
	total := 0
	for _, i := range some {
		total += fleeting[i].weight
	}
	pace := time.Duration(600+rnd.IntN(3000)) * time.Millisecond // mean time from one to the next
	for at := time.Duration(rnd.Int64N(int64(time.Second))); at < faults; at += time.Duration(rnd.ExpFloat64() * float64(pace)) {
		n := rnd.IntN(total)
		for _, i := range some {
			if n -= fleeting[i].weight; n < 0 {
				p.Steps = append(p.Steps, draw(rnd, i, at, servers))
				break
			}
		}
	}
	if rnd.IntN(3) == 0 {
		p.Standing = Step{
			Kind: []Kind{Kill, Stop, CutOff, CutOneWay, CutPair, Isolate, Narrow, Lossy}[rnd.IntN(8)],
			Who:  rnd.IntN(voters), Bad: 1,
		}
		p.Standing.Other = (p.Standing.Who + 1 + rnd.IntN(servers-1)) % servers
	}
	slices.SortStableFunc(p.Steps, func(a, b Step) int { return cmp.Compare(a.At, b.At) })
	return p
}

func draw(rnd *rand.Rand, i int, at time.Duration, servers int) Step {
	f := fleeting[i]
	s := Step{At: at, Kind: f.kind, Who: rnd.IntN(servers)}
	s.For = f.short + time.Duration(rnd.Int64N(int64(f.longer-f.short)))
	if rnd.IntN(2) == 0 { // most troubles are short
		s.For = f.short + (s.For-f.short)/5
	}
	s.Other = (s.Who + 1 + rnd.IntN(servers-1)) % servers
	s.Bad = rnd.IntN(6)
	s.Group = rnd.Perm(servers)[:1+rnd.IntN(servers-1)]
	return s
}
