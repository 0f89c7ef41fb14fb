package jute

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"testing"
)

func TestPrimitivesRoundTrip(t *testing.T) {
	var b []byte
	b = AppendInt32(b, math.MinInt32)
	b = AppendInt32(b, -1)
	b = AppendInt64(b, math.MinInt64)
	b = AppendInt64(b, math.MaxInt64)
	b = AppendBool(b, true)
	b = AppendBool(b, false)
	b = AppendBuffer(b, nil)
	b = AppendBuffer(b, []byte{})
	b = AppendBuffer(b, []byte{0, 255})
	b = AppendString(b, "")
	b = AppendString(b, "zookeeper")
	r := NewReader(b)
	if v := r.Int32(); v != math.MinInt32 {
		t.Errorf("int: got %d", v)
	}
	if v := r.Int32(); v != -1 {
		t.Errorf("int: got %d", v)
	}
	if v := r.Int64(); v != math.MinInt64 {
		t.Errorf("long: got %d", v)
	}
	if v := r.Int64(); v != math.MaxInt64 {
		t.Errorf("long: got %d", v)
	}
	if !r.Bool() || r.Bool() {
		t.Error("booleans differ")
	}
	if v := r.Buffer(); v != nil {
		t.Errorf("null buffer: got %#v", v)
	}
	if v := r.Buffer(); v == nil || len(v) != 0 {
		t.Errorf("empty buffer: got %#v", v)
	}
	if v := r.Buffer(); !bytes.Equal(v, []byte{0, 255}) {
		t.Errorf("buffer: got %x", v)
	}
	if v, null := r.NullString(); v != "" || null {
		t.Errorf("empty string: got %q, null %v", v, null)
	}
	if v, null := r.NullString(); v != "zookeeper" || null {
		t.Errorf("string: got %q, null %v", v, null)
	}
	if r.Err() != nil || r.Len() != 0 {
		t.Errorf("at the end: %v, %d bytes left", r.Err(), r.Len())
	}
}

func TestBoolIsTrueForAnyByteButZero(t *testing.T) {
	for b := range 256 {
		r := NewReader([]byte{byte(b)})
		if got := r.Bool(); got != (b != 0) {
			t.Errorf("byte %d: got %v", b, got)
		}
	}
}

func TestLengths(t *testing.T) {
	tests := []struct {
		name   string
		length int32
		body   string
		want   []byte
		null   bool
		bad    bool
	}{
		{name: "null", length: -1, null: true},
		{name: "empty", length: 0, want: []byte{}},
		{name: "exactly the frame", length: 3, body: "abc", want: []byte("abc")},
		{name: "shorter than the frame", length: 2, body: "abc", want: []byte("ab")},
		{name: "one more than the frame", length: 4, body: "abc", bad: true},
		{name: "huge", length: math.MaxInt32, body: "abc", bad: true},
		{name: "below null", length: -2, body: "abc", bad: true},
		{name: "smallest", length: math.MinInt32, body: "abc", bad: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			frame := append(AppendInt32(nil, tt.length), tt.body...)
			r := NewReader(frame)
			got := r.Buffer()
			if bad := errors.Is(r.Err(), ErrShort); bad != tt.bad {
				t.Fatalf("buffer: %v", r.Err())
			}
			if (got == nil) != (tt.null || tt.bad) || !bytes.Equal(got, tt.want) {
				t.Errorf("buffer: got %#v", got)
			}
			r = NewReader(frame)
			s, null := r.NullString()
			if bad := errors.Is(r.Err(), ErrShort); bad != tt.bad || null != tt.null || s != string(tt.want) {
				t.Errorf("string: got %q, null %v, %v", s, null, r.Err())
			}
		})
	}
}

func TestCounts(t *testing.T) {
	for _, tt := range []struct {
		name string
		wire int32
		want int
	}{
		{"null", -1, -1},
		{"none", 0, 0},
		{"below null is none", -2, 0},
		{"smallest is none", math.MinInt32, 0},
		{"largest", math.MaxInt32, math.MaxInt32},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := NewReader(AppendInt32(nil, tt.wire))
			if got := r.Count(); got != tt.want || r.Err() != nil {
				t.Errorf("got %d, %v", got, r.Err())
			}
		})
	}
}

