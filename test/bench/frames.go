package main

import (
	"encoding/binary"
	"fmt"
)

const (
	readBufferSize = 64 << 10
	maxReplySize   = 64 << 20 // larger is taken for a broken stream
)

// frames cuts the incoming byte stream into frames. The buffer is reused: a frame returned by next
// is valid until the next call of space.
type frames struct {
	buf  []byte
	r, w int // buf[r:w] is received and not yet cut
}

// space returns room to read into, at least enough to complete the frame that has begun.
func (f *frames) space() []byte {
	if f.buf == nil {
		f.buf = make([]byte, readBufferSize)
	}
	if f.r == f.w {
		f.r, f.w = 0, 0
	}
	need := lengthSize
	if f.w-f.r >= lengthSize {
		need += int(binary.BigEndian.Uint32(f.buf[f.r:]))
	}
	if f.r > 0 && len(f.buf)-f.r < max(need, readBufferSize/2) {
		f.w = copy(f.buf, f.buf[f.r:f.w])
		f.r = 0
	}
	if need > len(f.buf) {
		bigger := make([]byte, need)
		copy(bigger, f.buf[:f.w])
		f.buf = bigger
	}
	return f.buf[f.w:]
}

// filled tells that n bytes were read into the slice of space.
func (f *frames) filled(n int) { f.w += n }

// next cuts one whole frame, without its length; ok is false when more bytes are needed.
func (f *frames) next() (body []byte, ok bool, err error) {
	if f.w-f.r < lengthSize {
		return nil, false, nil
	}
	n := int(getInt(f.buf[f.r:]))
	if n < 0 || n > maxReplySize {
		return nil, false, fmt.Errorf("reply frame of %d bytes", n)
	}
	if f.w-f.r-lengthSize < n {
		return nil, false, nil
	}
	body = f.buf[f.r+lengthSize : f.r+lengthSize+n]
	f.r += lengthSize + n
	return body, true, nil
}

// lend gives f, unless it has one, the buffer of other: thousands of sessions that wait for one reply at a
// time need one buffer. giveBack takes it again when everything in it was cut.
func (f *frames) lend(other *frames) {
	if f.buf == nil {
		*f, *other = *other, frames{}
	}
}

func (f *frames) giveBack(to *frames) {
	if f.r == f.w {
		*to, *f = frames{buf: f.buf}, frames{}
	}
}
