package jute

import (
	"strings"
	"unicode/utf8"
)

// JavaText does what decoding in Java does to malformed text: each part that
// could have been the beginning of a character becomes one U+FFFD, and so does
// a whole encoded surrogate. It returns s itself when s is well formed.
func JavaText(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		c, n := utf8.DecodeRuneInString(s)
		if c == utf8.RuneError && n == 1 {
			n = malformedLen(s)
		}
		b.WriteRune(c)
		s = s[n:]
	}
	return b.String()
}

// malformedLen is how much of s, which begins with malformed text, one U+FFFD
// stands for.
func malformedLen(s string) int {
	want, low, high := 1, byte(0x80), byte(0xbf) // bytes of the character, limits of the second
	switch c := s[0]; {
	case c >= 0xe0 && c <= 0xef:
		want = 3
		if c == 0xe0 {
			low = 0xa0
		}
	case c >= 0xf0 && c <= 0xf4:
		want = 4
		if c == 0xf0 {
			low = 0x90
		}
		if c == 0xf4 {
			high = 0x8f
		}
	}
	n := 1
	for n < want && n < len(s) && s[n] >= low && s[n] <= high {
		n, low, high = n+1, 0x80, 0xbf
	}
	return n
}
