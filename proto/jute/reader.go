package jute

import (
	"encoding/binary"
	"errors"
	"unsafe"
)

// ErrShort is what a Reader reports once a record asked for more bytes than
// its frame holds, or carried a length that no frame can hold.
var ErrShort = errors.New("jute: record does not fit its frame")

// Reader decodes one frame. The first failure sticks: every later call
// returns zero values, so a record is decoded field by field and checked once
// with Err.
//
// Strings and buffers returned alias the frame and live as long as it does.
type Reader struct {
	buf []byte
	off int
	err error
}

// NewReader returns a Reader over frame, which must not change while it or
// anything decoded from it is in use.
func NewReader(frame []byte) Reader { return Reader{buf: frame} }

// Err returns the first failure, or nil.
func (r *Reader) Err() error { return r.err }

// Len returns the number of bytes not yet read.
func (r *Reader) Len() int { return len(r.buf) - r.off }

// Rest returns the bytes not yet read, without consuming them.
func (r *Reader) Rest() []byte { return r.buf[r.off:] }

func (r *Reader) fail() { r.err, r.off = ErrShort, len(r.buf) }

func (r *Reader) next(n int) []byte {
	if r.Len() < n {
		r.fail()
		return nil
	}
	b := r.buf[r.off : r.off+n]
	r.off += n
	return b
}

// Int32 reads a jute int.
func (r *Reader) Int32() int32 {
	if b := r.next(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

// Int64 reads a jute long.
func (r *Reader) Int64() int64 {
	if b := r.next(8); b != nil {
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}

// Byte reads a single byte.
func (r *Reader) Byte() byte {
	if b := r.next(1); b != nil {
		return b[0]
	}
	return 0
}

// Bool reads a jute boolean: any byte but zero is true.
func (r *Reader) Bool() bool {
	return r.Byte() != 0
}

// Buffer reads a buffer. Null (length -1) is nil, empty is not nil; the two
// are different values to ZooKeeper and stay so.
func (r *Reader) Buffer() []byte {
	n := r.Int32()
	switch {
	case r.err != nil || n == -1:
		return nil
	case n < 0 || int(n) > r.Len():
		r.fail()
		return nil
	case n == 0:
		return []byte{}
	}
	return r.next(int(n))
}

// String reads a ustring. Null and empty both give "".
func (r *Reader) String() string {
	s, _ := r.NullString()
	return s
}

// NullString reads a ustring and tells whether it was null. Malformed text is
// replaced as Java replaces it.
func (r *Reader) NullString() (s string, null bool) {
	b := r.Buffer()
	if b == nil {
		return "", r.err == nil
	}
	return JavaText(unsafe.String(unsafe.SliceData(b), len(b))), false
}

// Count reads the element count of a vector; null is -1. As in ZooKeeper's
// BinaryInputArchive a count below -1 is an empty vector. Elements must be
// decoded one by one until Err: the count promises nothing about their bytes.
func (r *Reader) Count() int {
	n := r.Int32()
	if n < -1 {
		return 0
	}
	return int(n)
}
