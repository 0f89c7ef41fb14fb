package conf

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Type says which values a key takes. The zero Type takes any text.
type Type struct {
	// Allowed describes the values for error messages and documents.
	Allowed string
	// check parses a text; strict is set for the keys that ZooKeeper reads
	// as plain decimals, the others also take 0x10, #10 and octal 010.
	check func(text string, strict bool) (value, error)
}

// value is a parsed text; which field counts depends on the Type.
type value struct {
	text string
	n    int64
	yes  bool
	d    time.Duration
	list []string
}

func (t Type) parse(text string, strict bool) (value, error) {
	if t.check == nil {
		return value{text: text}, nil
	}
	v, err := t.check(text, strict)
	v.text = text
	return v, err
}

// errForm says that a text is not of its Type's form; the message is then made
// from Allowed. Other errors continue the sentence "key=value …".
var errForm = errors.New("has the wrong form")

// rangeError is a number of the right form but outside its bounds.
type rangeError struct{ msg string }

func (e rangeError) Error() string { return e.msg }

// whole is a whole number from lo to hi.
func whole(lo, hi int64) Type {
	allowed := fmt.Sprintf("a whole number from %d to %d", lo, hi)
	return Type{allowed, func(text string, strict bool) (value, error) {
		n, err := parseWhole(text, strict)
		switch {
		case err != nil:
			return value{}, errForm
		case n < lo:
			return value{}, rangeError{fmt.Sprintf("must be at least %d", lo)}
		case n > hi:
			return value{}, rangeError{fmt.Sprintf("must be at most %d", hi)}
		}
		return value{n: n}, nil
	}}
}

// parseWhole reads as Java's Integer.parseInt (strict) or Integer.decode.
func parseWhole(text string, strict bool) (int64, error) {
	if strict {
		return strconv.ParseInt(text, 10, 64)
	}
	sign, digits := "", text
	if digits != "" && (digits[0] == '-' || digits[0] == '+') {
		sign, digits = digits[:1], digits[1:]
	}
	base := 10
	switch lower := strings.ToLower(digits); {
	case strings.HasPrefix(lower, "0x"):
		base, digits = 16, digits[2:]
	case strings.HasPrefix(lower, "#"):
		base, digits = 16, digits[1:]
	case len(digits) > 1 && digits[0] == '0':
		base, digits = 8, digits[1:]
	}
	if digits == "" || digits[0] == '-' || digits[0] == '+' {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseInt(sign+digits, base, 64)
}

// in gives a number a unit: value.d is then the duration. The bounds must fit.
func (t Type) in(unit time.Duration) Type {
	name := map[time.Duration]string{time.Millisecond: "milliseconds", time.Second: "seconds"}[unit]
	check := t.check
	return Type{t.Allowed + " " + name, func(text string, strict bool) (value, error) {
		v, err := check(text, strict)
		v.d = time.Duration(v.n) * unit
		return v, err
	}}
}

// millis is a number of milliseconds from lo to what an int32 holds.
func millis(lo int64) Type { return whole(lo, math.MaxInt32).in(time.Millisecond) }

var (
	anyText  = Type{Allowed: "any text"}
	count    = whole(0, math.MaxInt32)
	anyInt   = whole(math.MinInt32, math.MaxInt32)
	anyLong  = whole(math.MinInt64, math.MaxInt64)
	port     = whole(0, 65535)
	boolean  = Type{"true or false", checkBool}
	decimal  = Type{"a decimal number", checkDecimal}
	nonEmpty = Type{"a text that is not empty", checkNonEmpty}
	list     = Type{"a list separated by commas", checkList}
	interval = Type{"a number of hours, or a number followed by ms, s, m, h or d", checkInterval}
)

func checkBool(text string, _ bool) (value, error) {
	switch strings.ToLower(text) {
	case "true":
		return value{yes: true}, nil
	case "false":
		return value{}, nil
	}
	return value{}, errForm
}

// yesNo takes the exact words only: ZooKeeper compares them that way, so that
// "skipACL=YES" leaves its checks on. Any other text is otherwise, which neither
// warns of.
func yesNo(otherwise bool) Type {
	return Type{"yes or no", func(text string, _ bool) (value, error) {
		if text == "yes" || text == "no" {
			return value{yes: text == "yes"}, nil
		}
		return value{yes: otherwise}, nil
	}}
}

// neither says what a text means that is none of the two words of a yesNo.
func neither(v *value) string {
	switch {
	case v.text == "yes" || v.text == "no":
		return ""
	case v.yes:
		return "is neither yes nor no, and taken as yes, as ZooKeeper does"
	}
	return "is neither yes nor no, and taken as no, as ZooKeeper does"
}

func checkDecimal(text string, _ bool) (value, error) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return value{}, errForm
	}
	return value{}, nil
}

func checkNonEmpty(text string, _ bool) (value, error) {
	if text == "" || strings.ContainsRune(text, 0) {
		return value{}, errForm
	}
	return value{}, nil
}

func checkList(text string, _ bool) (value, error) { return value{list: splitList(text)}, nil }

// splitList cuts at commas, trims, and drops empty items.
func splitList(text string) []string {
	var items []string
	for item := range strings.SplitSeq(text, ",") {
		if item = trimJava(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

// oneOf takes exactly one of words.
func oneOf(words ...string) Type {
	allowed := "one of " + strings.Join(words, ", ")
	return Type{allowed, func(text string, _ bool) (value, error) {
		if !slices.Contains(words, text) {
			return value{}, errForm
		}
		return value{}, nil
	}}
}

// intervalLimit keeps hours inside a time.Duration with room to add to it.
const intervalLimit = 100 * 365 * 24 * time.Hour

// checkInterval reads "24" as hours and "90m" with its unit; ZooKeeper 3.10
// writes the second form, older ones know only the first.
func checkInterval(text string, _ bool) (value, error) {
	units := []struct {
		suffix string
		unit   time.Duration
	}{ // ms before s and m, which it ends and begins with
		{"ms", time.Millisecond},
		{"s", time.Second},
		{"m", time.Minute},
		{"h", time.Hour},
		{"d", 24 * time.Hour},
		{"", time.Hour},
	}
	for _, u := range units {
		digits, ok := strings.CutSuffix(text, u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(trimJava(digits), 10, 64)
		if err != nil {
			return value{}, errForm
		}
		if n > int64(intervalLimit/u.unit) {
			return value{}, rangeError{"must be at most 100 years"}
		}
		return value{d: time.Duration(max(n, 0)) * u.unit}, nil // negative is off
	}
	return value{}, errForm
}
