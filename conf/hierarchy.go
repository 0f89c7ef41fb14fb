package conf

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// checkHierarchy accepts groups and weights where they change nothing: one
// group of all servers, all voters of one weight. Raft counts plain majorities.
func (l *loader) checkHierarchy() {
	weights, equal := l.checkWeights()
	groups := l.family("group*")
	member := make(map[int64]bool)
	for _, s := range groups {
		if !strings.HasPrefix(s.name, "group.") {
			l.reject(s, "%s is no key; a group is written group.G=1:2:3", showName(s.name))
			return
		}
		for text := range strings.SplitSeq(s.text, ":") {
			id, err := strconv.ParseInt(trimJava(text), 10, 64)
			if err != nil {
				l.reject(s, "%s=%s: %s is not a number", showName(s.name), s.shown(), s.part(text))
				return
			}
			if member[id] {
				l.reject(s, "%s=%s: Server %d is in multiple groups", showName(s.name), s.shown(), id)
				return
			}
			member[id] = true
		}
	}
	if len(groups) > 1 {
		l.reject(groups[1], "%s makes a second group, which is refused: raft counts plain majorities", showName(groups[1].name))
		return
	}
	for _, s := range l.cfg.Servers {
		if len(groups) == 1 && !member[s.ID] {
			l.reject(groups[0], "%s=%s: Server %d is not in a group", showName(groups[0].name), groups[0].shown(), s.ID)
			return
		}
	}
	if equal && len(groups)+weights > 0 {
		l.note(l.listAt(), "group and weight keys are accepted because they describe a plain majority")
	}
}

// checkWeights returns how many weights there are, and whether they change
// nothing. Those of observers never do; a voter without one has 1.
func (l *loader) checkWeights() (weights int, equal bool) {
	voters := make(map[int64]weight)
	for _, s := range l.cfg.Servers {
		if !s.Observer {
			voters[s.ID] = weight{id: s.ID, n: 1}
		}
	}
	for _, s := range l.family("weight*") {
		w, ok := l.parseWeight(s)
		_, votes := voters[w.id]
		switch {
		case !ok:
		case votes && w.n == 0:
			l.reject(s, "%s=0 is refused: make the server an observer instead, which has no vote either", s.name)
		case votes:
			voters[w.id] = w
			weights++
		default:
			weights++
			if l.cfg.server(w.id) == nil && len(l.cfg.Servers) > 0 {
				l.warn(s.at, "%s=%s: there is no server %d in the list", s.name, s.shown(), w.id)
			}
		}
	}
	odd, common := oddWeights(voters)
	if len(odd) > 0 {
		l.unequal(odd, common)
	}
	return weights, len(odd) == 0
}

// weight is what a voter's vote counts for in ZooKeeper; from is its line, nil
// where there is none.
type weight struct {
	id, n int64
	from  *setting
}

func (l *loader) parseWeight(s *setting) (w weight, ok bool) {
	text, named := strings.CutPrefix(s.name, "weight.")
	id, errID := strconv.ParseInt(text, 10, 64)
	n, err := strconv.ParseInt(s.text, 10, 64)
	switch {
	case !named || errID != nil:
		l.reject(s, "%s is no key; a weight is written weight.N=w", showName(s.name))
	case err != nil || n < 0:
		l.reject(s, "%s=%s must be a whole number, 0 or more", showName(s.name), s.shown())
	default:
		return weight{id, n, s}, true
	}
	return weight{}, false
}

// oddWeights returns those that differ from what most voters have, the least of
// several equally frequent ones.
func oddWeights(voters map[int64]weight) (odd []weight, common int64) {
	count := make(map[int64]int)
	for _, w := range voters {
		count[w.n]++
	}
	for n, many := range count {
		if many > count[common] || many == count[common] && n < common {
			common = n
		}
	}
	for _, w := range voters {
		if w.n != common {
			odd = append(odd, w)
		}
	}
	slices.SortFunc(odd, func(a, b weight) int { return int(a.id - b.id) })
	return odd, common
}

// unequal is about weights that differ: with them fewer servers than a majority
// may decide, which raft never allows.
func (l *loader) unequal(odd []weight, common int64) {
	var names []string
	at := l.listAt()
	for _, w := range odd {
		name := fmt.Sprintf("weight.%d=%d", w.id, w.n)
		if w.from == nil {
			name = fmt.Sprintf("server.%d without a weight, which is 1", w.id)
		}
		names = append(names, name)
	}
	for _, w := range odd {
		if w.from != nil {
			at = w.from.at
			break
		}
	}
	if l.value("zkd.ignoreWeights").yes {
		l.warn(at, "%s where the other voters have %d: by zkd.ignoreWeights=true each voter has one vote all the same", enumerate(names), common)
		return
	}
	l.fail(at, "%s is refused where the other voters have %d: raft gives every voter one vote; make the weights equal, "+
		"or start with one vote each by zkd.ignoreWeights=true", enumerate(names), common)
}
