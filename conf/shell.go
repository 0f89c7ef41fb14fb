package conf

import (
	"slices"
	"strings"
)

// assignment is a variable that a shell file sets.
type assignment struct {
	name, value string
	line        int
}

// command is what a shell file does besides, by its first line.
type command struct {
	text string
	line int
}

// parseShell reads the assignments of a file that ZooKeeper's start script has
// the shell run, java.env or zookeeper-env.sh: NAME=value and export NAME=value,
// with quotes, continued lines and the values of other variables, which get
// looks up. It runs nothing: whatever else is there, and what is under a
// condition, comes back as skipped.
func parseShell(data []byte, get func(name string) string) (set []assignment, skipped []command) {
	text, _ := decodeText(data)
	p := &shellParser{text: strings.ReplaceAll(text, "\r\n", "\n"), line: 1, get: get, vars: map[string]string{}}
	for p.at < len(p.text) {
		p.command()
	}
	return p.set, p.skipped
}

type shellParser struct {
	text string
	at   int
	line int
	get  func(string) string
	vars map[string]string

	depth, parens int  // of conditions, loops and functions
	hangs         bool // the next command is joined to the last by && or ||
	set           []assignment
	skipped       []command
}

// longestValue bounds what expansions may grow to.
const longestValue = 64 << 10

// word is one of a command.
type word struct {
	text  string
	plain int  // how many of its first bytes were written without quotes
	known bool // false if it holds what only a shell knows
}

// command reads up to the next end of a command, and notes what it sets.
func (p *shellParser) command() {
	start, line := p.at, p.line
	var words []word
	joined := false
	for ended := false; !ended; {
		p.blanks()
		switch c := p.peek(); {
		case c == 0:
			ended = true
		case c == '#':
			p.comment()
		case c == '\n' || c == ';' || c == '&' || c == '|':
			joined = p.separator()
			ended = true
		case c == '(' || c == ')':
			p.next()
			words = append(words, word{text: string(c)})
		default:
			words = append(words, p.word())
		}
	}
	p.judge(words, command{strings.TrimSpace(p.text[start:p.at]), line})
	p.hangs = joined
}

// judge decides what a command means here.
func (p *shellParser) judge(words []word, c command) {
	if len(words) == 0 {
		return
	}
	p.nest(words)
	always := p.depth == 0 && p.parens == 0 && !p.hangs
	switch words[0].text {
	case "fi", "esac", "done", "}", ")":
		return
	case "export":
		words = slices.DeleteFunc(words[1:], func(w word) bool { return variableName(w.text) })
	}
	var found []assignment
	for _, w := range words {
		name, value, ok := strings.Cut(w.text, "=")
		switch {
		case !ok || len(name) >= w.plain || !w.known || len(value) > longestValue:
			always = false
			continue
		}
		if name, more := strings.CutSuffix(name, "+"); more && variableName(name) {
			value = p.lookup(name) + value
			found = append(found, assignment{name, value, c.line})
			continue
		}
		always = always && variableName(name)
		found = append(found, assignment{name, value, c.line})
	}
	if !always {
		p.skipped = append(p.skipped, c)
		return
	}
	for _, a := range found {
		p.vars[a.name] = a.value
	}
	p.set = append(p.set, found...)
}

// nest follows what makes commands depend on something.
func (p *shellParser) nest(words []word) {
	switch words[0].text {
	case "if", "case", "for", "while", "until":
		p.depth++
	case "fi", "esac", "done":
		p.depth = max(p.depth-1, 0)
	}
	for _, w := range words {
		switch w.text {
		case "{":
			p.depth++
		case "}":
			p.depth = max(p.depth-1, 0)
		case "(":
			p.parens++
		case ")": // also behind a pattern of case
			p.parens = max(p.parens-1, 0)
		}
	}
}

func (p *shellParser) lookup(name string) string {
	if v, ok := p.vars[name]; ok {
		return v
	}
	return p.get(name)
}

// variableName tells whether a shell takes it as one.
func variableName(s string) bool {
	return s != "" && (s[0] < '0' || s[0] > '9') && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}

