package conf

import (
	"fmt"
	"reflect"
	"strings"
)

// duplicate is told of a key that a file sets twice, of which ZooKeeper silently
// takes the last. That is an error, except where nothing depends on which.
func (l *loader) duplicate(old, s *setting) {
	name := showName(s.name)
	switch {
	case old.text == s.text || sameServer(old, s):
		l.repeated = append(l.repeated, [2]*setting{old, s})
		s.stance, s.reason = Overridden, "by "+old.at.String()
	case l.withoutEffect(s):
		l.warn(s.at, "%s is set twice, here and at %s, to different values; it has no effect in zkd", name, old.at)
		old.stance, old.reason = Overridden, "by "+s.at.String()
		l.settings[s.name] = s
	default:
		l.reject(s, "%s is set twice, here and at %s; ZooKeeper would silently take the last", name, old.at)
	}
}

// sameServer tells whether two lines say the same of one server.
func sameServer(old, s *setting) bool {
	if s.key.Name != "server.*" {
		return false
	}
	a, errA := ParseServer(old.name, old.text)
	b, errB := ParseServer(s.name, s.text)
	return errA == nil && errB == nil && reflect.DeepEqual(a, b)
}

// withoutEffect tells whether the value of a key changes nothing in this
// release.
func (l *loader) withoutEffect(s *setting) bool {
	without := s.key.Stance == Ignored
	for _, g := range l.gaps {
		if g.covers(s.name) {
			if g.refuse {
				return false
			}
			without = true
		}
	}
	return without
}

// reportRepeated has one remark on all lines that repeat others: a container
// that appends its lines again at each start makes many.
func (l *loader) reportRepeated() {
	switch len(l.repeated) {
	case 0:
		return
	case 1:
		old, s := l.repeated[0][0], l.repeated[0][1]
		l.warn(s.at, "%s is also set at %s, to the same value", showName(s.name), old.at)
		return
	}
	var names []string
	for _, r := range l.repeated {
		names = append(names, fmt.Sprintf("%s (%s)", showName(r[1].name), r[1].at.beside(l.repeated[0][1].at)))
	}
	l.warn(l.repeated[0][1].at, "set again, to the same values: %s", enumerate(names))
}

// groups gathers settings about which there is one thing to say.
type groups []group

type group struct {
	about    string
	settings []*setting
}

func (g *groups) add(about string, s *setting) {
	for i := range *g {
		if (*g)[i].about == about {
			(*g)[i].settings = append((*g)[i].settings, s)
			return
		}
	}
	*g = append(*g, group{about, []*setting{s}})
}

// rejectAll fails settings for one reason. Several are one message, which names
// each with its line.
func (l *loader) rejectAll(settings []*setting, why string) {
	first := settings[0]
	if len(settings) == 1 {
		l.reject(first, "%s=%s%s", showName(first.name), first.shown(), why)
		return
	}
	var names []string
	for _, s := range settings {
		names = append(names, fmt.Sprintf("%s (%s)", showName(s.name), s.at.beside(first.at)))
		s.bad, s.stance, s.reason = true, Refused, why
	}
	l.fail(first.at, "%s%s", enumerate(names), why)
}

// longestList is how many things a message names.
const longestList = 12

// enumerate joins names, up to a number that a reader still takes in.
func enumerate(names []string) string {
	if rest := len(names) - longestList; rest > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:longestList], ", "), rest)
	}
	return strings.Join(names, ", ")
}
