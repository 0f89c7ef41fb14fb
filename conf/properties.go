package conf

import (
	"bytes"
	"errors"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// entry is one logical line of a properties file.
type entry struct {
	key, value string
	line       int  // first physical line, from 1
	hash       bool // the value holds " #", most likely meant as a comment
}

// syntaxError is a line that Java's reader refuses as well.
type syntaxError struct {
	line int
	err  error
}

var errUnicodeEscape = errors.New(`malformed \u escape: four hexadecimal digits must follow`)

// parseProperties reads data by the rules of java.util.Properties, then trims
// keys and values as ZooKeeper does. Entries come in file order, duplicates
// included: what to think of them is the caller's business.
func parseProperties(data []byte) (entries []entry, bad []syntaxError, bom bool) {
	text, bom := decodeText(data)
	lines := physicalLines(text)
	for i := 0; i < len(lines); {
		start := i
		var logical string
		logical, i = logicalLine(lines, i)
		if logical == "" {
			continue
		}
		e, err := splitEntry(logical)
		if err != nil {
			bad = append(bad, syntaxError{start + 1, err})
			continue
		}
		e.line = start + 1
		entries = append(entries, e)
	}
	return entries, bad, bom
}

// byteOrderMark is what editors of Windows put in front of UTF-8.
const byteOrderMark = "\ufeff"

// isUTF16 tells whether bytes begin with the mark of UTF-16, as what PowerShell
// writes by > does. Neither ZooKeeper nor zkd reads that.
func isUTF16(data []byte) bool {
	return bytes.HasPrefix(data, []byte{0xff, 0xfe}) || bytes.HasPrefix(data, []byte{0xfe, 0xff})
}

// decodeText drops a byte order mark and reads the bytes as UTF-8 if they are
// that, else as Latin-1, which is all Java knows. A path with an accent thus
// means what the editor showed, where ZooKeeper would make two letters of it.
func decodeText(data []byte) (text string, bom bool) {
	rest, bom := strings.CutPrefix(string(data), byteOrderMark)
	if utf8.ValidString(rest) {
		return rest, bom
	}
	var b strings.Builder
	for i := range len(rest) {
		b.WriteRune(rune(rest[i]))
	}
	return b.String(), bom
}

// physicalLines splits at \n, \r and \r\n. The text after the last line end is
// a line too, even when it is empty.
func physicalLines(text string) []string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	text = strings.ReplaceAll(text, "\r", "\n")
	return strings.Split(text, "\n")
}

// logicalLine joins the physical line i with its continuations and returns the
// index of the line after them. Comments and blank lines give "".
func logicalLine(lines []string, i int) (string, int) {
	first := strings.TrimLeft(lines[i], blanks)
	i++
	if first == "" || first[0] == '#' || first[0] == '!' {
		return "", i
	}
	var b strings.Builder
	part := first
	for continues(part) {
		b.WriteString(part[:len(part)-1])
		if i == len(lines) {
			return b.String(), i
		}
		// Past the first line a leading # is data; an empty line ends it.
		part = strings.TrimLeft(lines[i], blanks)
		i++
	}
	b.WriteString(part)
	return b.String(), i
}

// blanks are what Java calls white space inside a line.
const blanks = " \t\f"

// continues tells whether a line ends in an odd number of backslashes.
func continues(s string) bool {
	return (len(s)-len(strings.TrimRight(s, `\`)))%2 == 1
}

// splitEntry cuts a logical line into key and value: the key ends at the first
// unescaped blank, '=' or ':'; then blanks, at most one separator, and blanks
// again are eaten.
func splitEntry(line string) (entry, error) {
	end := keyEnd(line)
	rest := strings.TrimLeft(line[end:], blanks)
	if rest != "" && (rest[0] == '=' || rest[0] == ':') {
		rest = strings.TrimLeft(rest[1:], blanks)
	}
	key, err := unescape(line[:end])
	if err != nil {
		return entry{}, err
	}
	value, err := unescape(rest)
	if err != nil {
		return entry{}, err
	}
	return entry{
		key:   trimJava(key),
		value: trimJava(value),
		// Looked for before unescaping, so that \# stays a way to write it.
		hash: strings.Contains(rest, " #") || strings.Contains(rest, "\t#"),
	}, nil
}

func keyEnd(line string) int {
	escaped := false
	for i := range len(line) {
		switch c := line[i]; {
		case escaped:
			escaped = false
		case c == '\\':
			escaped = true
		case c == '=' || c == ':' || strings.IndexByte(blanks, c) >= 0:
			return i
		}
	}
	return len(line)
}

// unescape resolves \t \n \r \f \uXXXX; any other \c is c.
func unescape(s string) (string, error) {
	if !strings.Contains(s, `\`) {
		return s, nil
	}
	// UTF-16 units, because Java writes what lies beyond U+FFFF as two escapes.
	var out []uint16
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		i += size
		if r != '\\' || i == len(s) {
			out = utf16.AppendRune(out, r)
			continue
		}
		c, size := utf8.DecodeRuneInString(s[i:])
		i += size
		if c != 'u' {
			out = utf16.AppendRune(out, escapeRune(c))
			continue
		}
		unit, ok := hex4(s[i:])
		if !ok {
			return "", errUnicodeEscape
		}
		i += 4
		out = append(out, unit)
	}
	return string(utf16.Decode(out)), nil
}

func escapeRune(c rune) rune {
	switch c {
	case 't':
		return '\t'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 'f':
		return '\f'
	}
	return c
}

func hex4(s string) (uint16, bool) {
	if len(s) < 4 {
		return 0, false
	}
	var n uint16
	for i := range 4 {
		c := s[i]
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		n = n<<4 | uint16(c)
	}
	return n, true
}

// trimJava is String.trim: everything up to and including the blank goes.
func trimJava(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return r <= ' ' })
}
