package diff

import "strings"

// line is one line of a script, taken apart as far as rules need it.
type line struct {
	text    string
	session string
	held    bool
	verb    string
	args    []string
}

func parse(text string) line {
	f := strings.Fields(text)
	l := line{text: text, session: f[0]}
	f = f[1:]
	if f[0] == "&" {
		l.held, f = true, f[1:]
	}
	l.verb, l.args = f[0], f[1:]
	return l
}

func (l line) arg(i int) string {
	if i >= len(l.args) {
		return ""
	}
	return l.args[i]
}

// option is the value of name=value, "" without it.
func (l line) option(name string) string {
	for _, a := range l.args {
		if v, ok := strings.CutPrefix(a, name+"="); ok {
			return v
		}
	}
	return ""
}

func (l line) has(name string) bool { return l.option(name) != "" }
