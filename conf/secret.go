package conf

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// redacted stands wherever a secret would have been printed.
const redacted = "<redacted>"

// Secret is a text that must not reach a log, an error or a report. Every way
// of printing it gives "<redacted>", so a Config can be dumped whole; only
// Reveal hands out the text.
type Secret struct {
	// A pointer, because fmt falls back to reflection for values in
	// unexported fields of other structs, where Format is not called: it
	// then prints an address instead of the text.
	text *string
}

// NewSecret wraps s.
func NewSecret(s string) Secret { return Secret{text: &s} }

// Reveal returns the text itself, "" when there is none.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsSet tells whether there is a text, even an empty one.
func (s Secret) IsSet() bool { return s.text != nil }

// String implements fmt.Stringer.
func (s Secret) String() string { return redacted }

// Format implements fmt.Formatter, which also covers %#v, %x and %q.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText implements encoding.TextMarshaler, which json uses too.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalJSON implements json.Marshaler without escaping the brackets.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// secretWords mark names whose values are never shown.
var secretWords = []string{"password", "passwd", "secret", "superdigest"}

func looksSecret(name string) bool {
	name = strings.ToLower(name)
	for _, w := range secretWords {
		if strings.Contains(name, w) {
			return true
		}
	}
	return false
}

// glued tells whether a value has swallowed the line of a secret: a stray
// backslash at the end of a line makes the next one, "….superDigest=super:x",
// a part of its value.
func glued(value string) bool {
	value = strings.ToLower(value)
	for _, w := range secretWords {
		if i := strings.Index(value, w); i >= 0 && strings.ContainsAny(value[i:], "=:") {
			return true
		}
	}
	return false
}

// showLimit bounds how much of a value an error or a report repeats.
const showLimit = 120

// show returns a value of an ordinary key as it may be printed.
func show(value string) string {
	if glued(value) {
		return redacted
	}
	return printable(value)
}

// printable cuts and quotes text that came from a file, so that it cannot
// break the line it is printed on.
func printable(s string) string {
	if len(s) > showLimit {
		s = strings.ToValidUTF8(s[:showLimit], "") + "…"
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\u2028' }) {
		return fmt.Sprintf("%q", s)
	}
	return s
}

// showName returns the name of a key as it may be printed. What follows a
// separator inside a name is cut: "superDigest\=super:x" makes all of the line
// the name, secret included.
func showName(name string) string {
	if i := strings.IndexAny(name, "=: \t"); i >= 0 {
		name = name[:i] + "…"
	}
	if name == "" {
		return `""`
	}
	return printable(name)
}
