package member

import (
	"fmt"
	"maps"
	"slices"

	"zkd/conf"
	"zkd/internal/mutant"
)

// Agreed returns the list that the files of most of the voters of l have, nil
// if no list is in so many. files has the server lines of a zoo.cfg by the id
// of its server; of whom there is nothing is for none.
//
// A server may name itself by a wildcard in its own file: its line is then what
// the list has of it, or else the file of another voter.
func (l List) Agreed(files map[int64]List) List {
	votes := map[string]int{}
	lists := map[string]List{}
	for _, s := range l {
		if file := files[s.ID]; !s.Observer && len(file) > 0 {
			file = l.named(s.ID, files)
			text := file.String()
			votes[text]++
			lists[text] = file
		}
	}
	for text, n := range votes {
		if n > l.Voters()/2 || mutant.Is(mutant.Files) {
			return lists[text]
		}
	}
	return nil
}

// Others returns the voters of l whose files have another list.
func (l List) Others(files map[int64]List) (voters []int64) {
	for _, s := range l {
		if !s.Observer && len(files[s.ID]) > 0 && l.named(s.ID, files).String() != l.String() {
			voters = append(voters, s.ID)
		}
	}
	return voters
}

// named is the file of a server with its own line by name.
func (l List) named(id int64, files map[int64]List) List {
	file := files[id]
	own := file.Find(id)
	if own == nil || !wildcard(*own) {
		return file
	}
	sources := []List{l}
	for _, other := range slices.Sorted(maps.Keys(files)) {
		sources = append(sources, files[other])
	}
	for _, source := range sources {
		if s := source.Find(id); s != nil && !wildcard(*s) {
			named := *s
			named.Observer = own.Observer
			return file.With(named)
		}
	}
	return file
}

// wildcard tells whether an address of a line means all interfaces of a host.
func wildcard(s conf.Server) bool {
	return slices.ContainsFunc(s.Addrs, conf.PeerAddr.Wildcard)
}

// Seen is what a leader sees of a server.
type Seen struct {
	Asks    bool // waits to be taken in
	Votes   bool // has a vote in raft
	Contact bool // is in contact
	// CaughtUp is in contact, and has what is committed: its vote counts.
	CaughtUp bool
}

// Step returns the list that is one safe step from l towards target, or l, and
// why there is none now, "" where l is the target already. leader goes last.
//
// A server is added only when it is there, and none loses its vote before all
// that are to have one do; what is left of the voters then has a majority that is
// in contact and has caught up.
func (l List) Step(target List, seen map[int64]Seen, leader int64, least int) (next List, why string) {
	if l.String() == target.String() {
		return l, ""
	}
	if err := target.Check(least); err != nil {
		return l, err.Error()
	}
	for _, t := range target {
		if wildcard(t) {
			return l, fmt.Sprintf("no file names the address of server %d", t.ID)
		}
	}
	next, why = l.grow(target, seen)
	if next.String() != l.String() || why != "" {
		return next, why
	}
	return l.shrink(target, seen, leader, least)
}

// grow adds a server, gives it a vote or changes its line.
func (l List) grow(target List, seen map[int64]Seen) (next List, why string) {
	for _, t := range target {
		s, is := l.Find(t.ID), seen[t.ID]
		switch {
		case s == nil && is.Asks && !l.With(t).clash():
			return l.With(t), ""
		case s == nil:
			why = fmt.Sprintf("server %d does not ask to be taken in", t.ID)
		case s.Observer && !t.Observer && is.Contact:
			return l.With(t), ""
		case s.Observer && !t.Observer:
			why = fmt.Sprintf("server %d is not in contact", t.ID)
		case s.Observer == t.Observer && Line(*s) != Line(t) && !l.With(t).clash():
			return l.With(t), ""
		case !t.Observer && !is.Votes:
			why = fmt.Sprintf("server %d does not vote yet", t.ID)
		}
	}
	return l, why
}

// shrink takes a server out, or its vote.
func (l List) shrink(target List, seen map[int64]Seen, leader int64, least int) (next List, why string) {
	order := slices.Clone(l)
	slices.SortStableFunc(order, func(a, b conf.Server) int { return rank(a.ID == leader) - rank(b.ID == leader) })
	for _, s := range order {
		t := target.Find(s.ID)
		switch {
		case t == nil:
			next = l.Without(s.ID)
		case t.Observer && !s.Observer:
			next = l.With(*t)
		default:
			continue
		}
		switch err := next.Check(least); {
		case err != nil:
			return l, err.Error()
		case !next.decides(seen):
			return l, fmt.Sprintf("without server %d too few of the voters are in contact and up to date", s.ID)
		}
		return next, ""
	}
	return l, "the addresses of its servers clash with those of others"
}

func rank(last bool) int {
	if last {
		return 1
	}
	return 0
}

// decides tells whether most of the voters of a list are in contact and have
// caught up.
func (l List) decides(seen map[int64]Seen) bool {
	there := 0
	for _, s := range l {
		if is := seen[s.ID]; !s.Observer && is.Votes && is.CaughtUp {
			there++
		}
	}
	return there > l.Voters()/2
}
