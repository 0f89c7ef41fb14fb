package conf

import "strings"

// Property is a Java system property: what ZooKeeper is given as -DKey=Value.
type Property struct {
	Key, Value string
	Source     string // where it came from, for messages: "command line", "SERVER_JVMFLAGS"

	// Direct is a property that was given to zkd itself, and not in a variable
	// that is meant for a JVM as well. It needs no "zookeeper." in front.
	Direct bool
}

// ParseProperty splits "key=value", with or without a leading -D.
func ParseProperty(text, source string) Property {
	key, value, _ := strings.Cut(strings.TrimPrefix(text, "-D"), "=")
	return Property{Key: key, Value: value, Source: source}
}

// ParseFlags takes the -D items out of a variable like JVMFLAGS. The start
// script leaves the splitting to the shell, which cuts at blanks and knows no
// quotes there. Other items (-Xmx…) are kept under their own name, without a
// value, so that the report can say that they mean nothing here.
func ParseFlags(flags, source string) []Property {
	var props []Property
	for _, item := range strings.Fields(flags) {
		if strings.HasPrefix(item, "-D") {
			props = append(props, ParseProperty(item, source))
			continue
		}
		props = append(props, Property{Key: item, Source: source})
	}
	return props
}

// addProperties enters properties below the file. Those that are not
// ZooKeeper's are gathered into one notice for each source.
func (l *loader) addProperties(props []Property) {
	var sources []string
	foreign := map[string][]string{}
	for _, p := range props {
		if known := l.addProperty(p); !known {
			if foreign[p.Source] == nil {
				sources = append(sources, p.Source)
			}
			foreign[p.Source] = append(foreign[p.Source], showName(p.Key))
		}
	}
	for _, source := range sources {
		l.note(origin{source: source}, "without meaning for zkd: %s", strings.Join(foreign[source], " "))
	}
}

// addProperty enters one property; false means that it belongs to Java or to
// some other program.
func (l *loader) addProperty(p Property) (known bool) {
	at := origin{source: p.Source}
	if at.source == "" {
		at.source = "-D"
	}
	name, prefixed := strings.CutPrefix(p.Key, "zookeeper.")
	k := lookup(name)
	switch {
	case (prefixed || p.Direct) && k == nil:
		l.unknown(at, p.Key, name)
		return true
	case k == nil:
		return false
	case !prefixed && !k.bare() && !p.Direct:
		l.warn(at, "-D%s has no effect; the property is called zookeeper.%s", showName(name), showName(name))
		return true
	}
	s := &setting{key: k, name: name, text: trimJava(p.Value), at: at, rank: rankProperty, direct: p.Direct}
	if prefixed && !p.Direct && !l.quiet(k) {
		switch {
		case k.Prop == own:
			l.note(at, "ZooKeeper reads %s only from zoo.cfg; zkd takes it from -D too", showName(name))
		case k.bare():
			l.note(at, "ZooKeeper ignores -Dzookeeper.%s; its property is called %s", showName(name), showName(k.Prop))
		}
	}
	l.add(s)
	return true
}
