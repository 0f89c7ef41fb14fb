package jute

import "encoding/binary"

// The Append functions add one encoded value to dst and return the longer
// slice, as the functions of package strconv do.

// AppendInt32 appends a jute int.
func AppendInt32(dst []byte, v int32) []byte {
	return binary.BigEndian.AppendUint32(dst, uint32(v))
}

// AppendInt64 appends a jute long.
func AppendInt64(dst []byte, v int64) []byte {
	return binary.BigEndian.AppendUint64(dst, uint64(v))
}

// AppendBool appends a jute boolean.
func AppendBool(dst []byte, v bool) []byte {
	if v {
		return append(dst, 1)
	}
	return append(dst, 0)
}

// AppendBuffer appends a buffer; nil is encoded as null.
func AppendBuffer(dst, v []byte) []byte {
	if v == nil {
		return AppendInt32(dst, -1)
	}
	return append(AppendInt32(dst, int32(len(v))), v...)
}

// AppendString appends a ustring.
func AppendString(dst []byte, v string) []byte {
	return append(AppendInt32(dst, int32(len(v))), v...)
}

// PutInt32 overwrites the int at the start of dst, to fill in a length that
// is known only after what it counts.
func PutInt32(dst []byte, v int32) { binary.BigEndian.PutUint32(dst, uint32(v)) }
