package conf

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// origin is where a setting was written.
type origin struct {
	file   string
	line   int
	source string // for what comes from no file
}

func (o origin) String() string {
	if o.file == "" {
		return o.source
	}
	if o.line == 0 {
		return o.file
	}
	return fmt.Sprintf("%s:%d", o.file, o.line)
}

// beside is the place in a message that begins with another one.
func (o origin) beside(other origin) string {
	if o.file == other.file && o.file != "" && o.line > 0 {
		return fmt.Sprintf("line %d", o.line)
	}
	return o.String()
}

// rank orders the sources of a key; the higher one wins.
type rank int

const (
	rankDefault rank = iota
	rankProperty
	rankFile
	rankExtra // ZOO_CFG_EXTRA, behind what other variables say
)

// setting is one key as it was met.
type setting struct {
	key    *Key // nil for an unknown one
	name   string
	text   string
	hash   bool // see entry
	at     origin
	rank   rank
	direct bool // see Property
	v      value
	bad    bool
	stance Stance
	reason string
}

// shown is the value as it may be printed.
func (s *setting) shown() string {
	if s.key == nil {
		return "(not shown)"
	}
	if s.hidden() {
		return redacted
	}
	return show(s.text)
}

// hidden tells whether no part of the value may be printed.
func (s *setting) hidden() bool { return s.key.secret || looksSecret(s.name) || glued(s.text) }

func (s *setting) row() Row {
	return Row{Key: showName(s.name), Value: s.shown(), Where: s.at.String(), Stance: s.stance, Reason: s.reason}
}

// part is a piece of the value as it may be printed.
func (s *setting) part(text string) string {
	if s.hidden() {
		return redacted
	}
	return show(text)
}

// explain is an error about the value as it may be printed: its text may
// repeat a piece of the value.
func (s *setting) explain(err error) string {
	if s.hidden() {
		return "is malformed"
	}
	return err.Error()
}

// quiet tells whether a key is passed over without remarks on its spelling:
// how to write a key that is ignored anyway, or that only zkd has, is no news.
func (l *loader) quiet(k *Key) bool { return k.Stance == Ignored || strings.HasPrefix(k.Name, "zkd.") }

// add enters a setting and decides which of two counts.
func (l *loader) add(s *setting) {
	s.stance, s.reason = s.key.Stance, s.key.Reason
	if s.stance == Honoured {
		s.reason = ""
	}
	l.order = append(l.order, s)
	old := l.settings[s.name]
	switch {
	case old == nil || old.rank < s.rank:
		if old != nil {
			old.stance, old.reason = Overridden, "by "+s.at.String()
		}
		l.settings[s.name] = s
	case old.rank > s.rank:
		s.stance, s.reason = Overridden, "by "+old.at.String()
		if s.direct {
			l.warn(s.at, "%s=%s has no effect: %s is set at %s, which wins, as in ZooKeeper", showName(s.name), s.shown(), showName(s.name), old.at)
		}
	case s.rank >= rankFile:
		l.duplicate(old, s)
	default:
		old.stance, old.reason = Overridden, "by a later one"
		l.settings[s.name] = s
	}
}

// given tells whether a key is set at all, well or badly.
func (l *loader) given(name string) bool { return l.settings[name] != nil }

// get returns a setting that was parsed, or nil.
func (l *loader) get(name string) *setting {
	if s := l.settings[name]; s != nil && !s.bad {
		return s
	}
	return nil
}

// value returns the parsed setting or default of a key.
func (l *loader) value(name string) value {
	if s := l.get(name); s != nil {
		return s.v
	}
	k := lookup(name)
	v, _ := k.Type.parse(k.Default, true)
	return v
}

// all returns the parsed settings that count, in the order met.
func (l *loader) all() []*setting {
	return slices.DeleteFunc(slices.Clone(l.order), func(s *setting) bool {
		return s.key == nil || s.bad || l.settings[s.name] != s
	})
}