// What fails once must go on failing: later fields are not to be read from
// what comes after.
func TestFirstFailureSticks(t *testing.T) {
	r := NewReader(append(AppendInt32(nil, 100), "some more bytes than any number needs"...))
	r.Buffer()
	if r.Err() == nil {
		t.Fatal("a length beyond the frame was accepted")
	}
	b, s, null := r.Buffer(), r.String(), false
	_, null = r.NullString()
	if b != nil || s != "" || null || r.Int32() != 0 || r.Int64() != 0 || r.Bool() || r.Count() != 0 || r.Len() != 0 || len(r.Rest()) != 0 {
		t.Error("a failed reader returned something")
	}
	if !errors.Is(r.Err(), ErrShort) {
		t.Errorf("got %v", r.Err())
	}
}

func TestTruncatedNumbers(t *testing.T) {
	for n := range 8 {
		r := NewReader(make([]byte, n))
		if r.Int64(); r.Err() == nil {
			t.Errorf("long out of %d bytes", n)
		}
		if n < 4 {
			r = NewReader(make([]byte, n))
			if r.Int32(); r.Err() == nil {
				t.Errorf("int out of %d bytes", n)
			}
		}
	}
}

func TestStringsAliasTheFrame(t *testing.T) {
	frame := AppendString(nil, "abc")
	r := NewReader(frame)
	s := r.String()
	frame[4] = 'x'
	if s != "xbc" {
		t.Errorf("got %q: the string was copied", s)
	}
}

// A count or a length must never be believed before its bytes are seen.
func TestClaimsDoNotAllocate(t *testing.T) {
	claim := binary.BigEndian.AppendUint32(nil, math.MaxInt32)
	for _, tt := range []struct {
		name   string
		decode func(r *Reader)
	}{
		{"buffer", func(r *Reader) { r.Buffer() }},
		{"string", func(r *Reader) { _ = r.String() }},
		{"ACL vector", func(r *Reader) { DecodeACLs(r) }},
		{"string vector", func(r *Reader) { WalkStrings(r, func(string, bool) bool { return true }) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := testing.AllocsPerRun(10, func() {
				r := NewReader(claim)
				tt.decode(&r)
				if r.Err() == nil {
					t.Error("accepted")
				}
			})
			// the Reader itself, and room for one element
			if got > 2 {
				t.Errorf("%v allocations", got)
			}
		})
	}
}

func TestWalkStrings(t *testing.T) {
	three := AppendInt32(nil, 3)
	for _, s := range []string{"a", "", "c"} {
		three = AppendString(three, s)
	}
	for _, tt := range []struct {
		name string
		in   []byte
		want []string
		bad  bool
	}{
		{"three", three, []string{"a", "", "c"}, false},
		{"none", AppendInt32(nil, 0), nil, false},
		{"count below null is none", AppendInt32(nil, -7), nil, false},
		{"null vector", AppendInt32(nil, -1), nil, true},
		{"null element", AppendInt32(AppendInt32(nil, 1), -1), []string{"null"}, false},
		{"told to stop", AppendString(AppendString(AppendInt32(nil, 2), "stop"), "b"), []string{"stop"}, true},
		{"cut off", three[:len(three)-1], []string{"a", ""}, true},
		{"no count", nil, nil, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := NewReader(tt.in)
			var got []string
			WalkStrings(&r, func(s string, null bool) bool {
				if null {
					s = "null"
				}
				got = append(got, s)
				return s != "stop"
			})
			if (r.Err() != nil) != tt.bad || len(got) != len(tt.want) {
				t.Fatalf("got %q, %v", got, r.Err())
			}
			for i := range got {
				if got[i] != tt.want[i] {
					t.Errorf("got %q", got)
				}
			}
		})
	}
}
