// Package wire is a small raw client of ZooKeeper's protocol for tests: it dials, sends any bytes a test wants to
// send, and shows what came back. It retries nothing, keeps no session alive and hides nothing.
//
// It is written apart from zkd's own encoder on purpose: were they one, a mistake in a record would be made on both
// sides of the connection and no test would see it. Nothing but tests and benchmarks may import it.
package wire

import (
	"encoding/binary"
	"fmt"
)

// Null is the string that is written as jute's null (length −1), and what a null string decodes to. It holds a NUL,
// which no legal path, scheme or id does, so that it cannot collide with a real value.
const Null = "\x00null"

// The append functions write one jute primitive each.

func appendInt(b []byte, v int32) []byte  { return binary.BigEndian.AppendUint32(b, uint32(v)) }
func appendLong(b []byte, v int64) []byte { return binary.BigEndian.AppendUint64(b, uint64(v)) }

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

func appendString(b []byte, s string) []byte {
	if s == Null {
		return appendInt(b, -1)
	}
	return append(appendInt(b, int32(len(s))), s...)
}

// appendBuffer writes nil as null and an empty slice as a buffer of length 0: the server keeps them apart.
func appendBuffer(b, v []byte) []byte {
	if v == nil {
		return appendInt(b, -1)
	}
	return append(appendInt(b, int32(len(v))), v...)
}

// appendStrings writes nil as a null vector.
func appendStrings(b []byte, v []string) []byte {
	if v == nil {
		return appendInt(b, -1)
	}
	b = appendInt(b, int32(len(v)))
	for _, s := range v {
		b = appendString(b, s)
	}
	return b
}

// reader takes primitives off a payload. The first failure sticks; later reads return zero values.
type reader struct {
	b   []byte
	err error
}

func (r *reader) take(n int) []byte {
	if r.err != nil {
		return nil
	}
	if n < 0 || n > len(r.b) {
		r.err = fmt.Errorf("wire: %d bytes wanted, %d left", n, len(r.b))
		return nil
	}
	v := r.b[:n]
	r.b = r.b[n:]
	return v
}

func (r *reader) int() int32 {
	v := r.take(4)
	if v == nil {
		return 0
	}
	return int32(binary.BigEndian.Uint32(v))
}

func (r *reader) long() int64 {
	v := r.take(8)
	if v == nil {
		return 0
	}
	return int64(binary.BigEndian.Uint64(v))
}

func (r *reader) bool() bool {
	v := r.take(1)
	return v != nil && v[0] != 0
}

func (r *reader) string() string {
	n := r.int()
	if n == -1 && r.err == nil {
		return Null
	}
	return string(r.take(int(n)))
}

func (r *reader) buffer() []byte {
	n := r.int()
	if n == -1 || r.err != nil {
		return nil
	}
	return append([]byte{}, r.take(int(n))...)
}

// count reads the length of a vector whose elements take at least size bytes each, so that a bad length fails here
// instead of allocating.
func (r *reader) count(size int) int {
	n := int(r.int())
	if (n < -1 || n > len(r.b)/size) && r.err == nil {
		r.err = fmt.Errorf("wire: vector of %d elements in %d bytes", n, len(r.b))
	}
	if r.err != nil {
		return -1
	}
	return n
}

func (r *reader) strings() []string {
	n := r.count(4)
	if n < 0 {
		return nil
	}
	v := make([]string, 0, n)
	for range n {
		v = append(v, r.string())
	}
	return v
}
