package soak

import (
	"slices"

	"zkd/test/ensemble"
)

// links makes rules of the network that overlap. Of two rules that take a packet the one made last counts, so cuts are
// made anew behind whatever only slows a link down: where something is cut, nothing passes.
type links struct {
	network *ensemble.Network
	cuts    []*ensemble.Rule
}

// cut makes rules that let nothing pass, and returns what takes them back.
func (l *links) cut(rules ...*ensemble.Rule) (undo func()) {
	l.network.Add(rules...)
	l.cuts = append(l.cuts, rules...)
	return func() {
		l.network.Remove(rules...)
		l.cuts = slices.DeleteFunc(l.cuts, func(r *ensemble.Rule) bool { return slices.Contains(rules, r) })
	}
}

// worsen makes rules that let some of it pass, later or at last.
func (l *links) worsen(rules ...*ensemble.Rule) (undo func()) {
	l.network.Add(rules...)
	l.network.Remove(l.cuts...)
	l.network.Add(l.cuts...)
	return func() { l.network.Remove(rules...) }
}

// both are rules like r for both ways between two groups.
func both(a, b []int, r ensemble.Rule) []*ensemble.Rule {
	there, back := ensemble.Between(a, b, r)
	return []*ensemble.Rule{there, back}
}
