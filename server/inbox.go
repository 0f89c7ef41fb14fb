package server

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
)

// inbox takes in frames. One read takes as many as have arrived. While a
// client is silent its inbox holds no buffer.
type inbox struct {
	nc    net.Conn
	raw   syscall.RawConn // nil where bytes cannot come straight from a socket
	limit int             // longest frame

	buf        []byte
	begin, end int // of the bytes not yet taken
	last       int // where the frame taken last begins; until fill

	ready func(fd uintptr) bool // readReady, made once
	n     int                   // result of readReady
	err   error
}

const readBuffer = 32 << 10

var readBuffers = sync.Pool{New: func() any { return new([readBuffer]byte) }}

// errFrame is a length that no frame may have.
var errFrame = errors.New("frame length out of range")

func newInbox(nc net.Conn, raw syscall.RawConn, limit int) inbox {
	return inbox{nc: nc, raw: raw, limit: limit}
}

// next returns the next whole frame that has been read, without its length.
// It is valid until fill. Without one it returns nil, and errFrame if what
// comes next cannot be a frame.
func (in *inbox) next() ([]byte, error) {
	n, ok := in.frameLen()
	if !ok {
		return nil, nil
	}
	if n < 0 || n > in.limit {
		return nil, errFrame
	}
	if in.end-in.begin < 4+n {
		return nil, nil
	}
	frame := in.buf[in.begin+4 : in.begin+4+n : in.begin+4+n]
	in.last = in.begin
	in.begin += 4 + n
	return frame, nil
}

// ahead calls look with the frame taken last and those behind it that have been
// read whole, n at most, until look returns false.
func (in *inbox) ahead(n int, look func(frame []byte) bool) {
	for at := in.last; n > 0 && in.end-at >= 4; n-- {
		size := int(int32(binary.BigEndian.Uint32(in.buf[at:])))
		if size < 0 || size > in.end-at-4 || !look(in.buf[at+4:at+4+size]) {
			return
		}
		at += 4 + size
	}
}

func (in *inbox) frameLen() (int, bool) {
	if in.end-in.begin < 4 {
		return 0, false
	}
	return int(int32(binary.BigEndian.Uint32(in.buf[in.begin:]))), true
}

// fill reads more, blocking until there is some.
func (in *inbox) fill() error {
	in.makeRoom()
	if in.raw == nil {
		in.borrow()
		n, err := in.nc.Read(in.buf[in.end:])
		in.end += n
		if n > 0 {
			return nil
		}
		return err
	}
	if in.ready == nil {
		in.ready = in.readReady
	}
	in.n, in.err = 0, nil
	if err := in.raw.Read(in.ready); err != nil {
		return err
	}
	if in.err != nil {
		return in.err
	}
	if in.n == 0 {
		return io.EOF
	}
	in.end += in.n
	return nil
}

// readReady is called by the runtime at once and then whenever the socket may
// have become readable.
func (in *inbox) readReady(fd uintptr) bool {
	in.borrow()
	in.n, in.err = readSocket(fd, in.buf[in.end:])
	if in.err == syscall.EAGAIN {
		in.err = nil
		in.release()
		return false
	}
	return true
}

func (in *inbox) borrow() {
	if in.buf == nil {
		in.buf = readBuffers.Get().(*[readBuffer]byte)[:]
	}
}

// release gives the buffer back if nothing is in it.
func (in *inbox) release() {
	if in.begin < in.end || in.buf == nil {
		return
	}
	if b := in.buf; len(b) == readBuffer {
		readBuffers.Put((*[readBuffer]byte)(b))
	}
	in.buf, in.begin, in.end = nil, 0, 0
}

// makeRoom moves a frame that is not whole yet to the front, into a larger
// buffer if it fills the one it has. Buffers grow with what has arrived, not
// with what a length claims.
func (in *inbox) makeRoom() {
	if in.begin == in.end {
		in.release()
		return
	}
	size := len(in.buf)
	if in.end-in.begin > size-size/4 {
		n, _ := in.frameLen()
		size = min(2*size, max(4+n, readBuffer))
	}
	if size != len(in.buf) {
		grown := make([]byte, size)
		in.end = copy(grown, in.buf[in.begin:in.end])
		in.buf, in.begin = grown, 0
		return
	}
	in.end = copy(in.buf, in.buf[in.begin:in.end])
	in.begin = 0
}
