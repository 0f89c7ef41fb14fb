package jute

import "testing"

// What Java 17 makes of these bytes.
func TestJavaText(t *testing.T) {
	const bad = "\uFFFD"
	for in, want := range map[string]string{
		"":                         "",
		"plain":                    "plain",
		"\u00e9\U0001F600":         "\u00e9\U0001F600",
		"a\xffb":                   "a" + bad + "b",
		"\xff\xff":                 bad + bad,
		"\x80":                     bad,
		"\xc0\x80":                 bad + bad,
		"\xc3":                     bad,
		"\xc3a":                    bad + "a",
		"\xe2\x82":                 bad,
		"\xe2\x82a":                bad + "a",
		"\xe2a":                    bad + "a",
		"\xe0\x80\x80":             bad + bad + bad,
		"\xed\xa0\x80":             bad,
		"\xed\xa0\xbd\xed\xb8\x80": bad + bad,
		"\xf0\x9f\x98":             bad,
		"\xf0\x9fa":                bad + "a",
		"\xf0\x80\x80\x80":         bad + bad + bad + bad,
		"\xf4\x90\x80\x80":         bad + bad + bad + bad,
		"\xf5\x80":                 bad + bad,
	} {
		if got := JavaText(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