func (p *shellParser) peek() byte {
	if p.at == len(p.text) {
		return 0
	}
	return p.text[p.at]
}

func (p *shellParser) next() byte {
	c := p.text[p.at]
	p.at++
	if c == '\n' {
		p.line++
	}
	return c
}

// blanks skips what separates words, ends of lines behind a backslash too.
func (p *shellParser) blanks() {
	for p.at < len(p.text) {
		switch {
		case strings.IndexByte(blanks, p.peek()) >= 0 || p.peek() == '\r' || p.peek() == 0:
			p.next()
		case strings.HasPrefix(p.text[p.at:], "\\\n"):
			p.next()
			p.next()
		default:
			return
		}
	}
}

func (p *shellParser) comment() {
	for p.at < len(p.text) && p.peek() != '\n' {
		p.next()
	}
}

// separator reads one, and tells whether it makes the next command depend on
// this one.
func (p *shellParser) separator() (joined bool) {
	c := p.next()
	if (c == '&' || c == '|') && p.peek() == c {
		p.next()
		return true
	}
	return c == '|'
}

// word reads one, with its quotes resolved.
func (p *shellParser) word() word {
	var b strings.Builder
	w := word{known: true, plain: -1}
	quoted := func() {
		if w.plain < 0 {
			w.plain = b.Len()
		}
	}
	for p.at < len(p.text) && strings.IndexByte(blanks+"\n;&|()\x00", p.peek()) < 0 {
		switch c := p.next(); c {
		case '\'':
			quoted()
			for p.at < len(p.text) && p.peek() != '\'' {
				b.WriteByte(p.next())
			}
			w.known = p.close() && w.known
		case '"':
			quoted()
			for p.at < len(p.text) && p.peek() != '"' {
				w.known = p.character(&b, true) && w.known
			}
			w.known = p.close() && w.known
		case '\\', '$', '`':
			if b.Len() == 0 || !strings.Contains(b.String(), "=") {
				quoted() // no name of a variable is written so
			}
			p.at--
			w.known = p.character(&b, false) && w.known
		default:
			b.WriteByte(c)
		}
		if b.Len() > 2*longestValue {
			w.known = false
			b.Reset()
		}
	}
	if w.plain < 0 {
		w.plain = b.Len()
	}
	w.text = b.String()
	return w
}

// close reads the closing quote; false means that there is none.
func (p *shellParser) close() bool {
	if p.at == len(p.text) {
		return false
	}
	p.next()
	return true
}

// character reads one, or what a backslash or a dollar stands for. False means
// that only a shell knows.
func (p *shellParser) character(b *strings.Builder, quoted bool) bool {
	switch c := p.next(); c {
	case '\\':
		if p.at == len(p.text) {
			return true
		}
		switch e := p.next(); {
		case e == '\n':
		case quoted && strings.IndexByte("$`\"\\", e) < 0:
			b.WriteByte('\\')
			b.WriteByte(e)
		default:
			b.WriteByte(e)
		}
	case '$':
		return p.expansion(b)
	case '`':
		return false
	default:
		b.WriteByte(c)
	}
	return true
}

// expansion reads $NAME, ${NAME} and ${NAME:-text}; the dollar is read already.
func (p *shellParser) expansion(b *strings.Builder) bool {
	rest := p.text[p.at:]
	if inside, ok := strings.CutPrefix(rest, "{"); ok {
		inside, _, ok = strings.Cut(inside, "}")
		if !ok || strings.Contains(inside, "\n") {
			return false
		}
		p.at += len(inside) + 2
		name, otherwise, has := strings.Cut(inside, "-")
		name = strings.TrimSuffix(name, ":")
		if !variableName(name) || has && strings.ContainsAny(otherwise, "$`\"'\\") {
			return false
		}
		value := p.lookup(name)
		if value == "" {
			value = otherwise
		}
		b.WriteString(value)
		return true
	}
	n := 0
	for n < len(rest) && variableName(rest[:n+1]) {
		n++
	}
	if n == 0 {
		return false
	}
	p.at += n
	b.WriteString(p.lookup(rest[:n]))
	return true
}