// family returns those of the family with a row of that name, "server.*".
func (l *loader) family(row string) []*setting {
	return slices.DeleteFunc(l.all(), func(s *setting) bool { return s.key.Name != row })
}

// bindAll puts the defaults into the Config, then what was set.
func (l *loader) bindAll() {
	for i := range keyTable {
		k := &keyTable[i]
		if k.bind == nil || k.Default == "" {
			continue
		}
		v, err := k.Type.parse(k.Default, true)
		if err != nil {
			panic("conf: default of " + k.Name + " " + err.Error())
		}
		k.bind(l.cfg, v)
	}
	for _, s := range l.all() {
		l.bind(s)
	}
}

func (l *loader) bind(s *setting) {
	k := s.key
	// A mistake in a key without effect keeps nobody from starting, except
	// where ZooKeeper would not start either.
	lenient := k.Stance == Ignored && k.Prop != own
	if lenient {
		l.passOver(s)
		return
	}
	if k.Stance == Ignored && !k.hush {
		l.note(s.at, "%s is ignored: %s", showName(s.name), k.Reason)
	}
	if !k.secret && glued(s.text) {
		l.reject(s, "the value of %s has swallowed the next line, which holds a secret: a backslash at the end of a line continues it", showName(s.name))
		return
	}
	if s.hash && !k.secret {
		l.reject(s, "%s=%s: zoo.cfg has no comments after a value; put the comment on a line of its own, or write \\# for a real #",
			showName(s.name), s.shown())
		return
	}
	if s.hash {
		l.warn(s.at, "%s holds \" #\"; zoo.cfg has no comments after a value, so all of it is the secret", showName(s.name))
	}
	v, err := k.Type.parse(s.text, k.Prop == own)
	if err != nil {
		l.reject(s, "%s", s.badValue(err))
		return
	}
	if k.adjust != nil {
		if text := k.adjust(&v); text != "" {
			l.warn(s.at, "%s=%s %s", showName(s.name), s.shown(), text)
		}
	}
	s.v = v
	if k.bind != nil {
		k.bind(l.cfg, v)
	}
}

// passOver has one remark on a key without effect, whatever its value.
func (l *loader) passOver(s *setting) {
	k := s.key
	var err error
	s.v, err = k.Type.parse(s.text, false)
	s.bad = err != nil
	switch {
	case k.hush:
	case s.bad || s.hash:
		l.warn(s.at, "%s=%s is malformed, and ignored: %s", showName(s.name), s.shown(), k.Reason)
	default:
		l.note(s.at, "%s is ignored: %s", showName(s.name), k.Reason)
	}
}

// badValue makes the sentence about a value that its Type refused.
func (s *setting) badValue(err error) string {
	name, t := showName(s.name), s.key.Type
	var bounds rangeError
	switch {
	case s.text == "":
		return fmt.Sprintf("%s has no value; it must be %s", name, t.Allowed)
	case errors.Is(err, errForm) && t.Allowed == boolean.Allowed:
		return fmt.Sprintf("Invalid option %s for %s. Choose 'true' or 'false.'", s.shown(), name)
	case errors.Is(err, errForm):
		return fmt.Sprintf("%s=%s must be %s", name, s.shown(), t.Allowed)
	case errors.As(err, &bounds):
		return fmt.Sprintf("%s %s, not %s; allowed: %s", name, bounds.msg, s.shown(), t.Allowed)
	}
	return fmt.Sprintf("%s=%s %s", name, s.shown(), s.explain(err))
}

// refuseAll runs the refusals that depend on the whole configuration.
func (l *loader) refuseAll() {
	var groups groups
	for _, s := range l.all() {
		if s.key.refuse == nil {
			continue
		}
		if reason := s.key.refuse(l.cfg, s.text); reason != "" {
			groups.add(reason, s)
		}
	}
	for _, g := range groups {
		verb := " is refused: "
		if len(g.settings) > 1 {
			verb = " are refused: "
		}
		l.rejectAll(g.settings, verb+g.about)
	}
}
