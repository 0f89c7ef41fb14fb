package conf

import (
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"
)

// TestPropertiesAsJava compares with what java.util.Properties (OpenJDK) read
// from the same bytes, after ZooKeeper's trim of keys and values.
func TestPropertiesAsJava(t *testing.T) {
	data, err := os.ReadFile("testdata/tricky.properties")
	if err != nil {
		t.Fatal(err)
	}
	golden, err := os.ReadFile("testdata/tricky.golden")
	if err != nil {
		t.Fatal(err)
	}
	want := make(map[string]string)
	for line := range strings.Lines(string(golden)) {
		var kv [2]string
		if err := json.Unmarshal([]byte("["+strings.Replace(line, `" "`, `","`, 1)+"]"), &kv); err != nil {
			t.Fatalf("golden line %q: %v", line, err)
		}
		want[kv[0]] = kv[1]
	}
	entries, bad, _ := parseProperties(data)
	if len(bad) > 0 {
		t.Fatalf("syntax errors: %v", bad)
	}
	got := make(map[string]string)
	for _, e := range entries {
		got[e.key] = e.value
	}
	for k, v := range want {
		if g, ok := got[k]; !ok || g != v {
			t.Errorf("%q = %q (present: %v), Java has %q", k, g, ok, v)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d keys, Java has %d", len(got), len(want))
	}
}

func TestPropertiesLinesAndEncoding(t *testing.T) {
	tests := []struct {
		name, text string
		want       []entry
	}{
		{"line of the first physical line", "\n# c\na=1\\\n 2\\\n 3\nb=2", []entry{{"a", "123", 3, false}, {"b", "2", 6, false}}},
		{"three kinds of line ends", "a=1\r\nb=2\rc=3\nd=4", []entry{{"a", "1", 1, false}, {"b", "2", 2, false}, {"c", "3", 3, false}, {"d", "4", 4, false}}},
		{"duplicates stay", "a=1\na=2", []entry{{"a", "1", 1, false}, {"a", "2", 2, false}}},
		{"UTF-8", "dataDir=/d\u00e9", []entry{{"dataDir", "/d\u00e9", 1, false}}},
		{"Latin-1", "dataDir=/d\xe9", []entry{{"dataDir", "/d\u00e9", 1, false}}},
		{"byte order mark", "\xef\xbb\xbfa=1", []entry{{"a", "1", 1, false}}},
		{"comment after a value", "a=1 # x", []entry{{"a", "1 # x", 1, true}}},
		{"comment after a tab", "a=1\t# x", []entry{{"a", "1\t# x", 1, true}}},
		{"an escaped # is meant", `a=1 \# x`, []entry{{"a", "1 # x", 1, false}}},
		{"a # inside a word", "a=b#c", []entry{{"a", "b#c", 1, false}}},
		{"backslash at the end of the file", `a=1\`, []entry{{"a", "1", 1, false}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, bad, bom := parseProperties([]byte(tt.text))
			if len(bad) > 0 || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, errors %v; want %+v", got, bad, tt.want)
			}
			if want := strings.HasPrefix(tt.text, "\xef\xbb\xbf"); bom != want {
				t.Errorf("bom = %v, want %v", bom, want)
			}
		})
	}
}

func TestPropertiesMalformedEscapes(t *testing.T) {
	for _, text := range []string{`a=\u12`, `a=\u12g4`, `\uxyzw=1`, `a=\u`} {
		entries, bad, _ := parseProperties([]byte("ok=1\n" + text + "\nalso=2"))
		if len(bad) != 1 || bad[0].line != 2 || !errors.Is(bad[0].err, errUnicodeEscape) {
			t.Errorf("%s: errors %v, want one on line 2", text, bad)
		}
		if len(entries) != 2 {
			t.Errorf("%s: the other lines were lost: %v", text, entries)
		}
	}
}

func FuzzProperties(f *testing.F) {
	data, err := os.ReadFile("testdata/tricky.properties")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	for _, s := range []string{"a=1\\\n#b", "\\\n#b\nc", "\\u0041=\\uD83D", "a\\\r\n\n b", " \f\t!c\n", "\xff=\xfe", "\\", "a\\"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, bad, _ := parseProperties(data)
		text, _ := decodeText(data)
		want, wantBad := javaMachine(text)
		if len(bad) != wantBad {
			t.Fatalf("%d errors, want %d", len(bad), wantBad)
		}
		if len(entries) != len(want) {
			t.Fatalf("%d entries, want %d: %+v, %q", len(entries), len(want), entries, want)
		}
		last := 0
		for i, e := range entries {
			if e.key != want[i][0] || e.value != want[i][1] {
				t.Fatalf("entry %d is %+v, want %q", i, e, want[i])
			}
			if e.line <= last || e.line > 1+strings.Count(text, "\n")+strings.Count(text, "\r") {
				t.Fatalf("entry %d is on line %d after line %d", i, e.line, last)
			}
			last = e.line
			if !utf8.ValidString(e.key) || !utf8.ValidString(e.value) {
				t.Fatalf("entry %d is not UTF-8: %+v", i, e)
			}
		}
	})
}

// javaMachine reads properties one character at a time, the way the class
// describes itself, where parseProperties works on lines: two ways to be wrong.
func javaMachine(text string) (entries [][2]string, bad int) {
	var line []rune
	rs := []rune(text)
	flush := func() {
		if len(line) > 0 {
			if kv, ok := javaSplit(line); ok {
				entries = append(entries, kv)
			} else {
				bad++
			}
		}
		line = nil
	}
	fresh, skip, comment, slash, glued := true, true, false, false, false
	for i := 0; i < len(rs); i++ {
		c := rs[i]
		eol := c == '\n' || c == '\r'
		if skip {
			if c == ' ' || c == '\t' || c == '\f' || eol && !glued {
				continue
			}
			skip, glued = false, false
		}
		if fresh {
			fresh = false
			comment = c == '#' || c == '!'
		}
		switch {
		case !eol && !comment:
			line = append(line, c)
			slash = c == '\\' && !slash
		case !eol:
		case slash && !comment:
			line = line[:len(line)-1]
			slash, skip, glued = false, true, true
			if c == '\r' && i+1 < len(rs) && rs[i+1] == '\n' {
				i++
			}
		default:
			flush()
			fresh, skip, comment, slash = true, true, false, false
		}
	}
	if slash {
		line = line[:len(line)-1]
	}
	flush()
	return entries, bad
}

func javaSplit(line []rune) (kv [2]string, ok bool) {
	blank := func(c rune) bool { return c == ' ' || c == '\t' || c == '\f' }
	end, slash := 0, false
	for ; end < len(line); end++ {
		c := line[end]
		if !slash && (c == '=' || c == ':' || blank(c)) {
			break
		}
		slash = c == '\\' && !slash
	}
	start, separated := end, false
	for ; start < len(line); start++ {
		c := line[start]
		if blank(c) {
			continue
		}
		if !separated && (c == '=' || c == ':') {
			separated = true
			continue
		}
		break
	}
	for i, part := range [][]rune{line[:end], line[start:]} {
		text, ok := javaConvert(part)
		if !ok {
			return kv, false
		}
		kv[i] = strings.TrimFunc(text, func(r rune) bool { return r <= ' ' })
	}
	return kv, true
}

func javaConvert(in []rune) (string, bool) {
	var out []uint16
	for i := 0; i < len(in); i++ {
		c := in[i]
		if c != '\\' {
			out = utf16.AppendRune(out, c)
			continue
		}
		i++
		if in[i] != 'u' {
			if j := strings.IndexRune("tnrf", in[i]); j >= 0 {
				c = rune("\t\n\r\f"[j])
			} else {
				c = in[i]
			}
			out = utf16.AppendRune(out, c)
			continue
		}
		unit := 0
		for range 4 {
			i++
			if i >= len(in) {
				return "", false
			}
			digit := strings.IndexRune("0123456789abcdef", in[i]|0x20)
			if digit < 0 || in[i] < '0' || in[i] > 'f' {
				return "", false
			}
			if in[i] <= '9' {
				digit = int(in[i] - '0')
			}
			unit = unit<<4 | digit
		}
		out = append(out, uint16(unit))
	}
	return string(utf16.Decode(out)), true
}
